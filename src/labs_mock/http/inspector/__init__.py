"""The inspector, `/_mock/ui`: pages for people that show what a server did."""

from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from labs_mock.http.deferred import DeferredRoutes
from labs_mock.http.page_headers import LOGIN, SESSION, UI


def inspector_routes() -> list[BaseRoute]:
    """All pages and the files that they load, as one route; they are imported, and Jinja2 with them, with the first request to one."""
    return [DeferredRoutes(is_inspector, _routes)]


def is_inspector(path: str) -> bool:
    """Whether a path is that of a page, of a file that pages load, or of the session of a browser."""
    return path in (UI, SESSION) or path.startswith(f"{UI}/")


def to_login(path: str, query: str) -> Response:
    """What somebody gets instead of a page who has not logged in: the way to do so, and from there back."""
    wanted = {"next": f"{path}?{query}" if query else path}
    return RedirectResponse(f"{LOGIN}?{urlencode(wanted)}", 303)


def error_page(status: int, message: str) -> Response:
    """What a browser shows instead of a page that it cannot have."""
    from labs_mock.http.inspector.rendering import environment

    html = environment().get_template("error.html").render(status=status, message=message, here="", saved=None)
    return HTMLResponse(html, status)


def _routes() -> list[BaseRoute]:
    from labs_mock.http.inspector.pages import page_routes

    return page_routes(UI)
