"""Resources of the control plane: one path, a handler for each method, JSON in and out."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from labs_mock.contract.parsing import read_json
from labs_mock.errors import BadRequest
from labs_mock.scenario.files.paths import Mistake
from labs_mock.scenario.files.schema_mistakes import empty_values, schema_mistakes
from labs_mock.state import World
from labs_mock.state.arrival import Arrived

Model = TypeVar("Model", bound=BaseModel)
MAX_MISTAKES = 3  # mistakes of one request
MAX_STEP = 40  # characters of a field's name that an error shows
MAX_SENTENCE = 500  # characters of what is wrong, and of what was expected

Handler = Callable[[Request], Awaitable[dict[str, Any] | Response]]


def resource(path: str, **handlers: Handler) -> Route:
    """One route for all methods of a path, so that a 405 can name them all. Handlers give a JSON object, or a whole response."""

    async def handle(request: Request) -> Response:
        content = await handlers["GET" if request.method == "HEAD" else request.method](request)
        return content if isinstance(content, Response) else JSONResponse(content)

    return Route(path, handle, methods=sorted(handlers))


def world_of(request: Request) -> World:
    """The world that the application has chosen for a request."""
    world: World = request.scope["world"]
    return world


def arrived_of(request: Request) -> Arrived:
    """What the store returned when a request arrived."""
    arrived: Arrived = request.scope["arrived"]
    return arrived


async def json_of(request: Request) -> dict[str, Any]:
    """The JSON object in a request. Raises `BadRequest` for anything else."""
    content_type = request.headers.get("content-type")
    return read_json(await request.body(), content_type.encode("latin-1") if content_type else None)


def checked(model: type[Model], value: dict[str, Any], check: Callable[[dict[str, Any]], Iterable[Mistake]]) -> Model:
    """What a file could hold, from JSON. Raises `BadRequest` that names up to three places and says what to send."""
    parsed, found = parsed_or_mistakes(model, value, check)
    if parsed is None:
        more = [f"and {len(found) - MAX_MISTAKES:,} more"] if len(found) > MAX_MISTAKES else []
        raise BadRequest("; ".join([*map(_sentence, found[:MAX_MISTAKES]), *more]))
    return parsed


def parsed_or_mistakes(
    model: type[Model], value: dict[str, Any], check: Callable[[dict[str, Any]], Iterable[Mistake]]
) -> tuple[Model | None, list[Mistake]]:
    """What a file could hold, from JSON, or None and all mistakes, each once."""
    fields = {name: part for name, part in value.items() if part is not None}
    mistakes = list(empty_values(fields))
    try:
        parsed = model.model_validate(fields)
    except ValidationError as error:
        parsed, mistakes = None, mistakes + list(schema_mistakes(model, error))
    mistakes += check(fields)
    found = list({(mistake.path, mistake.message): mistake for mistake in reversed(mistakes)}.values())[::-1]
    return (None, found) if found else (parsed, [])


def _sentence(mistake: Mistake) -> str:
    # Steps in brackets are arms of unions.
    place = ".".join(step[:MAX_STEP] for step in map(str, mistake.path) if not step.startswith("("))
    return f"{place or 'body'}: {what_is_wrong(mistake)}"


def what_is_wrong(mistake: Mistake) -> str:
    """A mistake without its place: what is wrong, and what was expected."""
    return "; ".join(text[:MAX_SENTENCE] for text in (mistake.message, str(mistake.expected)) if text)
