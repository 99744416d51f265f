"""Logging in where a token is set: the page posts it as JSON, and gets a cookie for it."""

from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from labs_mock.contract.parsing import read_model
from labs_mock.errors import BadRequest, Unauthorized
from labs_mock.http.control.resources import json_of, resource, world_of
from labs_mock.http.control.session_cookie import no_session, session_cookie
from labs_mock.http.inspector.rendering import page
from labs_mock.http.page_headers import LOGIN, SESSION, UI
from labs_mock.scenario.files.fields import FileModel


class Login(FileModel):
    """The token of the control plane."""

    token: str


def login_routes(_: str) -> list[BaseRoute]:
    """`GET /login`, and `POST` and `DELETE /_mock/session`."""

    async def show_login(request: Request) -> Response:
        wanted = request.query_params.get("next", "")
        return await page(request, "login", next=wanted if wanted.startswith(UI) else UI)

    async def log_in(request: Request) -> Response:
        token = world_of(request).settings.control_token
        login = read_model(Login, await json_of(request))
        if not token:
            raise BadRequest("There is no control_token, so nobody has to log in")
        if not compare_digest(login.token.encode(), token.encode()):
            raise Unauthorized("token: expected the setting control_token")
        return JSONResponse({"status": "logged in"}, headers={"set-cookie": session_cookie(token)})

    async def log_out(_: Request) -> Response:
        return JSONResponse({"status": "logged out"}, headers={"set-cookie": no_session()})

    return [resource(LOGIN, GET=show_login), resource(SESSION, POST=log_in, DELETE=log_out)]
