import pytest

from labs_mock.serving.worlds import world_parts
from labs_mock.state import World
from labs_mock.state.arrival import Arrival
from labs_mock.state.commit import Commit
from labs_mock.state.memory.store import MemoryStore
from labs_mock.state.record import Record
from labs_mock.testing.refusals import refusals_in
from labs_mock.testing.watched_store import WatchedStore
from tests.support import library, live, result_of

KEY = "lab_of_a_test"
REFUSED = Record(0.0, "GET", "/", "", None, None, (), "", 0, b"x" * 1000, 404, b"{}", 0, (), (), (), 0, 0, None, None)


def made() -> tuple[World, WatchedStore]:
    """A world with the store of a test."""
    parts = world_parts(library(), {"clock": "frozen"}, KEY)
    store = WatchedStore(MemoryStore(parts.initial), key=KEY, own_plan=False)
    return World(parts.settings, parts.library, accounts=parts.accounts, store=store), store


def commit(world: World, record: Record) -> None:
    """Record a request."""
    arrived = result_of(world.store.arrive(Arrival("GET", "/", "", b"", None, api=False, valid=False)))
    result_of(world.store.commit(Commit(arrived.epoch, world.token(), record)))


def test_refusals_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those beyond a number are counted, and none has a body of the request; they are forgotten with the journal."""
    monkeypatch.setattr("labs_mock.testing.watched_store.MAX_REFUSALS", 3)
    world, store = made()
    for _ in range(5):
        commit(world, REFUSED)
    assert [(one.number, one.request) for one in store.refusals] == [(1, None), (2, None), (3, None)]
    assert result_of(refusals_in(world, store, [])) == [
        "GET / -> 404 (3 times)",
        '  meant? then write: with labs_mock.expect(status=404, path="/"):',
        "and 2 more",
    ]
    result_of(store.reset(("journal",)))
    assert result_of(refusals_in(world, store, [])) == []


def test_refusals_that_the_journal_has_dropped_are_known() -> None:
    """The journal has room for 64 MiB; a refusal is remembered without what is large."""
    world, store = made()
    commit(world, REFUSED)
    for _ in range(70):
        commit(world, REFUSED._replace(status=200, path="/" * 1024 * 1024))
    assert result_of(store.records(0, 1))[0].number > 1
    assert len(result_of(refusals_in(world, store, []))) == 2


def test_episodes_are_remembered_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the newest it is known that there were such, though they have expired."""
    monkeypatch.setattr("labs_mock.testing.watched_store.MAX_EPISODES", 2)
    world, store = made()
    with live(world) as server:
        for content in ("one", "two", "three"):
            body = {"collection_slug": "case-management", "scenario_slug": "back-claim", "config": {content: 1}}
            server.client.post("/api/v1/episodes", json=body, headers={"authorization": f"Bearer {KEY}"})
        names = [str(one.episode) for one in result_of(store.records(0, 3))]
        result_of(store.advance_clock(86_400))
        for name in names:
            turn = {"messages": [{"role": "assistant", "content": "Hello."}]}
            path = f"/api/v1/episodes/{name}/turns"
            assert server.client.post(path, json=turn, headers={"authorization": f"Bearer {KEY}"}).status_code == 404
    assert [one.episode for one in store.refusals] == names[:1]
