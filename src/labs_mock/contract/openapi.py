"""The OpenAPI 3.1 document, made from the table of operations, the wire models and the clauses."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from labs_mock.contract import wording
from labs_mock.contract.clauses import BY_NAME, SECTIONS, Clause
from labs_mock.contract.dataset_status import DATASET_STATUSES
from labs_mock.contract.limits import UUID_ON_THE_WIRE
from labs_mock.contract.operations import EVERYWHERE, OPERATIONS, Operation
from labs_mock.contract.requests import BatchItem
from labs_mock.contract.responses import DatasetState, ErrorBody
from labs_mock.contract.rows import Row
from labs_mock.ids import ID_PATTERN

Schema = dict[str, Any]

_SCHEMAS = "#/components/schemas/"
_ABOUT = """\
A local, deterministic mock of the Labs API. It is not the service, and its rewards come from rule-based scenarios.

Every operation names the clauses of the contract that it keeps. **D** is documented by the service; **I** is inferred
where its documentation is silent or contradicts itself: our reading, which the service may not share.

A 503 is none of the service's statuses. It comes from a fault plan, or from a server whose state is in a store (`--state`): that one's
own document has it at every operation (GEN-2).
"""


@cache
def openapi_text(version: str, *, store: bool = False) -> str:
    """The document as text, ready for a file or a client."""
    return json.dumps(openapi(version, store=store), indent=2, ensure_ascii=False) + "\n"


def row_schema() -> str:
    """The JSON Schema (2020-12) of an exported row, ready for a file (ROW-1)."""
    definitions = _never_null(_definitions(Row))
    for name in definitions:
        definitions[name] = json.loads(json.dumps(definitions[name]).replace(_SCHEMAS, "#/$defs/"))
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **definitions.pop("Row"), "$defs": definitions}
    return json.dumps(_plain(schema), indent=2) + "\n"


def row_features() -> str:
    """The features of a row, for `datasets.Features.from_dict`."""
    return (files("labs_mock.contract") / "row-features.json").read_text(encoding="utf-8")


def openapi(version: str, *, store: bool = False) -> Schema:
    """The whole document; `version` is the mock's own. That of a server whose state is in a `store` has its 503, too (GEN-2)."""
    document = _document(version)
    if store:
        document["components"]["responses"] = {"NoStore": _no_store()}
        for operations in document["paths"].values():
            for operation in operations.values():
                operation["responses"]["503"] = {"$ref": "#/components/responses/NoStore"}
    return document


def _no_store() -> Schema:
    name = examples()["compare"]["response"]["request_id"]
    example = {"message": wording.STORE_SILENT, "data": {"request_id": name}}
    return {
        "description": f"{wording_of('GEN-2')} What the request changes may have been applied or not, never half of it.",
        "headers": {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}},
        "content": {"application/json": {"schema": _ref(ErrorBody), "example": example}},
    }


def _document(version: str) -> Schema:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Labs API (labs-mock)",
            "version": version,
            "description": _ABOUT,
        },
        "servers": [{"url": "/", "description": "the server that this document comes from"}],
        "security": [{"key": []}],
        "tags": [{"name": name} for name in dict.fromkeys(map(_tag, OPERATIONS))],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": wording_of("AUTH-1")}},
            "headers": _HEADERS,
            "schemas": _schemas(),
        },
    }


@cache
def examples() -> Schema:
    """For each operation a `request`, if it has one, and the `response` that a fresh server gives to it on a frozen clock."""
    read: Schema = json.loads((files("labs_mock.contract") / "examples.json").read_text(encoding="utf-8"))
    return read


def wording_of(name: str) -> str:
    """What a clause says, with what is inferred marked as such."""
    clause = BY_NAME[name]
    inferred = f"*Inferred:* {clause.inferred}" if clause.inferred else ""
    return " ".join(part for part in (clause.documented, inferred) if part)


def _tag(operation: Operation) -> str:
    return SECTIONS[BY_NAME[operation.clauses[0]].section]


def _paths() -> Schema:
    paths: Schema = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.full_path, {})[operation.method.lower()] = _operation(operation)
    return paths


def _operation(operation: Operation) -> Schema:
    clauses = [BY_NAME[name] for name in operation.clauses]
    made: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": "\n".join(_line(clause) for clause in clauses),
        "tags": [_tag(operation)],
        "x-clauses": [*operation.clauses, *EVERYWHERE],
    }
    if operation.has_id:
        known = _PARAMETERS[operation.path.split("/")[1]]
        made["parameters"] = [{**known, "example": examples()[operation.name]["id"]}]
    if operation.request is not None:
        content = {"schema": _ref(operation.request), "example": examples()[operation.name]["request"]}
        made["requestBody"] = {"required": True, "content": {"application/json": content}}
    made["responses"] = {str(status): _response(operation, status) for status in operation.statuses}
    return made


def _line(clause: Clause) -> str:
    return f"- **{clause.name}** ({clause.basis}) {wording_of(clause.name)}"


def _response(operation: Operation, status: int) -> Schema:
    made: Schema = {
        "description": _MEANINGS[status],
        "headers": _headers(operation, status),
        "content": _rows()
        if operation.streams and status == 200
        else {"application/json": _content(operation, status)},
    }
    if operation.name == "create_episode" and status == 200:
        made["links"] = {"turn": {"operationId": "take_turn", "parameters": {"id": "$response.body#/episode_id"}}}
    return made


def _content(operation: Operation, status: int) -> Schema:
    if status == 200:
        return {"schema": _ref(operation.response), "example": examples()[operation.name]["response"]}
    name = examples()["compare"]["response"]["request_id"]
    if status in operation.states:
        state = _ref(DatasetState)
        schema: Schema = {"oneOf": [state, _ref(ErrorBody)]} if status == 500 else state
        return {"schema": schema, "example": {**_STATES[status], "request_id": name}}
    message = operation.errors.get(status) or _MESSAGES[status]
    return {"schema": _ref(ErrorBody), "example": {"message": message, "data": {"request_id": name}}}


