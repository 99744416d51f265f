"""A server whose state is in Redis: what its requests ask of that, and what they get when it is full or gone."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from redis import Redis

from labs_mock.contract.limits import PLANS
from tests.state.redis_server import MISSING, RedisStores, redis_is_installed, redis_stores
from tests.state.samples import ID, dataset
from tests.support import KEY, Live, live, result_of, world

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not redis_is_installed(), reason=MISSING)]

EVALUATE = {
    "collection_slug": "case-management",
    "scenario_slug": "back-claim",
    "messages": [{"role": "assistant", "content": "Hello."}],
}


@pytest.fixture
def stores() -> Iterator[RedisStores]:
    """A Redis for a test."""
    with redis_stores() as made:
        yield made


@pytest.fixture
def running(stores: RedisStores, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """A server whose state is in it."""
    monkeypatch.setattr("labs_mock.state.world.MemoryStore", stores.make)
    with live(world()) as server:
        yield server


REQUESTS: dict[str, tuple[int, str, dict[str, Any] | None]] = {
    "evaluation": (2, "/evaluate", EVALUATE),
    "normalised": (3, "/evaluate", {**EVALUATE, "normalization_key": "a", "normalization_windows": ["7d", "9n"]}),
    "batch": (2, "/batch/evaluate", {"items": [{"id": f"{n}", **EVALUATE} for n in range(9)]}),
    "comparison": (
        2,
        "/compare",
        {
            **{name: EVALUATE[name] for name in ("collection_slug", "scenario_slug")},
            **{name: {"messages": EVALUATE["messages"]} for name in ("response_a", "response_b")},
        },
    ),
    "episode": (2, "/episodes", {name: EVALUATE[name] for name in ("collection_slug", "scenario_slug")}),
    "turn": (3, "/episodes/{episode}/turns", {"messages": EVALUATE["messages"]}),
    "unknown episode": (3, "/episodes/ep_unknown/turns", {"messages": EVALUATE["messages"]}),
    "bad body": (2, "/evaluate", {}),
    "catalog": (2, "/catalog", None),
    "key": (2, "/key", None),
    "status": (3, f"/training-datasets/{ID}/status", None),
    "export": (3, f"/training-datasets/{ID}/export", None),
    "unknown dataset": (2, f"/training-datasets/{ID[::-1]}/status", None),
    "unknown path": (2, "/nothing", None),
}


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_request_takes_at_most_three_operations(running: Live, kind: str) -> None:
    """It arrives, loads what it needs, and commits what it changes; without state of its own it loads nothing."""
    episode = running.episode()
    operations, path, body = REQUESTS[kind]
    running.client.headers["authorization"] = f"Bearer {KEY}"
    result_of(running.world.store.add_dataset(dataset()))
    assert [ask(running, path.format(episode=episode), body) for _ in range(2)][1] == operations


def ask(running: Live, path: str, body: dict[str, Any] | None) -> int:
    """Send a request; how many operations it took. The first one of a process also loads the library."""
    store: Any = running.world.store
    before = store.operation_count
    place = f"/api/v1{path}"
    response = running.client.get(place) if body is None else running.client.post(place, json=body)
    assert response.status_code < 500
    return int(store.operation_count - before)


def check_unavailable(response: httpx.Response, message: str) -> None:
    """It is a 503 in the envelope, with an id, and without the headers of the quota."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, set(body), set(body["data"])) == (503, {"message", "data"}, {"request_id"})
    assert message in body["message"]
    assert response.headers["x-request-id"] == body["data"]["request_id"]
    assert not [name for name in response.headers if name.startswith("x-ratelimit")]
    assert KEY not in response.text


def test_a_full_store_is_a_503_that_says_so_and_can_be_reset(stores: RedisStores, running: Live) -> None:
    """No request is half done; the control plane resets it (GEN-2)."""
    episode = running.episode()
    with Redis.from_url(stores.url) as redis:
        redis.config_set("maxmemory", 1)
        check_unavailable(running.post("/evaluate", EVALUATE), "is full; reset it")
        check_unavailable(running.turn(episode, "Hello."), "is full; reset it")
        assert [one.turns for one in running.stored_episodes()] == [0]
        assert running.client.post("/_mock/reset", json={}).status_code == 200
        redis.config_set("maxmemory", 0)
    response = running.post("/evaluate", EVALUATE)
    assert response.status_code == 200
    assert response.headers["x-ratelimit-remaining"] == f"{PLANS['enterprise'] - 1}"
    assert running.turn(episode, "Hello.").status_code == 404
    assert [one.status for one in running.records()] == [200, 404]


def test_a_store_that_comes_back_empty_is_a_reset(stores: RedisStores, running: Live) -> None:
    """Old episodes are unknown, and everything else works (EP-13)."""
    episode = running.episode()
    with Redis.from_url(stores.url) as redis:
        redis.flushall()
    assert running.turn(episode, "Hello.").status_code == 404
    assert running.turn(running.episode(), "Hello.").status_code == 200
    assert len(result_of(running.world.store.records(0, 9))) == 3
