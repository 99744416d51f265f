"""The OpenAPI document and a page to browse it, which needs nothing from the internet."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from labs_mock import __version__
from labs_mock.http.deferred import DeferredRoutes

SWAGGER_UI = Path(__file__).parent / "swagger_ui"

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
<script>SwaggerUIBundle({url: "/openapi.json", dom_id: "#page", validatorUrl: null, persistAuthorization: true})</script>
</body>
</html>
"""


def documentation_routes() -> list[BaseRoute]:
    """`/openapi.json` and `/docs`, to which `/` leads people (it is no path of the API, so GEN-3 has no say in it)."""
    return [DeferredRoutes(_is_documentation, _routes)]


def _is_documentation(path: str) -> bool:
    return path in ("/", "/openapi.json", "/docs") or path.startswith("/docs/")


def _routes() -> list[BaseRoute]:
    from starlette.staticfiles import StaticFiles

    from labs_mock.contract.openapi import openapi_text

    async def home(_: Request) -> Response:
        return RedirectResponse("/docs")

    async def document(_: Request) -> Response:
        return Response(openapi_text(__version__), media_type="application/json")

    async def page(_: Request) -> Response:
        return HTMLResponse(_PAGE)

    return [
        Route("/", home, methods=["GET"]),
        Route("/openapi.json", document, methods=["GET"]),
        Route("/docs", page, methods=["GET"]),
        Mount("/docs", StaticFiles(directory=SWAGGER_UI, check_dir=False)),
    ]
