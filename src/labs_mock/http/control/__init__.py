"""The control plane, `/_mock`."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock import __version__
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.deferred import DeferredRoutes
from labs_mock.http.exchange import Payload

PREFIX = "/_mock"
HEALTH = f"{PREFIX}/health"
READY = f"{PREFIX}/ready"
OPEN = HEALTH, READY
"""What everybody may ask for."""


def is_control(path: str) -> bool:
    """Whether a path is of the control plane."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def control_routes() -> list[BaseRoute]:
    """What exists only in the mock; each handler finds the world of its request in the scope."""
    return [resource(HEALTH, GET=_health), resource(READY, GET=_ready), DeferredRoutes(_is_operation, operation_routes)]


def operation_routes() -> list[BaseRoute]:
    """The routes of all other operations."""
    from labs_mock.http.control.handlers import handler_routes

    return handler_routes(PREFIX)


def _is_operation(path: str) -> bool:
    return is_control(path) and path not in OPEN


async def _health(request: Request) -> Payload:
    world = world_of(request)
    library, clock = await world.known_library(), await world.store.known_clock()
    return {
        "status": "ok",
        "instance": world.instance,
        "version": __version__,
        "scenarios": len(library.scenarios),
        "seed": world.settings.seed,
        "clock": clock.mode,
    }


async def _ready(request: Request) -> Payload:
    """Raises `StoreUnavailable`."""
    await world_of(request).store.clock()
    return {"status": "ready"}
