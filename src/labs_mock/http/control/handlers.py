"""All handlers of the control plane but that of its health: imported with the first request to one of them."""

from starlette.routing import BaseRoute

from labs_mock.http.control.clock import clock_routes
from labs_mock.http.control.dataset_rows import row_routes
from labs_mock.http.control.datasets import dataset_routes
from labs_mock.http.control.episodes import episode_routes
from labs_mock.http.control.events import event_routes
from labs_mock.http.control.expecting import expected_routes
from labs_mock.http.control.explaining import explain_routes
from labs_mock.http.control.faults import fault_routes
from labs_mock.http.control.findings import finding_routes
from labs_mock.http.control.journal import journal_routes
from labs_mock.http.control.keys import key_routes
from labs_mock.http.control.openapi import openapi_routes
from labs_mock.http.control.quotas import quota_routes
from labs_mock.http.control.reset import reset_routes
from labs_mock.http.control.rewards import reward_routes
from labs_mock.http.control.scenarios import scenario_routes
from labs_mock.http.control.session import session_routes
from labs_mock.http.control.settings import setting_routes
from labs_mock.http.control.verdict_list import verdict_routes
from labs_mock.http.control.verification import verification_routes

GROUPS = (
    openapi_routes,
    reset_routes,
    clock_routes,
    key_routes,
    dataset_routes,
    journal_routes,
    verification_routes,
    finding_routes,
    reward_routes,
    verdict_routes,
    expected_routes,
    episode_routes,
    explain_routes,
    scenario_routes,
    fault_routes,
    session_routes,
    event_routes,
    setting_routes,
    quota_routes,
    row_routes,
)


def handler_routes(prefix: str) -> list[BaseRoute]:
    """The routes of all groups."""
    return [route for group in GROUPS for route in group(prefix)]
