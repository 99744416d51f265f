from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labs_mock.config.fault_entry import KINDS
from labs_mock.config.library import load_library, shipped_library
from labs_mock.config.server_file import KeyEntry, ServerFile
from labs_mock.contract.operations import OPERATIONS
from labs_mock.state import World
from tests.http.test_envelope import check_envelope
from tests.support import KEY, Live, live, world

BY_HAND = "0a9d5c7e-3e21-4b6f-b8f0-62d4e1a7c938"
EVALUATE = "/api/v1/evaluate"
PLAN: list[dict[str, Any]] = [
    {"id": "down", "path": EVALUATE, "nth": 2, "status": 503},
    {"method": "GET", "delay": {"low": 0, "high": 0}},
]
NO_PATH = "path: no operation of the API has a path like this"


@pytest.fixture(scope="module")
def shipped() -> Iterator[Live]:
    """A server of the shipped library with a plan of two faults."""
    known = load_library(shipped_library())
    server = ServerFile.model_validate({"faults": PLAN})
    with live(World(world().settings, replace(known, server=server))) as running:
        yield running


@pytest.fixture
def served(shipped: Live) -> Live:
    """The same with its world as new."""
    shipped.reset()
    return shipped


def add(server: Live, **fault: Any) -> dict[str, Any]:
    """Add a fault; how it is shown."""
    response = server.client.post("/_mock/faults", json=fault)
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()
    return result


def plan(server: Live) -> list[dict[str, Any]]:
    """The plan as it is listed."""
    return list(server.client.get("/_mock/faults").json()["faults"])


def remove(server: Live, name: str = "") -> Any:
    """Remove a fault, or all of them."""
    return server.client.request("DELETE", f"/_mock/faults{name and '/'}{name}", json={})


def statuses(server: Live, count: int, path: str = EVALUATE) -> list[int]:
    """The statuses of some requests without a body, which are 400 if no fault comes first."""
    return [server.post(path.removeprefix("/api/v1"), {}).status_code for _ in range(count)]


def shown(name: str, fault: dict[str, Any], matched: int = 0, applied: int = 0) -> dict[str, Any]:
    """A fault as it is shown, if it has no warnings."""
    return {"id": name, **fault, "matched": matched, "applied": applied, "warnings": []}


def test_the_plan_of_the_start_is_in_force_and_listed(served: Live) -> None:
    """The faults of `server.yaml` come first, as they were written; those without an id get one."""
    assert plan(served) == [shown("down", PLAN[0]), shown("fault-2", PLAN[1])]
    assert statuses(served, 3) == [400, 503, 400]
    assert plan(served) == [shown("down", PLAN[0], 3, 1), shown("fault-2", PLAN[1])]


def test_a_fault_is_in_force_once_it_is_added(served: Live) -> None:
    """From the next request on; it is shown as in the list, with how often it fitted and was applied."""
    assert add(served, path="/api/v1/comp*", every=2, status=500) == plan(served)[2]
    assert plan(served)[2] == shown("fault-3", {"path": "/api/v1/comp*", "every": 2, "status": 500})
    assert statuses(served, 5, "/api/v1/compare") == [400, 500, 400, 500, 400]
    assert [(one["matched"], one["applied"]) for one in plan(served)] == [(0, 0), (0, 0), (5, 2)]


def test_a_fault_replaces_the_one_with_its_id(served: Live) -> None:
    """The new one stands in the place of the old one and counts anew."""
    statuses(served, 2)
    assert add(served, id="down", path=EVALUATE, first=1, status=429) == plan(served)[0]
    assert [one["id"] for one in plan(served)] == ["down", "fault-2"]
    assert statuses(served, 3) == [429, 400, 400]


def test_faults_are_removed_by_id_or_all_at_once(served: Live) -> None:
    """The response is what is left; from the next request on they are applied to no request. An unknown id is 404."""
    assert remove(served, "down").json() == {"faults": plan(served)}
    assert [one["id"] for one in plan(served)] == ["fault-2"]
    assert "GET /_mock/faults" in check_envelope(remove(served, "down"), 404)
    assert statuses(served, 2) == [400, 400]
    assert remove(served).json() == {"faults": []} == {"faults": plan(served)}
    assert remove(served).json() == {"faults": []}


@pytest.mark.parametrize("part", ["", "?only=faults"])
def test_a_reset_brings_the_plan_of_the_start_back(served: Live, part: str) -> None:
    """With nothing counted, whatever was added, replaced or removed."""
    before = plan(served)
    statuses(served, 2)
    add(served, id="down", close=True)
    add(served, close=True)
    remove(served, "fault-2")
    assert served.client.post(f"/_mock/reset{part}", json={}).status_code == 200
    assert plan(served) == before
    assert statuses(served, 2) == [400, 503]


