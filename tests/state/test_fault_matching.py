from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from itertools import count
from math import exp, sqrt
from statistics import fmean
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.config.fault_entry import FaultEntry
from labs_mock.ids import fingerprint
from labs_mock.state import fault_target
from labs_mock.state.account import Account
from labs_mock.state.arrival import Arrival
from labs_mock.state.fault_target import FaultTarget
from labs_mock.state.memory.fault_plan import FaultPlan
from labs_mock.state.planned_fault import PlannedFault
from labs_mock.state.store import Store
from tests.state.samples import Make, arrival, episode, initial, run

SHARES = [0.001, 0.02, 0.1, 0.5, 0.9, 1]
A = Account.from_key("lab_a", "acme")
WHERE = b'{"collection_slug":"coaching","scenario_slug":"weekly-check-ins"}'
Key = tuple[bytes, int]


@dataclass(frozen=True, slots=True)
class Request:
    """A request and which attempt at it this is."""

    arrival: Arrival
    account: Account | None = A
    attempt: int = 0

    @property
    def key(self) -> Key:
        """What names it."""
        return self.arrival.body, self.attempt

    @property
    def target(self) -> FaultTarget:
        """It as filters see it; there is one episode."""
        organisation = self.account.organisation if self.account else ""
        name = fingerprint(organisation, self.arrival.method, self.arrival.path, self.arrival.body)
        known = episode("ep_1", slug="weekly-check-ins")
        return FaultTarget(self.arrival, self.account, name, self.attempt, {"ep_1": known}.get)


def request(number: int = 0, attempt: int = 0, account: Account | None = A, **changes: Any) -> Request:
    """A request; equal numbers make equal ones."""
    return Request(arrival(b"%d" % number)._replace(**changes), account, attempt)


def fault(**fields: Any) -> FaultEntry:
    """A fault that is a 503, if nothing else."""
    what = {} if {"delay", "reset"} & set(fields) else {"status": 503}
    return FaultEntry.model_validate({**what, **fields})


def plan(*entries: FaultEntry, seed: int = 0) -> FaultPlan:
    """A plan as `server.yaml` has it."""
    return FaultPlan(entries, seed)


def triggered(faults: FaultPlan, requests: Iterable[Request]) -> list[list[str]]:
    """The faults that each of some requests triggers, by id."""
    return [[one.id for one in faults.trigger(request.target)] for request in requests]


def share_of(requests: Iterable[Request], share: float, name: str = "a", seed: int = 0) -> set[Key]:
    """Those requests that trigger a fault with a share."""
    faults = plan(fault(id=name, share=share), seed=seed)
    return {one.key for one in requests if faults.trigger(one.target)}


TURNS = "/api/v1/episodes/ep_1/turns"
ROWS = "/api/v1/training-datasets/AB-1/export"
ITEMS = b'{"items":[{"id":"b-1"},{"id":"b-17"},7]}'
FILTERS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {"method": "GET", "path": "/api/v1/nowhere", "account": None}, True),
    ({"method": "POST"}, {}, True),
    ({"method": "GET"}, {}, False),
    ({"path": "/api/v1/evaluate"}, {}, True),
    ({"path": "/api/v1/evaluat"}, {}, False),
    ({"path": "/api/v1/*"}, {}, True),
    ({"path": "*"}, {"path": TURNS}, True),
    ({"path": "/api/v1/episodes/*/turns"}, {"path": TURNS}, True),
    ({"path": "/api/v1/episodes/*/turns"}, {"path": "/api/v1/episodes"}, False),
    ({"path": "/API/v1/*"}, {}, False),
    ({"organisation": "acme"}, {}, True),
    ({"organisation": "other"}, {}, False),
    ({"organisation": "acme"}, {"account": None}, False),
    ({"key": "lab_a"}, {}, True),
    ({"key": "lab_b"}, {}, False),
    ({"key": "lab_a"}, {"account": None}, False),
    ({"item": "b-17"}, {"body": ITEMS}, True),
    ({"item": "b-1"}, {"body": b'{"items":[{"id":"b-17"}]}'}, False),
    ({"item": "b-17"}, {"body": b'{"items":{"id":"b-17"}}'}, False),
    ({"item": "b-17"}, {"body": b"["}, False),
    ({"dataset": "AB-1"}, {"path": ROWS}, True),
    ({"dataset": "ab-1"}, {"path": ROWS}, True),
    ({"dataset": "ab-2"}, {"path": ROWS}, False),
    ({"dataset": "ab-1"}, {}, False),
    ({"collection_slug": "coaching"}, {"body": WHERE}, True),
    ({"collection_slug": "finance"}, {"body": WHERE}, False),
    ({"scenario_slug": "weekly-check-ins"}, {"body": b'{"items":[{"scenario_slug":"x"},%b]}' % WHERE}, True),
    (
        {"scenario_slug": "x", "collection_slug": "coaching"},
        {"body": b'{"items":[{"scenario_slug":"x"},%b]}' % WHERE},
        False,
    ),
    ({"scenario_slug": "weekly-check-ins"}, {"body": b"[]"}, False),
    ({"scenario_slug": "weekly-check-ins"}, {"path": TURNS}, True),
    ({"scenario_slug": "weekly-check-ins"}, {"path": TURNS.replace("ep_1", "ep_2"), "body": WHERE}, False),
    ({"method": "POST", "path": "*/evaluate", "organisation": "acme"}, {}, True),
    ({"method": "POST", "path": "*/evaluate", "organisation": "other"}, {}, False),
]


