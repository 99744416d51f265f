"""The session of a server over the control plane: everything that it knows, as one file."""

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import BaseRoute

from labs_mock.http.control.journal import settled
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.session.session_saving import session_chunks

NAME = "session.jsonl.gz"


def session_routes(prefix: str) -> list[BaseRoute]:
    """`GET /session.jsonl.gz`, which `labs-mock inspect` shows."""

    async def save(request: Request) -> StreamingResponse:
        await settled()
        headers = {"content-disposition": f'attachment; filename="labs-mock-{NAME}"'}
        return StreamingResponse(session_chunks(world_of(request)), headers=headers, media_type="application/gzip")

    return [resource(f"{prefix}/{NAME}", GET=save)]