def test_the_control_plane_is_never_befallen(served: Live) -> None:
    """A fault for everything is for everything of the API, unknown paths and bad keys too, and for nothing else."""
    add(served, path="*", status=503)
    assert served.client.get("/api/v1/nowhere").status_code == 503
    assert served.client.get("/api/v1/catalog").status_code == 503
    for path in ("/_mock/health", "/_mock/faults", "/openapi.json"):
        assert served.client.get(path).status_code == 200
    assert plan(served)[2]["matched"] == 2


ONE_OF_ALL = f"expected exactly one of: {', '.join(KINDS)}"
BAD: list[tuple[dict[str, Any], str]] = [
    ({}, f"body: nothing that happens; {ONE_OF_ALL}"),
    ({"path": EVALUATE, "nth": 2}, "body: nothing that happens; "),
    ({"status": None}, "body: nothing that happens; "),
    ({"stauts": 503}, "stauts: unknown key 'stauts'; did you mean 'status'?"),
    ({"pth": EVALUATE, "status": 503}, "pth: unknown key 'pth'; did you mean 'path'?"),
    ({"explode": True}, "explode: unknown key 'explode'; expected one of: id, method, path"),
    ({"status": 503, "close": True}, f"close: several things that happen; {ONE_OF_ALL}"),
    ({"reset": 10, "stall": 10, "cut": 10}, "cut: several things that happen; "),
    ({"status": 503, "nth": 1, "share": 0.5}, "share: several rules of when; expected one of: nth, every, first"),
    ({"delay": -0.5}, "delay: not a good value: -0.5; expected at least 0"),
    ({"delay": {"low": 1}}, "delay.high: 'high' is missing; "),
    ({"delay": {"low": 2, "high": 1}}, "delay.high: 'high' below 'low'; expected low to high"),
    ({"delay": {"median": 1, "sigam": 1}}, "delay.sigam: unknown key 'sigam'; did you mean 'sigma'?"),
    ({"delay": {"median": -1, "sigma": 1}}, "delay.median: not a good value: -1; expected at least 0"),
    ({"before": "body", "status": 500}, "before: 'before' without 'delay'; expected it beside 'delay' only"),
    ({"message": "Down", "close": True}, "message: 'message' without 'status'; "),
    ({"status": 200}, "status: not a good value: 200; expected at least 400"),
    ({"reset": "had"}, "reset: not a good value: 'had'; did you mean 'head'?"),
    ({"reset": -1}, "reset: not a good value: -1; expected at least 0"),
    ({"path": "evaluate", "status": 500}, "path: not a good value: 'evaluate'; expected text that matches"),
    ({"path": "/api/v1/episodes/{id}/turns", "status": 500}, "path: not a good value: "),
    ({"content_type": "a\r\nb: c"}, "content_type: not a good value: "),
    ({"share": 0, "close": True}, "share: not a good value: 0; expected more than 0"),
    ({"id": "A b", "close": True}, "id: not a good value: 'A b'; "),
    ({"row_count": 0}, "row_count: a count that is right; expected another number than 0"),
    ({"nth": 0, "every": 0, "first": 0, "attempts": 0}, "nth: not a good value: 0; expected at least 1; every: "),
]


@pytest.mark.parametrize(("fault", "message"), BAD)
def test_a_bad_fault_is_refused_and_changes_nothing(served: Live, fault: dict[str, Any], message: str) -> None:
    """The refusal names the field and says what was expected; plan and counts stay as they were (ERR-1, ERR-2)."""
    statuses(served, 1)
    before = plan(served)
    result = check_envelope(served.client.post("/_mock/faults", json={"id": "down", **fault}), 400)
    assert result.startswith(message)
    assert plan(served) == before
    assert statuses(served, 1) == [503]


def test_a_refusal_is_short_and_shows_no_key(served: Live) -> None:
    """Neither a long name nor a key is repeated (ERR-2)."""
    long = served.client.post("/_mock/faults", json={"x" * 5_000: 1, "status": 500})
    assert check_envelope(long, 400).count("x") <= 150
    for fault in ({KEY: 1}, {"method": f"Bearer {KEY}"}, {"path": KEY}):
        assert KEY not in check_envelope(served.client.post("/_mock/faults", json=fault), 400)


def test_null_is_absence(served: Live) -> None:
    """A field with null is as if it were not there, as in the API (GEN-5)."""
    result = add(served, id="x", path=None, nth=None, every=2, status=None, close=True)
    assert result == shown("x", {"every": 2, "close": True})


