import time
from collections.abc import Iterator
from http.cookies import SimpleCookie

import httpx
import pytest

from labs_mock import clock
from labs_mock.http.control.session_cookie import LIFETIME, NAME, session_cookie
from tests.support import KEY, Live, live, world

UI, SESSION, CLOCK = "/_mock/ui", "/_mock/session", "/_mock/clock"
TOKEN = "0pen, sésame"
ELSEWHERE = {"host": "mock.example:8765", "x-forwarded-for": "203.0.113.7"}


@pytest.fixture(scope="module")
def shared_guarded() -> Iterator[Live]:
    """A server with a token."""
    with live(world(control_token=TOKEN)) as running:
        yield running


@pytest.fixture
def guarded(shared_guarded: Live) -> Live:
    """The same as new, and a client without cookies."""
    shared_guarded.client.cookies.clear()
    return shared_guarded


def log_in(server: Live, token: str = TOKEN) -> httpx.Response:
    """What the server answers to a token."""
    return server.client.post(SESSION, json={"token": token}, headers={"origin": server.url})


def cookie(token: str) -> dict[str, str]:
    """The header of a request in a session that begins now."""
    return {"cookie": session_cookie(token).partition(";")[0]}


def test_without_a_session_pages_lead_to_the_login(guarded: Live) -> None:
    """Every page does, and back; what is no page is a 401, and the login needs nothing that wants one itself."""
    for path in (UI, f"{UI}/requests?status=400&path=%2F*", f"{UI}/nothing"):
        response = guarded.client.get(path, headers=ELSEWHERE)
        assert response.status_code == 303
        location = httpx.URL(response.headers["location"])
        assert location.path == f"{UI}/login"
        assert location.params["next"] == path.replace("%2F", "%2F")
    assert guarded.client.get("/_mock/clock").status_code == 401
    assert guarded.client.post(f"{UI}/faults", json={"kind": "close"}).status_code == 401
    page = guarded.client.get(f"{UI}/login?next={UI}/faults", headers=ELSEWHERE)
    assert page.status_code == 200
    assert f'data-next="{UI}/faults"' in page.text
    assert "2026-01-01" not in page.text
    for name in ("inspector.css", "forms.js"):
        assert guarded.client.get(f"{UI}/static/{name}", headers=ELSEWHERE).status_code == 200


def test_the_login_leads_to_no_other_server(guarded: Live) -> None:
    """What it leads to is a page of the inspector."""
    for wanted in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/api/v1"):
        page = guarded.client.get(f"{UI}/login", params={"next": wanted})
        assert f'data-next="{UI}"' in page.text


def test_the_cookie_stands_for_the_token(guarded: Live) -> None:
    """With it pages and the control plane answer, from anywhere, and after the logout no longer."""
    response = log_in(guarded)
    assert response.status_code == 200
    sent = SimpleCookie(response.headers["set-cookie"])[NAME.decode()]
    assert (sent["httponly"], sent["samesite"], sent["path"], sent["max-age"]) == (True, "Strict", "/_mock", "43200")
    assert TOKEN not in response.headers["set-cookie"]
    assert guarded.client.get(UI, headers=ELSEWHERE).status_code == 200
    assert guarded.client.get(CLOCK).status_code == 200
    advance = {"seconds": 1}
    assert guarded.client.post(f"{CLOCK}/advance", json=advance, headers={"origin": guarded.url}).status_code == 200
    assert (
        guarded.client.post(f"{CLOCK}/advance", json=advance, headers={"origin": "https://evil.example"}).status_code
        == 403
    )
    assert guarded.client.post(f"{CLOCK}/advance", content=b'{"seconds": 1}').status_code == 400
    assert guarded.client.request("DELETE", SESSION, json={}).status_code == 200
    assert not guarded.client.cookies
    assert guarded.client.get(CLOCK).status_code == 401


@pytest.mark.parametrize("token", ["", "sesame", TOKEN[:-1], f"{TOKEN} ", KEY, "\u202e" * 9])
def test_another_token_gets_none(guarded: Live, token: str) -> None:
    """A 401 without a cookie, in which the token cannot be read."""
    response = log_in(guarded, token)
    assert response.status_code == 401
    assert "set-cookie" not in response.headers
    assert TOKEN not in response.text


def test_only_a_page_of_this_server_logs_in(guarded: Live) -> None:
    """As JSON, and from no other origin; whatever else is sent is a 400 without a token in it."""
    body = {"token": TOKEN}
    assert guarded.client.post(SESSION, data=body).status_code == 400
    assert guarded.client.post(SESSION, json=body, headers={"origin": "https://evil.example"}).status_code == 403
    assert guarded.client.request("DELETE", SESSION, json={}, headers={"origin": "null"}).status_code == 403
    for wrong in ({"tokn": TOKEN}, {"token": [TOKEN]}, [TOKEN], {"token": TOKEN, "x": TOKEN}):
        response = guarded.client.post(SESSION, json=wrong)
        assert response.status_code == 400
        assert "set-cookie" not in response.headers
        assert TOKEN not in response.text


def test_a_forged_cookie_is_none(guarded: Live) -> None:
    """Neither another end, nor the cookie of another token, nor something that is none."""
    name, _, value = cookie(TOKEN)["cookie"].partition("=")
    end, _, signature = value.partition(".")
    assert guarded.client.get(CLOCK, headers={"cookie": f"a=b; {name}={value}; c"}).status_code == 200
    for forged in (
        f"{int(end) + 1}.{signature}",
        f"{end}.{signature[:-1]}0x",
        f"{end}.",
        f".{signature}",
        "",
        "é",
        f"+{end}.{signature}",
    ):
        assert guarded.client.get(CLOCK, headers={b"cookie": f"{name}={forged}".encode("latin-1")}).status_code == 401
    assert guarded.client.get(CLOCK, headers=cookie("another token")).status_code == 401


def test_a_session_ends_after_twelve_hours(guarded: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the computer's time: what the server's clock shows, and how it runs, has no say in it."""
    session = cookie(TOKEN)
    guarded.client.post(f"{CLOCK}/advance", json={"seconds": 10 * LIFETIME}, headers=session)
    assert guarded.client.get(CLOCK, headers=session).status_code == 200
    monkeypatch.setattr(clock, "computer_time", lambda: time.time() + LIFETIME - 60)
    assert guarded.client.get(CLOCK, headers=session).status_code == 200
    monkeypatch.setattr(clock, "computer_time", lambda: time.time() + LIFETIME + 60)
    assert guarded.client.get(CLOCK, headers=session).status_code == 401


def test_every_server_with_the_token_takes_the_cookie(guarded: Live) -> None:
    """So do all workers: it is signed with the token, and nothing of it is stored."""
    with live(world(control_token=TOKEN, seed=7)) as another, live(world(control_token="new")) as changed:
        session = cookie(TOKEN)
        assert [one.client.get(CLOCK, headers=session).status_code for one in (guarded, another, changed)] == [
            200,
            200,
            401,
        ]


def test_without_a_token_nobody_logs_in(server: Live) -> None:
    """There is no need to, no cookie, and the guard is that of peers."""
    response = server.client.post(SESSION, json={"token": ""})
    assert response.status_code == 400
    assert "set-cookie" not in response.headers
    assert server.client.get(CLOCK, headers={**cookie(""), **ELSEWHERE}).status_code == 403
    assert server.client.get(f"{UI}/login", headers=ELSEWHERE).status_code == 403
    assert "Log out" not in server.client.get(UI).text
