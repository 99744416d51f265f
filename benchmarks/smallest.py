"""The smallest Starlette and pydantic application: what a server of this kind must at least import."""

from argparse import ArgumentParser

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
    parser = ArgumentParser()
    parser.add_argument("--port", type=int)
    app = Starlette(routes=[Route("/_mock/health", health)])
    uvicorn.run(app, port=parser.parse_args().port, log_level="warning", access_log=False)