@pytest.mark.parametrize(("filters", "changes", "matched"), FILTERS)
def test_a_fault_matches_requests_that_pass_all_its_filters(
    filters: dict[str, Any], changes: dict[str, Any], matched: bool
) -> None:
    """Scenarios are found out only for faults that name one; the two slugs must be of one scenario."""
    faults = plan(fault(**filters))
    assert bool(faults.trigger(request(**changes).target)) == matched
    assert [(one.matched, one.applied) for one in faults.all()] == [(matched, matched)]


def test_a_body_is_parsed_only_for_a_fault_that_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters by method, path, organisation, key and dataset need none; once parsed it serves all faults."""
    parsed: list[bytes] = []

    def loads(body: bytes) -> Any:
        parsed.append(body)
        return orjson.loads(body)

    monkeypatch.setattr(fault_target, "orjson", SimpleNamespace(loads=loads, JSONDecodeError=orjson.JSONDecodeError))
    plain = {"method": "POST", "path": "*", "organisation": "acme", "key": "lab_a"}
    plan(fault(**plain), fault(dataset="x", item="a")).trigger(request().target)
    assert not parsed
    plan(fault(item="a"), fault(scenario_slug="b"), fault(item="c")).trigger(request().target)
    assert len(parsed) == 1


def naive(rule: str, number: int, arrived: list[Request]) -> list[bool]:
    """Which requests trigger a fault for POST, seen from the end of the day."""
    matched = [index for index, one in enumerate(arrived) if one.arrival.method == "POST"]
    chosen: dict[str, list[int]] = {
        "": matched,
        "nth": [index for place, index in enumerate(matched, 1) if place == number],
        "every": [index for place, index in enumerate(matched, 1) if place in range(0, 1_000, number)],
        "first": matched[:number],
        "attempts": [index for index in matched if arrived[index].attempt in range(number)],
    }
    return [index in chosen[rule] for index in range(len(arrived))]


arrivals = st.lists(
    st.builds(lambda number, get: request(number, method="GET" if get else "POST"), st.integers(0, 4), st.booleans()),
    max_size=30,
)


def with_attempts(arrived: list[Request]) -> list[Request]:
    """The same requests with their attempts counted."""
    counters: dict[tuple[bytes, str], count[int]] = {}
    return [
        replace(one, attempt=next(counters.setdefault((one.arrival.body, one.arrival.method), count())))
        for one in arrived
    ]


@given(arrivals.map(with_attempts), st.sampled_from(["", "nth", "every", "first", "attempts"]), st.integers(1, 6))
def test_rules_of_when(arrived: list[Request], rule: str, number: int) -> None:
    """The n-th, every n-th and the first n count the requests that match; attempts count at one and the same request."""
    faults = plan(fault(method="POST", **({rule: number} if rule else {})))
    found = [bool(faults.trigger(one.target)) for one in arrived]
    assert found == naive(rule, number, arrived)
    (one,) = faults.all()
    assert (one.matched, one.applied) == (sum(other.arrival.method == "POST" for other in arrived), sum(found))


@given(arrivals.map(with_attempts), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_faults_do_not_disturb_each_other(arrived: list[Request], numbers: list[int]) -> None:
    """Each fault of a plan counts by itself, and a request triggers all that it may, in the order of the plan."""
    entries = [fault(id=f"f{index}", method="POST", every=number) for index, number in enumerate(numbers)]
    alone = [triggered(plan(entry), arrived) for entry in entries]
    assert triggered(plan(*entries), arrived) == [
        [name for names in each for name in names] for each in zip(*alone, strict=True)
    ]


@given(st.permutations([(number, attempt) for number in range(20) for attempt in range(3)]), st.sampled_from(SHARES))
def test_a_share_does_not_depend_on_the_order_of_arrival(order: list[tuple[int, int]], share: float) -> None:
    """The same requests fail in whatever order they come, and whoever comes in between (DET-3)."""
    requests = [request(number, attempt) for number, attempt in order]
    found = share_of(requests, share)
    assert found == share_of(sorted(requests, key=lambda one: one.key), share)
    assert share_of(requests[::2], share) | share_of(requests[1::2], share) == found


MANY = [request(number) for number in range(1_000)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", SHARES)
def test_a_share_is_near_its_expectation(share: float, seed: int) -> None:
    """Of 1,000 requests about so many fail, of 1,000 attempts at one too; larger shares take in smaller ones."""
    spread = 4 * sqrt(1_000 * share * (1 - share))
    found = share_of(MANY, share, seed=seed)
    assert abs(len(found) - 1_000 * share) <= spread
    attempts = share_of([request(0, attempt) for attempt in range(1_000)], share, seed=seed)
    assert abs(len(attempts) - 1_000 * share) <= spread
    assert found >= share_of(MANY, share / 2, seed=seed)


def test_shares_are_seeded_apart() -> None:
    """Another seed or another fault's id gives other requests: of two halves a quarter falls together."""
    half = share_of(MANY, 0.5)
    for other in (share_of(MANY, 0.5, seed=1), share_of(MANY, 0.5, "b")):
        assert abs(len(half & other) - 250) <= 4 * sqrt(1_000 * 0.25 * 0.75)
    assert half == share_of(MANY, 0.5)


