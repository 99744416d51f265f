"""The control plane, `/_mock`."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock import __version__
from labs_mock.http.control.clock import clock_routes
from labs_mock.http.control.datasets import dataset_routes
from labs_mock.http.control.episodes import episode_routes
from labs_mock.http.control.expecting import expected_routes
from labs_mock.http.control.explaining import explain_routes
from labs_mock.http.control.faults import fault_routes
from labs_mock.http.control.findings import finding_routes
from labs_mock.http.control.journal import journal_routes
from labs_mock.http.control.keys import key_routes
from labs_mock.http.control.openapi import openapi_routes
from labs_mock.http.control.reset import reset_routes
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.control.rewards import reward_routes
from labs_mock.http.control.scenarios import scenario_routes
from labs_mock.http.control.verification import verification_routes
from labs_mock.http.exchange import Payload

PREFIX = "/_mock"
HEALTH = f"{PREFIX}/health"


def is_control(path: str) -> bool:
    """Whether a path is of the control plane."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def control_routes() -> list[BaseRoute]:
    """What exists only in the mock; each handler finds the world of its request in the scope."""

    async def health(request: Request) -> Payload:
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

    groups = (
        openapi_routes,
        reset_routes,
        clock_routes,
        key_routes,
        dataset_routes,
        journal_routes,
        verification_routes,
        finding_routes,
        reward_routes,
        expected_routes,
        episode_routes,
        explain_routes,
        scenario_routes,
        fault_routes,
    )
    return [resource(HEALTH, GET=health), *(route for group in groups for route in group(PREFIX))]
