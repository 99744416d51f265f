from typing import Any

import httpx
import pytest

from labs_mock.state import World
from labs_mock.state.store import WITH
from tests.http.datasets import STATES, TIMED, by_polls, by_the_clock, in_state, with_datasets
from tests.http.test_batch import TEXTS, WHERE, conversation
from tests.http.test_envelope import check_envelope
from tests.support import KEY, Live, live

ADDED = "lab_added"
NORMALISED: dict[str, Any] = {"normalization_key": "run", "normalization_windows": ["3n", "1d"]}
PARTS = ("clock", "keys", "limits", "attempts", "episodes", "normalisation", "datasets", "faults", "journal", "rewards")
FAULT = {"id": "down", "path": "/api/v1/compare", "status": 503}


def a_world() -> World:
    """A world in which everything can be used: scenarios, keys of two organisations, datasets in every status."""
    return with_datasets(*map(in_state, STATES), by_polls(), by_the_clock())


def control(server: Live, method: str, path: str, body: Any = None) -> httpx.Response:
    """A request to the control plane."""
    return server.client.request(method, f"/_mock/{path}", json={} if body is None and method != "GET" else body)


def evaluate(server: Live, text: str = TEXTS[0], key: str = KEY, **fields: Any) -> httpx.Response:
    """An evaluation of one sentence."""
    return server.post("/evaluate", {**WHERE, "messages": conversation(text), **fields}, key=key)


def compare(server: Live, one: str, other: str) -> httpx.Response:
    """A comparison of two sentences."""
    both = {"response_a": {"messages": conversation(one)}, "response_b": {"messages": conversation(other)}}
    return server.post("/compare", {**WHERE, **both})


def use_everything(server: Live) -> str:
    """Leave a trace in every part; the id of an episode."""
    for text in (TEXTS[0], TEXTS[4]):
        evaluate(server, text, **NORMALISED)
    evaluate(server, key="lab_once")
    server.client.get("/nowhere")
    control(server, "POST", "clock/advance", {"seconds": 30})
    control(server, "POST", "keys", {"key": ADDED, "organisation": "b"})
    control(server, "POST", "faults", FAULT)
    control(server, "PATCH", f"datasets/{TIMED}", {"status": "cancelled"})
    return server.episode()


def traces(server: Live, episode: str) -> dict[str, Any]:
    """What can be seen of each part, always in this order, since to look leaves traces of its own."""
    return {
        "journal": control(server, "GET", "requests").json()["count"],
        "rewards": control(server, "GET", "rewards").json()["count"],
        "clock": control(server, "GET", "clock").json(),
        "keys": control(server, "GET", "keys").json(),
        "datasets": [_without_moment(one) for one in control(server, "GET", "datasets").json()["datasets"]],
        "faults": control(server, "GET", "faults").json(),
        "episodes": server.client.get(f"/_mock/episodes/{episode}").status_code,
        "limits": evaluate(server, key="lab_once").status_code,
        "attempts": server.client.get("/nowhere").headers["x-request-id"],
        "normalisation": evaluate(server, **NORMALISED).json()["normalized"],
    }


def _without_moment(dataset: dict[str, Any]) -> dict[str, Any]:
    """A dataset but for the moment from which it counts: after a reset that is the clock's present time."""
    lifecycle = {name: value for name, value in dataset["lifecycle"].items() if name != "since"}
    return {**dataset, "lifecycle": lifecycle}


@pytest.fixture(scope="module")
def known() -> tuple[dict[str, Any], dict[str, Any]]:
    """The traces in a fresh server, and in one in which everything was used."""
    with live(a_world()) as used:
        episode = use_everything(used)
        found = traces(used, episode)
    with live(a_world()) as fresh:
        return traces(fresh, episode), found


def check_reset(known: tuple[dict[str, Any], dict[str, Any]], query: str, *parts: str) -> None:
    """A reset of some parts leaves the traces of a fresh server in them, and the others as they were."""
    fresh, found = known
    with live(a_world()) as server:
        episode = use_everything(server)
        assert control(server, "POST", f"reset{query}").json() == {"reset": list(parts)}
        assert traces(server, episode) == {**found, **{part: fresh[part] for part in parts}}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_can_be_reset_alone(known: tuple[dict[str, Any], dict[str, Any]], part: str) -> None:
    """`?only=` names it, and nothing else changes; with the clock goes what remembers times, with the journal what names requests by number."""
    fresh, found = known
    assert {name for name in found if found[name] != fresh[name]} == set(PARTS)
    check_reset(known, f"?only={part}", part, *WITH.get(part, ()))


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("", PARTS),
        ("?only=journal,episodes", ("episodes", "journal", "rewards")),
        ("?only=faults&only=clock,limits", ("clock", *WITH["clock"], "faults")),
        ("?only=keys,keys", ("keys",)),
    ],
)
def test_several_parts_can_be_reset(
    known: tuple[dict[str, Any], dict[str, Any]], query: str, parts: tuple[str, ...]
) -> None:
    """Joined by commas or named one by one; without any it is all of them."""
    check_reset(known, query, *parts)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("only=jurnal", "only: unknown part; did you mean 'journal'?"),
        ("only=journal,episode", "only: unknown part; did you mean 'episodes'?"),
        ("only=", "only: unknown part; expected one of: clock, keys, limits, attempts, episodes"),
        ("only=journal,", "only: unknown part; expected one of: "),
        ("only=Journal", "only: unknown part; did you mean 'journal'?"),
        ("only=scenarios", "only: unknown part; expected one of: "),
        ("olny=journal", "'olny': unknown parameter; did you mean 'only'?"),
        ("journal", "'journal': unknown parameter; did you mean 'only'?"),
        (f"{KEY}=1", "'lab_*****': unknown parameter"),
    ],
)
def test_a_mistake_resets_nothing(query: str, message: str) -> None:
    """A part or a parameter that is misspelt would otherwise reset too little, or everything (ERR-1, ERR-2)."""
    with live(a_world()) as server:
        server.client.get("/nowhere")
        control(server, "POST", "clock/advance", {"seconds": 30})
        before = [control(server, "GET", path).json() for path in ("requests", "clock")]
        assert check_envelope(control(server, "POST", f"reset?{query}"), 400).startswith(message)
        assert [control(server, "GET", path).json() for path in ("requests", "clock")] == before


def test_the_instance_stays() -> None:
    """A server that was reset is still the same server."""
    with live(a_world()) as server:
        before = control(server, "GET", "health").json()
        assert control(server, "POST", "reset").is_success
        assert control(server, "GET", "health").json() == before
