"""The OpenAPI 3.1 document of the control plane, `/_mock/openapi.json`."""

import json
import re
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from labs_mock import __version__
from labs_mock.contract.responses import ErrorBody
from labs_mock.http.control.operations import CONTROL_OPERATIONS, ControlOperation, Parameter
from labs_mock.http.control.resources import resource

Schema = dict[str, Any]

_SCHEMAS = "#/components/schemas/"
_ABOUT = """\
What exists only in the mock, and not in the service: its clock, keys, faults, journal, episodes and scenarios.

Without a token it is for programs on this machine; with the setting `control_token` for whoever sends that.
"""
_ERRORS = {
    400: "The request is not what was expected; `message` names the place and says what to send.",
    401: "A token is set, and it was not sent.",
    403: "Without a token, the control plane is for programs on this machine.",
    404: "There is no such thing.",
    503: "The store of the state does not answer, or too many pages are open.",
}


def openapi_routes(prefix: str) -> list[BaseRoute]:
    """`GET /openapi.json`."""

    async def document(_: Request) -> Response:
        return Response(control_openapi_text(prefix), media_type="application/json")

    return [resource(f"{prefix}/openapi.json", GET=document)]


@cache
def control_openapi_text(prefix: str) -> str:
    """The document as text, ready for a file or a client."""
    references, schemas = _schemas()
    paths: Schema = {}
    for operation in CONTROL_OPERATIONS:
        paths.setdefault(prefix + operation.path, {})[operation.method.lower()] = _operation(operation, references)
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Control plane of labs-mock", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/", "description": "the server that this document comes from"}],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}, "schemas": schemas},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _schemas() -> tuple[dict[Any, Schema], Schema]:
    """For each type a reference to its schema, and all schemas."""
    types: list[Any] = [
        kind for one in CONTROL_OPERATIONS for kind in (one.request, one.response) if kind not in (None, dict, bytes)
    ]
    adapters: list[tuple[Any, Literal["validation"], TypeAdapter[Any]]] = [
        (kind, "validation", TypeAdapter(kind)) for kind in dict.fromkeys((*types, ErrorBody))
    ]
    references, made = TypeAdapter.json_schemas(adapters, ref_template=_SCHEMAS + "{model}")
    return {kind: schema for (kind, _), schema in references.items()}, made["$defs"]


def _operation(operation: ControlOperation, references: dict[Any, Schema]) -> Schema:
    made: Schema = {"operationId": operation.name, "summary": operation.summary}
    names = re.findall(r"\{(\w+)\}", operation.path)
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    if parameters or operation.parameters:
        made["parameters"] = [*parameters, *map(_query, operation.parameters)]
    if operation.request is not None:
        made["requestBody"] = {"required": operation.body_required, "content": _json(references[operation.request])}
    content = {operation.media: {"schema": references.get(operation.response, {})}}
    responses = {"200": {"description": "It was done.", "content": content}}
    for status in _statuses(operation):
        responses[str(status)] = {"description": _ERRORS[status], "content": _json(references[ErrorBody])}
    made["responses"] = responses
    return made


def _statuses(operation: ControlOperation) -> list[int]:
    if operation.name in {"health", "ready"}:  # which everybody may ask for
        return sorted(operation.refusals)
    writes = (400,) if operation.method != "GET" else ()
    return sorted({*operation.refusals, *writes, 401, 403})


def _query(parameter: Parameter) -> Schema:
    schema = {"type": "integer", "minimum": 0} if parameter.number else {"type": "string"}
    return {"name": parameter.name, "in": "query", "description": parameter.description, "schema": schema}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}