def seconds(delay: Any, requests: Iterable[Request] = MANY, **fields: Any) -> dict[Key, float]:
    """How long each request is delayed, of those that are."""
    faults = plan(fault(id="a", delay=delay, **fields))
    return {one.key: found.seconds for one in requests for found in faults.trigger(one.target)}


@given(st.permutations(range(30)), st.sampled_from([2.5, {"low": 1, "high": 3}, {"median": 1, "sigma": 0.7}]))
def test_a_delay_does_not_depend_on_the_order_of_arrival(order: list[int], delay: Any) -> None:
    """Each request has its own delay, whenever it comes (DET-3)."""
    assert seconds(delay, map(request, order)) == seconds(delay, map(request, range(30)))


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 5))
def test_delays_are_as_long_as_they_may_be(one: float, other: float, sigma: float) -> None:
    """A fixed delay is that long, a uniform one within its range; without deviation a log-normal one is its median."""
    low, high = sorted([one, other])
    assert set(seconds(low, MANY[:20]).values()) == {low}
    assert all(low <= length <= high for length in seconds({"low": low, "high": high}, MANY[:50]).values())
    assert set(seconds({"median": low, "sigma": 0}, MANY[:20]).values()) == {low}
    assert all(length >= 0 for length in seconds({"median": high, "sigma": sigma}, MANY[:50]).values())


def test_delays_are_spread_as_their_names_say() -> None:
    """Uniform ones fill their range evenly; of log-normal ones half are below the median and 84 % below e^sigma of it."""
    uniform = sorted(seconds({"low": 2, "high": 4}).values())
    assert len(set(uniform)) == 1_000
    assert all(abs(length - (2 + 2 * place / 1_000)) < 0.1 for place, length in enumerate(uniform))
    normal = seconds({"median": 0.2, "sigma": 0.8}).values()
    for bound, part in ((0.2, 0.5), (0.2 * exp(0.8), 0.8413), (0.2 / exp(0.8), 0.1587), (0.2 * exp(1.6), 0.9772)):
        assert abs(sum(length < bound for length in normal) - 1_000 * part) <= 4 * sqrt(1_000 * part * (1 - part))


