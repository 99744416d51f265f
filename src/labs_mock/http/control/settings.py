"""The settings of a server over the control plane, without its secrets."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.http.session.session_saving import settings_of


def setting_routes(prefix: str) -> list[BaseRoute]:
    """`GET /settings`."""

    async def show_settings(request: Request) -> Payload:
        return {"settings": settings_of(world_of(request))}

    return [resource(f"{prefix}/settings", GET=show_settings)]
