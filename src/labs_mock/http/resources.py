"""Resources of the control plane: one path, a handler for each method, JSON in and out."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from labs_mock.contract.reading import read_json

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
