"""The control plane, `/_mock`."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock import __version__
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.deferred import DeferredRoutes
from labs_mock.http.exchange import Payload

PREFIX = "/_mock"
HEALTH = f"{PREFIX}/health"


def is_control(path: str) -> bool:
    """Whether a path is of the control plane."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def control_routes() -> list[BaseRoute]:
    """What exists only in the mock; each handler finds the world of its request in the scope."""
    return [resource(HEALTH, GET=_health), DeferredRoutes(_is_operation, operation_routes)]


def operation_routes() -> list[BaseRoute]:
    """The routes of all operations but the health."""
    from labs_mock.http.control.handlers import handler_routes

    return handler_routes(PREFIX)


def _is_operation(path: str) -> bool:
    return is_control(path) and path != HEALTH


async def _health(request: Request) -> Payload:
    world = world_of(request)
    library, clock = await world.library(), await world.store.clock()
    return {
        "status": "ok",
        "instance": world.instance,
        "version": __version__,
        "scenarios": len(library.scenarios),
        "seed": world.settings.seed,
        "clock": clock.mode,
    }
