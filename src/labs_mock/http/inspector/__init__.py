"""The inspector, `/_mock/ui`: pages for people that show what a server did."""

from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from labs_mock.http.deferred import DeferredRoutes
from labs_mock.http.page_headers import LOGIN, SESSION, UI


def inspector_routes() -> list[BaseRoute]:
    """All pages and the files that they load, as one route; they are imported, and Jinja2 with them, with the first request to one."""
    return [DeferredRoutes(_is_inspector, _routes)]


def _is_inspector(path: str) -> bool:
    return path in (UI, SESSION) or path.startswith(f"{UI}/")


def to_login(path: str, query: str) -> Response:
    """What somebody gets instead of a page who has not logged in: the way to do so, and from there back."""
    wanted = {"next": f"{path}?{query}" if query else path}
    return RedirectResponse(f"{LOGIN}?{urlencode(wanted)}", 303)


def _routes() -> list[BaseRoute]:
    from labs_mock.http.inspector.pages import page_routes

    return page_routes(UI)
