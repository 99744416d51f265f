from collections.abc import Iterator
from typing import Any

import pytest

from labs_mock.config.server_file import KeyEntry
from tests.http.control.test_findings import DONE, FIRST, WHERE
from tests.support import CLAIM, KEY, Live, live, world

OTHER = "lab_other"
Listed = list[dict[str, Any]]


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    """Episodes of two organisations and two scenarios: open, completed and ended, of which one has findings."""
    keys = [KeyEntry(key=KEY, organisation="local"), KeyEntry(key=OTHER, organisation="acme")]
    with live(world(keys=keys)) as served:
        added = {"collection_slug": "finance", "scenario_slug": "other", "scenario": CLAIM}
        served.client.post("/_mock/scenarios", json=added).raise_for_status()
        first, second = served.episode(), served.episode(collection_slug="finance", scenario_slug="other")
        third = served.post("/episodes", WHERE, key=OTHER).json()["episode_id"]
        fourth = served.episode(score_turns=True)
        served.turn(first, FIRST, surprise=1)
        served.turn(second, DONE)
        served.turn(fourth, FIRST)
        served.client.post(f"/_mock/episodes/{third}/terminate", json={}).raise_for_status()
        yield served


def page(server: Live, **query: str | int) -> tuple[Listed, str | None]:
    """A page of the list, and where the next one begins."""
    listed = server.client.get("/_mock/episodes", params=query).raise_for_status().json()
    assert set(listed) == {"episodes", "next"}
    return listed["episodes"], listed["next"]


def test_an_episode_is_listed_as_it_is_shown(server: Live) -> None:
    """Without what was said in it; the one with the newest turn first."""
    listed, more = page(server)
    assert more is None
    assert [one["turn"] for one in listed] == [1, 1, 1, 0]
    for one in listed:
        shown = server.client.get(f"/_mock/episodes/{one['id']}").json()
        assert {**shown, **one} == shown
        assert set(shown) - set(one) == {"transcript", "context", "explanation"}


FILTERED: list[tuple[dict[str, str], list[tuple[str, str | None]]]] = [
    ({"scenario": "other"}, [("other", "completed")]),
    ({"scenario": "finance/other"}, [("other", "completed")]),
    ({"scenario": "finance/back-claim"}, []),
    ({"organisation": "acme"}, [("back-claim", "client_terminated")]),
    ({"state": "open"}, [("back-claim", None), ("back-claim", None)]),
    ({"state": "ended"}, [("other", "completed"), ("back-claim", "client_terminated")]),
    ({"state": "completed"}, [("other", "completed")]),
    ({"state": "ended", "organisation": "local"}, [("other", "completed")]),
    ({"finding": "unknown_field"}, [("back-claim", None)]),
    ({"finding": "episode_unfinished"}, [("back-claim", None), ("back-claim", None)]),
    ({"finding": "episode_unfinished", "state": "ended"}, []),
]


@pytest.mark.parametrize(("filters", "expected"), FILTERED)
def test_episodes_can_be_chosen(server: Live, filters: dict[str, str], expected: list[tuple[str, str | None]]) -> None:
    """By scenario, organisation, state, and a finding on one of their requests or over several; filters go together."""
    listed, _ = page(server, **filters)
    assert [(one["scenario_slug"], one["terminal_reason"]) for one in listed] == expected


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 1_000])
@pytest.mark.parametrize("state", [{}, {"state": "open"}])
def test_pages_are_the_whole_list(server: Live, limit: int, state: dict[str, str]) -> None:
    """Each begins behind the one before; none has more than the limit, and the last one says that it is the last."""
    whole, _ = page(server, **state)
    listed, more = page(server, limit=limit, **state)
    while more is not None:
        assert listed[-1]["id"] == more
        following, more = page(server, limit=limit, before=more, **state)
        assert 0 < len(following) <= limit
        listed += following
    assert listed == whole


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "limit: expected 1 to 1,000"),
        ("limit=1001", "limit: expected 1 to 1,000"),
        ("limit=ten", "limit: expected a whole number"),
        ("before=ep_none", "before: no episode 'ep_none'; leave it out, and begin with the first page"),
        ("organization=acme", "organization: unknown filter; did you mean 'organisation'?"),
    ],
)
def test_bad_queries_are_refused(server: Live, query: str, message: str) -> None:
    """With what to write."""
    response = server.client.get(f"/_mock/episodes?{query}")
    assert (response.status_code, response.json()["message"]) == (400, message)
