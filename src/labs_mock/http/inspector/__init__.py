"""The inspector, `/_mock/ui`: pages for people that show what a server did."""

from starlette.routing import BaseRoute

from labs_mock.http.deferred import DeferredRoutes
from labs_mock.http.page_headers import UI


def inspector_routes() -> list[BaseRoute]:
    """All pages and the files that they load, as one route; they are imported, and Jinja2 with them, with the first request to one."""
    return [DeferredRoutes(_is_inspector, _routes)]


def _is_inspector(path: str) -> bool:
    return path == UI or path.startswith(f"{UI}/")


def _routes() -> list[BaseRoute]:
    from labs_mock.http.inspector.pages import page_routes

    return page_routes(UI)
