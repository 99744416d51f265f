"""Resources of the control plane: one path, a handler for each method, JSON in and out."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from labs_mock.contract.reading import read_json
from labs_mock.errors import BadRequest
from labs_mock.scenario.mistakes import empty_values, schema_mistakes
from labs_mock.scenario.places import Mistake

Model = TypeVar("Model", bound=BaseModel)
MAX_TOLD = 3  # mistakes of one request

Handler = Callable[[Request], Awaitable[dict[str, Any]]]


def resource(path: str, **handlers: Handler) -> Route:
    """One route for all methods of a path, so that a 405 can name them all. Handlers give a JSON object."""

    async def handle(request: Request) -> Response:
        return JSONResponse(await handlers["GET" if request.method == "HEAD" else request.method](request))

    return Route(path, handle, methods=sorted(handlers))


async def json_of(request: Request) -> dict[str, Any]:
    """The JSON object in a request. Raises `BadRequest` for anything else."""
    content_type = request.headers.get("content-type")
    return read_json(await request.body(), content_type.encode("latin-1") if content_type else None)


def checked(model: type[Model], value: dict[str, Any], check: Callable[[dict[str, Any]], Iterable[Mistake]]) -> Model:
    """What a file could hold, from JSON. Raises `BadRequest` that names up to three places and says what to send."""
    mistakes = list(empty_values(value))
    try:
        parsed = model.model_validate(value)
    except ValidationError as error:
        parsed, mistakes = None, mistakes + list(schema_mistakes(model, error))
    mistakes += check(value)
    if parsed is None or mistakes:
        told = [f"{'.'.join(map(str, one.path)) or 'body'}: {one.message}; {one.expected}" for one in mistakes]
        more = [f"and {len(told) - MAX_TOLD} more"] if len(told) > MAX_TOLD else []
        raise BadRequest("; ".join([*told[:MAX_TOLD], *more]))
    return parsed
