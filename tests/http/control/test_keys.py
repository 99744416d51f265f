import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from labs_mock.config.server_file import KeyEntry
from labs_mock.ids import key_id
from tests.http.test_envelope import check_envelope
from tests.support import KEY, Live, live, world

WHERE = {"collection_slug": "case-management", "scenario_slug": "back-claim"}
BODY = {**WHERE, "messages": [{"role": "assistant", "content": "Tell me what happened."}]}
NEW = {"key": "lab_second", "organisation": "acme"}


@pytest.fixture
def served() -> Iterator[Live]:
    """A server with a fresh world, whose one key is `lab_local`."""
    with live(world()) as server:
        yield server


def add(server: Live, **terms: Any) -> httpx.Response:
    """Add the key `lab_second`."""
    return server.client.post("/_mock/keys", json={**NEW, **terms})


def change(server: Live, **terms: Any) -> httpx.Response:
    """Change the terms of `lab_second`."""
    return server.client.patch("/_mock/keys/lab_second", json=terms)


def response(server: Live, path: str = "/evaluate", body: Any = BODY) -> httpx.Response:
    """A request with the key `lab_second`."""
    return server.post(path, body, key="lab_second")


def test_a_key_that_is_added_is_valid_at_once(served: Live) -> None:
    """A new key works from the next request on, with the default terms; a reset takes it away again (AUTH-1)."""
    assert response(served).status_code == 401
    assert add(served).json() == {
        "key": "lab_******",
        "key_id": key_id("lab_second"),
        "name": None,
        "organisation": "acme",
        "requests_per_minute": 1_000_000,
        "subscriptions": "*",
        "score_access": "full",
        "expires": None,
        "revoked": False,
    }
    assert response(served).status_code == 200
    served.reset()
    assert response(served).status_code == 401
    assert served.post("/evaluate", BODY).status_code == 200


def test_revocation_is_immediate_and_can_be_taken_back(served: Live) -> None:
    """A revoked key gets 401 from the next request on; so does one that expires, on the server's clock (AUTH-1)."""
    add(served)
    assert change(served, revoked=True).json()["revoked"] is True
    assert response(served).status_code == 401
    change(served, revoked=False)
    assert response(served).status_code == 200
    assert change(served, expires="2026-01-01T00:01:00Z").json()["expires"] == "2026-01-01T00:01:00Z"
    served.advance(59)
    assert response(served).status_code == 200
    served.advance(1)
    assert response(served).status_code == 401
    change(served, expires=None)
    assert response(served).status_code == 200


def test_plans_subscriptions_and_score_access_change(served: Live) -> None:
    """Each term takes effect by itself and leaves the others as they were (AUTH-2, AUTH-3, RL-2)."""
    add(served, plan="premium")
    assert response(served).headers["x-ratelimit-limit"] == "300"
    change(served, score_access="reward")
    assert "scores" not in response(served).json()
    change(served, score_access="scores")
    assert "score_breakdown" not in response(served).json()
    assert "scores" in response(served).json()
    change(served, subscriptions=[])
    assert check_envelope(response(served), 403) == "No active subscription for collection"
    change(served, subscriptions=["case-management"])
    change(served, requests_per_minute=1)
    assert response(served).status_code == 429
    assert change(served, plan="standard").json() == {
        "key": "lab_******",
        "key_id": key_id("lab_second"),
        "name": None,
        "organisation": "acme",
        "requests_per_minute": 60,
        "subscriptions": ["case-management"],
        "score_access": "scores",
        "expires": None,
        "revoked": False,
    }


def test_keys_are_listed_and_never_shown() -> None:
    """The list has every key with its terms; no response of the control plane shows a key in full."""
    keys = [KeyEntry(key="lab_first_of_all", organisation="a"), KeyEntry(key="lab_other", organisation="b")]
    with live(world(keys=keys)) as server:
        add(server)
        listed = server.client.get("/_mock/keys")
        texts = [listed.text, add(server).text, change(server, revoked=True).text, change(server, plan="x").text]
        texts.append(server.client.patch("/_mock/keys/lab_unknown_one", json={}).text)
    assert [one["organisation"] for one in listed.json()["keys"]] == ["a", "b", "acme"]
    assert not re.findall(r"lab_[a-z]+", " ".join(texts))


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("POST", {}, "key: is required; organisation: is required"),
    ("POST", {"key": "sk-1", "organisation": "a"}, "key: "),
    ("POST", {"key": KEY, "organisation": "a"}, "key: this key exists; change it with PATCH"),
    ("POST", {**NEW, "plan": "gold"}, "plan: expected 'standard', 'premium' or 'enterprise', got 'gold'"),
    ("POST", {**NEW, "plan": "standard", "requests_per_minute": 5}, "plan: 'plan' beside 'requests_per_minute'"),
    ("POST", {**NEW, "requests_per_minute": 0}, "requests_per_minute: expected a number of at least 1, got 0"),
    ("POST", {**NEW, "expires": "soon"}, "expires: not a time; expected an ISO 8601 time"),
    ("POST", {**NEW, "subscriptions": ["case-managment"]}, "did you mean 'case-management'?"),
    ("POST", {**NEW, "score_access": "all"}, "score_access: "),
    ("POST", {**NEW, "revoked": "no"}, "revoked: expected true or false, got 'no'"),
    ("PATCH", {"organisation": "b"}, "organisation: is not a known name"),
    ("PATCH", {"key": "lab_x"}, "key: is not a known name"),
]


@pytest.mark.parametrize(("method", "body", "message"), BAD)
def test_bad_terms_are_refused_and_change_nothing(served: Live, method: str, body: Any, message: str) -> None:
    """A refusal names the field and says what to send; the keys stay as they were (ERR-1, ERR-2)."""
    before = served.client.get("/_mock/keys").json()
    response = served.client.request(method, "/_mock/keys" if method == "POST" else f"/_mock/keys/{KEY}", json=body)
    assert message in check_envelope(response, 400)
    assert served.client.get("/_mock/keys").json() == before


def test_what_is_not_there(served: Live) -> None:
    """An unknown key is 404, a write without JSON 400, another method 405, and all 404 without the control plane."""
    check_envelope(served.client.patch("/_mock/keys/lab_nobody", json={}), 404)
    check_envelope(served.client.post("/_mock/keys", content=b"{}"), 400)
    assert (
        check_envelope(served.client.request("DELETE", "/_mock/keys", json={}), 405)
        == "Method not allowed; use GET, HEAD, POST"
    )
    with live(world(control=False)) as closed:
        check_envelope(closed.client.get("/_mock/keys"), 404)
        check_envelope(add(closed), 404)
