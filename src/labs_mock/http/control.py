"""The control plane, `/_mock`."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock import __version__
from labs_mock.http.exchange import Payload
from labs_mock.http.keys import key_routes
from labs_mock.http.resources import resource
from labs_mock.world import World

PREFIX = "/_mock"


def control_routes(world: World) -> list[BaseRoute]:
    """What exists only in the mock; without the control plane nothing but its health."""

    async def health(_: Request) -> Payload:
        return {
            "status": "ok",
            "instance": world.instance,
            "version": __version__,
            "scenarios": len(world.library.scenarios),
            "seed": world.settings.seed,
            "clock": world.clock.specification,
        }

    always: list[BaseRoute] = [resource(f"{PREFIX}/health", GET=health)]
    return [*always, *key_routes(world, PREFIX)] if world.settings.control else always
