"""`POST /_mock/requests/verify`, on which `assert_requested` stands."""

from typing import Any

import orjson
import pytest

from labs_mock.redaction import masked
from labs_mock.state.bounds import Bounds
from tests.http.control.test_journal import BODY, EVALUATE
from tests.http.test_envelope import JSON, check_envelope
from tests.support import KEY, Live, live, noise, world

OTHER = "sk.of-another/shape=="
PATH = "/api/v1/*"


def verify(server: Live, path: str = EVALUATE, **fields: Any) -> dict[str, Any]:
    """What the server says of an expectation."""
    response = server.client.post("/_mock/requests/verify", json={"method": "post", "path": path, **fields})
    assert response.status_code == 200, response.text
    verdict: dict[str, Any] = response.json()
    return verdict


def large(server: Live, number: int, size: int = 40_000) -> None:
    """A request with a large body that no compression makes small."""
    content = orjson.dumps({"number": number, "noise": noise(size).hex()})
    server.client.post(EVALUATE, headers=JSON, content=content)


def test_what_was_sent_is_compared_and_what_is_shown_has_no_key(server: Live, pytestconfig: pytest.Config) -> None:
    """A tool called lab_results, the key itself, and a credential that is none: each is found, only the last two are masked.

    In a store outside of the process they are masked by then, and found so.
    """
    masked_there = pytestconfig.getoption("--store") == "redis"
    call = {"type": "artifact", "name": "lab_results", "input": {}}
    messages = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hi.", "tool_calls": [call]}]
    server.post("/evaluate", {**BODY, "messages": messages})
    server.post("/evaluate", {**BODY, "note": f"{KEY} it is"})
    server.post("/evaluate", {**BODY, "note": f"{OTHER} it is"}, key=OTHER)
    (found,) = verify(server, json={"messages": messages})["requests"]
    assert found["request"]["messages"][1]["tool_calls"] == [call]
    for key in (KEY, OTHER):
        response = verify(server, json={"note": f"{masked(key) if masked_there else key} it is"})
        assert (response["verdict"], len(response["requests"])) == ("met", 1)
        assert key not in orjson.dumps(response).decode()
    unmet = verify(server, json={"note": KEY, KEY: 1})
    assert (unmet["verdict"], unmet["requests"]) == ("unmet", [])
    assert unmet["expected"] == {
        "method": "post",
        "path": EVALUATE,
        "times": None,
        "json": {"note": "lab_*****", "lab_*****": 1},
    }
    assert [near["differs_at"] for near in unmet["nearest"]] == ["note"] * 3
    assert KEY not in orjson.dumps(unmet).decode()


@pytest.mark.parametrize("size", [70_000, 2_000_000])
def test_a_large_body_is_compared_whole(server: Live, size: int) -> None:
    """Above 64 KiB as below, its last field as its first."""
    server.client.post(EVALUATE, headers=JSON, content=orjson.dumps({**BODY, "pad": "x" * size, "last": 1}))
    assert verify(server, json={"last": 1})["verdict"] == "met"
    assert verify(server, json={"last": 2})["verdict"] == "unmet"


def test_a_body_that_was_dropped_makes_an_expectation_undecidable() -> None:
    """Unless what is left decides by itself: enough was found, or too much, or the body does not matter."""
    bounded = world(bounds=Bounds(journal=200_000))
    with live(bounded) as server:
        for number in range(3):
            large(server, number)
        assert verify(server, json={"number": 2})["verdict"] == "met"
        lost = verify(server, json={"number": 0})
        assert (lost["verdict"], lost["bodies_dropped"], lost["requests_dropped"]) == ("undecidable", [1], 0)
        assert verify(server, json={"number": 2}, times=1)["verdict"] == "undecidable"
        assert verify(server, json={"number": 2}, times=3)["verdict"] == "unmet"
        assert verify(server, json={"number": 2}, times=0)["verdict"] == "unmet"
        assert verify(server, times=3)["verdict"] == "met"
        assert verify(server, "/api/v1/compare", json={"number": 0})["verdict"] == "unmet"


def test_a_request_that_was_dropped_makes_an_expectation_undecidable() -> None:
    """It may have been the one; what was found is still enough where once is enough."""
    bounded = world(bounds=Bounds(records=2))
    with live(bounded) as server:
        for path in ("evaluate", "compare", "compare"):
            server.client.post(f"/api/v1/{path}", headers=JSON, content=b"{}")
        lost = verify(server)
        assert (lost["verdict"], lost["requests_dropped"]) == ("undecidable", 1)
        assert verify(server, PATH)["verdict"] == "met"
        assert verify(server, PATH, times=3)["verdict"] == "undecidable"
        assert verify(server, PATH, times=4)["verdict"] == "unmet"


def test_a_mistake_in_an_expectation_names_its_field(server: Live) -> None:
    """As everywhere (ERR-1, ERR-2)."""
    for body, message in (
        ({"method": "GET"}, "path: is required"),
        ({"method": "GET", "path": "/", "jsn": 1}, "jsn: is not a known name"),
        ({"method": "GET", "path": "/", "times": -1}, "times: expected a number of at least 0"),
    ):
        refused = server.client.post("/_mock/requests/verify", json=body)
        assert check_envelope(refused, 400).startswith(message)
