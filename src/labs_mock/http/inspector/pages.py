"""The one table of the inspector's pages."""

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from labs_mock.http.inspector.dataset_page import dataset_page_routes
from labs_mock.http.inspector.episode_page import episode_page_routes
from labs_mock.http.inspector.evaluation_page import evaluation_page_routes
from labs_mock.http.inspector.fault_page import fault_page_routes
from labs_mock.http.inspector.login_page import login_routes
from labs_mock.http.inspector.overview_page import overview_routes
from labs_mock.http.inspector.play_page import play_routes
from labs_mock.http.inspector.rendering import STATIC
from labs_mock.http.inspector.request_page import request_routes
from labs_mock.http.inspector.scenario_page import scenario_page_routes
from labs_mock.http.inspector.verdict_page import verdict_page_routes

GROUPS = (
    overview_routes,
    episode_page_routes,
    evaluation_page_routes,
    dataset_page_routes,
    verdict_page_routes,
    request_routes,
    fault_page_routes,
    scenario_page_routes,
    play_routes,
    login_routes,
)
"""The routes of each page and of what belongs to it."""


def page_routes(prefix: str) -> list[BaseRoute]:
    """The routes of all pages, and the files that they load."""
    static = Mount(f"{prefix}/static", StaticFiles(directory=STATIC))
    return [*(route for group in GROUPS for route in group(prefix)), static]
