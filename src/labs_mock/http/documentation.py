"""The OpenAPI document and a page to browse it, which needs nothing from the internet."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from labs_mock import __version__
from labs_mock.http.control.resources import world_of
from labs_mock.http.deferred import DeferredRoutes
from labs_mock.http.page_headers import DOCS, UI

HERE = Path(__file__).parent
SWAGGER_UI, START = HERE / "swagger_ui", HERE / "swagger-start.js"

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Labs API (labs-mock)</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""


def documentation_routes() -> list[BaseRoute]:
    """`/openapi.json` and `/docs`; `/` leads people to the inspector (it is no path of the API, so GEN-3 has no say in it)."""
    return [DeferredRoutes(_is_documentation, _routes)]


def _is_documentation(path: str) -> bool:
    return path in ("/", "/openapi.json", DOCS) or path.startswith(f"{DOCS}/")


def _routes() -> list[BaseRoute]:
    from starlette.staticfiles import StaticFiles

    from labs_mock.contract.openapi import openapi_text

    async def home(request: Request) -> Response:
        return RedirectResponse(UI if world_of(request).settings.control else DOCS)

    async def document(request: Request) -> Response:
        text = openapi_text(__version__, store=bool(world_of(request).settings.state))
        return Response(text, media_type="application/json")

    async def page(_: Request) -> Response:
        return HTMLResponse(_PAGE)

    async def start(_: Request) -> Response:
        return FileResponse(START)

    return [
        Route("/", home, methods=["GET"]),
        Route("/openapi.json", document, methods=["GET"]),
        Route(DOCS, page, methods=["GET"]),
        Route(f"{DOCS}/start.js", start, methods=["GET"]),
        Route(
            f"{DOCS}/openapi.json", document, methods=["GET"]
        ),  # the page's own: the journal has requests to the other
        Mount(DOCS, StaticFiles(directory=SWAGGER_UI, check_dir=False)),
    ]
