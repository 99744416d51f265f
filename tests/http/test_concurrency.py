from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.config.library import load_library, shipped_library
from labs_mock.state import World
from tests.http.test_batch import TEXTS, WHERE, conversation
from tests.support import KEY, Live, live, world

SHIPPED = load_library(shipped_library())
COUNTED = b"x-ratelimit-remaining"  # what is left of the quota counts arrivals by contract (DET-2)
Request = tuple[str, str, Any]


def mixed(number: int) -> Request:
    """The n-th of a list of requests of every kind, good and bad, some of them equal to others."""
    scenario = SHIPPED.scenarios[number % len(SHIPPED.scenarios)]
    where = {"collection_slug": scenario.collection, "scenario_slug": scenario.slug}
    messages = conversation(*(TEXTS[(number + step) % len(TEXTS)] for step in range(1 + number % 4)), f"No. {number}.")
    kinds: list[Request] = [
        ("POST", "evaluate", {**where, "messages": messages}),
        ("POST", "evaluate", {**where, "messages": conversation(TEXTS[number % 5])}),
        ("POST", "episodes", where),
        ("POST", "batch/evaluate", {"items": [{"id": "a", **where, "messages": messages}, {"id": "b"}]}),
        ("POST", "compare", {**where, "response_a": {"messages": messages}, "response_b": {"messages": messages[:2]}}),
        ("POST", "evaluate", {**where, "messages": [], "n": number % 50}),
        ("POST", "episodes/ep_nobody/turns", {"messages": conversation(f"{number % 70}")}),
        ("GET", "catalog", None),
        ("GET", f"nowhere/{number % 9}", None),
        ("PUT", "evaluate", None),
    ]
    return kinds[number % 10]


def send(client: httpx.Client, request: Request) -> bytes:
    """One request; its response with what counts arrivals left out."""
    method, path, body = request
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    content = None if body is None else orjson.dumps(body)
    response = client.request(method, f"/api/v1/{path}", content=content, headers=headers)
    kept = [pair for pair in response.headers.raw if pair[0].lower() != COUNTED]
    return f"{response.status_code} {kept} ".encode() + response.content


def responses(server: Live, requests: list[Request], workers: int) -> dict[bytes, Counter[bytes]]:
    """For each request the set of responses that it and its equals got."""
    with ThreadPoolExecutor(workers) as pool:
        received = list(pool.map(lambda request: send(server.client, request), requests))
    found: dict[bytes, Counter[bytes]] = defaultdict(Counter)
    for request, response in zip(requests, received, strict=True):
        found[orjson.dumps(request)][response] += 1
    return found


def test_two_thousand_requests_are_answered_alike_at_any_concurrency() -> None:
    """1 worker and 64: the same status, headers and body, request by request; equal ones the same set (DET-2)."""
    requests = [mixed(number) for number in range(2_000)]
    alone, together = (_served(lambda server, count=workers: responses(server, requests, count)) for workers in (1, 64))
    assert alone == together
    assert len(alone) > 600
    assert max(sum(one.values()) for one in alone.values()) > 10


def _served(use: Any) -> Any:
    with live(World(world().settings, SHIPPED)) as server:
        return use(server)


requests = st.sampled_from(
    [
        ("POST", "episodes", WHERE),
        ("POST", "evaluate", {**WHERE, "messages": conversation("Tell me.")}),
        ("POST", "evaluate", {**WHERE, "messages": []}),
        ("POST", "evaluate", {**WHERE, "scenario_slug": "nope", "messages": conversation("Tell me.")}),
        ("GET", "catalog", None),
        ("GET", "nowhere", None),
    ]
)


@settings(max_examples=30)
@given(st.lists(requests, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(shared_server: Live, unordered: list[Request], order: Any) -> None:
    """Whatever the order of the same requests, each kind gets the same set of responses (DET-2, DET-3)."""
    shared_server.reset()
    first = responses(shared_server, unordered, 1)
    shuffled = list(unordered)
    order.shuffle(shuffled)
    shared_server.reset()
    assert responses(shared_server, shuffled, 4) == first
