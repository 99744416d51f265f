"""The smallest Starlette and pydantic application: what a server of this kind must at least import."""

import socket

import uvicorn
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class Health(BaseModel):
    """A body."""

    status: str


async def health(_: Request) -> Response:
    """Answer the first request."""
    return Response(Health(status="ok").model_dump_json(), media_type="application/json")


if __name__ == "__main__":
    app = Starlette(routes=[Route("/_mock/health", health)])
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