def _rows() -> Schema:
    text = examples()["export_dataset"]["response"]
    return {"application/x-ndjson": {"schema": {"type": "string", "description": "A `Row` a line."}, "example": text}}


def _state(status: str, row_count: int | None, **error: str) -> Schema:
    return {"status": status, "row_count": row_count, "message": DATASET_STATUSES[status].message, **error}


_STATES: dict[int, Schema] = {
    202: _state("running", None),
    409: _state("cancelled", None),
    500: _state("failed", 12, error="No rollout passed the filter"),
}

_MEANINGS = {
    200: "It was done.",
    400: "The request is not what the contract offers; `message` names the place and says what to send.",
    202: "The dataset is not ready yet.",
    401: "There is no valid key.",
    403: "The key's organisation has no subscription for the collection.",
    404: "There is no such thing.",
    409: "The dataset was cancelled.",
    413: "The body is larger than the server's limit.",
    429: "The quota of this minute is used up.",
    431: "The head of the request is too large; the connection is closed.",
    500: "A defect of the mock itself; of an export, also that the dataset failed.",
}

_MESSAGES = {  # of errors that all operations share
    401: wording.UNAUTHORIZED,
    413: "body: expected at most 16,777,216 bytes",
    429: wording.RATE_LIMITED,
    431: wording.HEAD_TOO_LARGE,
    500: wording.INTERNAL,
}

_PARAMETERS: dict[str, Schema] = {  # the id in a path, by what stands before it
    "episodes": {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "the id that the episode was created with",
        "schema": {"type": "string", "pattern": f"^ep_{ID_PATTERN}$"},
    },
    "training-datasets": {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "the id of the dataset, a UUID of version 1 to 8 in either case, or in lower case all zeros or all f (DS-5)",
        "schema": {"type": "string", "format": "uuid", "pattern": UUID_ON_THE_WIRE},
    },
}

_HEADERS: dict[str, Schema] = {
    "X-Request-ID": {
        "required": True,
        "description": wording_of("ID-1"),
        "schema": {"type": "string", "pattern": f"^req_{ID_PATTERN}$"},
    },
    "X-RateLimit-Limit": {
        "required": True,
        "description": "Requests in a window (RL-2).",
        "schema": {"type": "integer", "minimum": 1},
    },
    "X-RateLimit-Remaining": {
        "required": True,
        "description": "Requests that are left in this window (RL-1).",
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-RateLimit-Reset": {
        "required": True,
        "description": "When the next window starts, in unix seconds (RL-1, RL-2).",
        "schema": {"type": "integer", "minimum": 0, "multipleOf": 60},
    },
    "X-Row-Count": {
        "required": True,
        "description": "The number of rows (DS-4).",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Content-Disposition": {
        "required": True,
        "description": "The name of a file for the rows (DS-4).",
        "schema": {"type": "string", "pattern": '^attachment; filename="training-dataset-[0-9a-f-]{36}\\.jsonl"$'},
    },
    "X-Mock-Findings": {
        "description": 'Of the mock alone: what the service would take silently, `code;severity=…;place="…"`, comma-separated.',
        "schema": {"type": "string"},
    },
}
_LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_BEFORE_THE_LIMITER = (401, 413, 431)
_PERHAPS_BEFORE = (400, 500)


def _headers(operation: Operation, status: int) -> Schema:
    """The headers of a response: those of the limiter only where it is reached, and required only if it always is (RL-1)."""
    certain = status not in _PERHAPS_BEFORE and not (status == 404 and operation.has_id)
    headers = {}
    for name in _header_names(operation, status):
        uncertain = name in _LIMITS and not certain
        headers[name] = {**_HEADERS[name], "required": False} if uncertain else {"$ref": f"#/components/headers/{name}"}
    return headers


def _header_names(operation: Operation, status: int) -> list[str]:
    names = ["X-Request-ID"]
    if status not in _BEFORE_THE_LIMITER:
        names += _LIMITS
        names += ["X-Mock-Findings"] if operation.request or operation.has_id else []
    if operation.streams and status == 200:
        names += ["X-Row-Count", "Content-Disposition"]
    return names


def _ref(model: type[BaseModel]) -> Schema:
    return {"$ref": f"{_SCHEMAS}{model.__name__}"}


def _schemas() -> Schema:
    """The schemas of all models, without what pydantic adds and nobody needs."""
    requests = [operation.request for operation in OPERATIONS if operation.request is not None]
    responses = [operation.response for operation in OPERATIONS]
    made: Schema = _plain(
        {**_definitions(*requests, BatchItem), **_never_null(_definitions(*responses, DatasetState, ErrorBody))}
    )
    return made


def _definitions(*models: type[BaseModel]) -> Schema:
    _, made = models_json_schema([(model, "validation") for model in models], ref_template=_SCHEMAS + "{model}")
    defined: Schema = made["$defs"]
    return defined


def _plain(value: Any) -> Any:
    """A schema without titles and without defaults of null."""
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if not isinstance(value, dict):
        return value
    dropped = ("title",) if "type" in value or "anyOf" in value or "$ref" in value else ()
    return {
        key: _plain(child)
        for key, child in value.items()
        if not (key in dropped and isinstance(child, str)) and not (key == "default" and child is None)
    }


def _never_null(schemas: Schema) -> Schema:
    """The schemas of responses, in which an optional field is absent where it has no value."""
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            if name not in schema.get("required", ()):
                schema["properties"][name] = next(arm for arm in field["anyOf"] if arm != {"type": "null"})
    return schemas