@pytest.mark.parametrize("content", [b"[]", b"503", b"{", b""])
def test_what_is_no_object_is_refused(served: Live, content: bytes) -> None:
    """A fault is a JSON object, and other methods than those of a plan are 405."""
    before = plan(served)
    headers = {"content-type": "application/json"}
    check_envelope(served.client.post("/_mock/faults", content=content, headers=headers), 400)
    check_envelope(served.client.post("/_mock/faults", content=b'{"close": true}'), 400)
    assert "GET, HEAD, POST" in check_envelope(served.client.put("/_mock/faults", json={}), 405)
    assert plan(served) == before


WARNINGS: list[tuple[dict[str, Any], list[str]]] = [
    ({"path": "/api/v1/evaluate"}, []),
    ({"path": "*"}, []),
    ({"path": "*/turns"}, []),
    ({"path": "/api/v1/episodes/ep_*"}, []),
    ({"path": "/api/v1/*/ep_0/*"}, []),
    ({"path": "/api/v1/episodes/*/turns"}, []),
    ({"path": f"/api/v1/training-datasets/{BY_HAND}/export"}, []),
    ({"path": "/api/v1/evalute"}, [NO_PATH]),
    ({"path": "/api/v1/evaluate/"}, [NO_PATH]),
    ({"path": "/api/v1/episodes/*/turn"}, [NO_PATH]),
    ({"path": "/API/*"}, [NO_PATH]),
    ({"path": "/_mock/*"}, [NO_PATH]),
    ({"method": "POST", "path": "/api/v1/evaluate"}, []),
    ({"method": "GET", "path": "/api/v1/evaluate"}, [f"{NO_PATH} and this method"]),
    ({"dataset": BY_HAND.upper()}, []),
    ({"dataset": "by-hand"}, ["dataset: no dataset has this id"]),
    ({"organisation": "local"}, []),
    ({"organisation": "acme"}, ["organisation: no key belongs to it"]),
    ({"key": KEY}, []),
    ({"key": "lab_other"}, ["key: there is no such key"]),
    ({"collection_slug": "coaching", "scenario_slug": "weekly-check-ins"}, []),
    ({"collection_slug": "coachign"}, ["collection_slug: no scenario is called so"]),
    ({"collection_slug": "finance", "scenario_slug": "weekly-check-ins"}, ["scenario_slug: no scenario is called so"]),
]


@pytest.mark.parametrize(("filters", "warnings"), WARNINGS)
def test_a_filter_that_matches_nothing_is_a_warning(served: Live, filters: dict[str, Any], warnings: list[str]) -> None:
    """The fault is added all the same; its warnings are in the response and in the list."""
    assert add(served, close=True, **filters)["warnings"] == warnings == plan(served)[2]["warnings"]


PATHS = [operation.full_path.replace("{id}", name) for operation in OPERATIONS for name in ("ep_0", BY_HAND)]


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """A path of the API with parts of it replaced by *, and perhaps misspelt."""
    path = draw(st.sampled_from(PATHS))
    for _ in range(draw(st.integers(0, 3))):
        start, length = draw(st.integers(1, len(path))), draw(st.integers(0, 12))
        path = path[:start] + draw(st.sampled_from("**x")) + path[start + length :]
    return path


@given(patterns())
@example("/*a*v*e*e*e*e*e*x")
@example("*" * 200)
def test_a_pattern_that_fits_a_path_has_no_finding(shipped: Live, pattern: str) -> None:
    """Whatever the pattern: if some request to the API matches it, there is no warning that none does."""
    result = add(shipped, id="pattern", path=pattern, close=True)
    if any(fnmatchcase(path, pattern) for path in PATHS):
        assert result["warnings"] == []


def test_a_fault_for_a_key_befalls_that_key_alone_and_shows_it_to_nobody() -> None:
    """Requests with another key, or with none that is valid, are not changed; the plan shows the key as the journal does (ERR-2)."""
    keys = [KeyEntry(key=name, organisation="acme") for name in (KEY, "lab_other")]
    with live(world(keys=keys)) as server:
        result = add(server, key="lab_other", path=EVALUATE, status=503)
        assert result["key"] == plan(server)[0]["key"] == "lab_*****"
        assert [server.post("/evaluate", {}, key=key).status_code for key in (KEY, "lab_other", None)] == [
            400,
            503,
            401,
        ]
        assert (plan(server)[0]["matched"], plan(server)[0]["applied"]) == (1, 1)