def test_which_requests_a_share_takes_says_nothing_of_the_delay() -> None:
    """The two are seeded apart: those that are delayed are not the ones with short delays."""
    taken = seconds({"low": 0, "high": 1}, share=0.25)
    assert abs(fmean(taken.values()) - 0.5) < 4 * sqrt(1 / 12 / len(taken))


# The plan in a store


async def names(store: Store) -> list[str]:
    """The ids of a plan."""
    return [one.id for one in await store.faults()]


async def arrive(store: Store, times: int = 1) -> list[list[str]]:
    """The faults that each of some equal requests triggers."""
    return [[one.id for one in (await store.arrive(arrival())).faults] for _ in range(times)]


def test_a_fault_replaces_the_one_with_its_id(make: Make) -> None:
    """It stands in its place and begins to count anew; others stay as they are."""

    async def check() -> None:
        store = make(initial(fault(id="a", first=1), fault(id="b", first=1)))
        assert await arrive(store, 2) == [["a", "b"], []]
        assert (await store.add_fault(fault(id="a", first=1))).matched == 0
        assert await names(store) == ["a", "b"]
        assert await arrive(store, 2) == [["a"], []]

    run(check())


@given(chosen=st.lists(st.sampled_from([None, "a", "fault-1", "fault-2", "fault-3", "fault-5"]), max_size=12))
def test_a_fault_without_an_id_gets_one_that_is_free(make: Make, chosen: list[str | None]) -> None:
    """It never takes the place of another; the plan has all that were added but those whose own id came again."""

    async def check() -> None:
        store = make()
        added = [(name, (await store.add_fault(fault(id=name) if name else fault())).id) for name in chosen]
        assert all(name in (None, got) for name, got in added)
        unnamed = [got for name, got in added if name is None]
        assert len(unnamed) == len(set(unnamed))
        for place, (name, got) in enumerate(added):
            if name is None:
                assert got not in [before for _, before in added[:place]]
        assert set(await names(store)) == {got for _, got in added}

    run(check())


def test_faults_are_removed_one_by_one_or_all(make: Make) -> None:
    """Whether there was one is returned; an empty plan triggers nothing."""

    async def check() -> None:
        store = make(initial(fault(id="a"), fault(id="b"), fault()))
        assert [await store.remove_faults("a") for _ in range(2)] == [True, False]
        assert await arrive(store) == [["b", "fault-3"]]
        assert await store.remove_faults()
        assert await arrive(store) == [[]]
        assert await store.remove_faults()

    run(check())


Change = Callable[[Store], Coroutine[Any, Any, object]]


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.add_fault(fault(id="x")),
        lambda store: store.remove_faults(),
        lambda store: store.remove_faults("b"),
    ],
)
def test_a_reset_brings_back_the_plan_of_the_start(make: Make, change: Change) -> None:
    """Faults that were added are gone, those that were removed are back, and nothing has been counted."""

    async def check() -> None:
        store = make(initial(fault(first=2), fault(id="b", nth=2)))
        before = await arrive(store, 3)
        await change(store)
        await store.reset(("faults",))
        assert await names(store) == ["fault-1", "b"]
        assert [(one.matched, one.applied) for one in await store.faults()] == [(0, 0)] * 2
        assert await arrive(store, 3) == before == [["fault-1"], ["fault-1", "b"], []]
        assert (await store.add_fault(fault())).id == "fault-3"

    run(check())


def test_a_key_of_a_fault_is_stored_as_its_digest(make: Make) -> None:
    """Its stars can be shown where it stands in the entry; the key itself is not stored."""

    async def check() -> None:
        added = await make().add_fault(fault(method="POST", key="lab_secret", nth=1))
        assert list(added.entry.model_dump(exclude_unset=True)) == ["method", "key", "nth", "status"]
        assert added == PlannedFault.from_entry("fault-1", fault(method="POST", key="lab_secret", nth=1))
        assert (added.entry.key, added.key and added.key.masked) == (None, "lab_******")

    run(check())
