"""The control plane, `/_mock`."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from labs_mock import __version__
from labs_mock.world import World

PREFIX = "/_mock"


def control_routes(world: World) -> list[BaseRoute]:
    """What exists only in the mock; without the control plane nothing but its health."""

    async def health(_: Request) -> Response:
        return JSONResponse(
            {
                "status": "ok",
                "instance": world.instance,
                "version": __version__,
                "scenarios": len(world.library.scenarios),
                "seed": world.settings.seed,
                "clock": world.clock.specification,
            }
        )

    return [Route(f"{PREFIX}/health", health, methods=["GET"])]
