from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from math import exp, sqrt
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.config.fault_entry import FaultEntry
from labs_mock.state.fault_plan import Faults, Target

WHERE = ("coaching", "weekly-check-ins")
SHARES = [0.001, 0.02, 0.1, 0.5, 0.9, 1]


def nobody() -> Any:
    """What of a request's body nobody should ask for."""
    raise AssertionError("no fault asks for the body")


def target(asked: int = 0, attempt: int = 0, **changes: Any) -> Target:
    """A request; equal numbers ask for the same."""
    one = Target("POST", "/api/v1/evaluate", "acme", "lab_a", "", b"%d" % asked, attempt, nobody, nobody)
    return replace(one, **changes)


def fault(**given: Any) -> FaultEntry:
    """A fault that is a 503, if nothing else."""
    what = {} if {"delay", "reset"} & set(given) else {"status": 503}
    return FaultEntry.model_validate({**what, **given})


def plan(*files: FaultEntry, seed: int = 0) -> Faults:
    """A plan as `server.yaml` has it."""
    return Faults(files, seed)


def befallen(faults: Faults, targets: Iterable[Target]) -> list[list[str]]:
    """The faults that befall each of some requests, by id."""
    return [[one.id for one, _ in faults.due(target)] for target in targets]


def share_of(targets: Iterable[Target], share: float, name: str = "a", seed: int = 0) -> set[tuple[bytes, int]]:
    """Those requests that a fault with a share befalls."""
    faults = plan(fault(id=name, share=share), seed=seed)
    return {(one.asked, one.attempt) for one in targets if faults.due(one)}


FITTING: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {"method": "GET", "path": "/api/v1/nowhere", "organisation": ""}, True),
    ({"method": "POST"}, {}, True),
    ({"method": "GET"}, {}, False),
    ({"path": "/api/v1/evaluate"}, {}, True),
    ({"path": "/api/v1/evaluat"}, {}, False),
    ({"path": "/api/v1/*"}, {}, True),
    ({"path": "*"}, {"path": "/api/v1/episodes/ep_1/turns"}, True),
    ({"path": "/api/v1/episodes/*/turns"}, {"path": "/api/v1/episodes/ep_1/turns"}, True),
    ({"path": "/api/v1/episodes/*/turns"}, {"path": "/api/v1/episodes"}, False),
    ({"path": "/API/v1/*"}, {}, False),
    ({"organisation": "acme"}, {}, True),
    ({"organisation": "other"}, {}, False),
    ({"organisation": "acme"}, {"organisation": ""}, False),
    ({"key": "lab_a"}, {}, True),
    ({"key": "lab_b"}, {}, False),
    ({"key": "lab_a"}, {"key": ""}, False),
    ({"item": "b-17"}, {"items": lambda: ["b-1", "b-17"]}, True),
    ({"item": "b-17"}, {"items": lambda: ["b-1"]}, False),
    ({"item": "b-17"}, {"items": list}, False),
    ({"dataset": "AB-1"}, {"dataset": "ab-1"}, True),
    ({"dataset": "ab-1"}, {"dataset": "ab-2"}, False),
    ({"dataset": "ab-1"}, {}, False),
    ({"collection_slug": "coaching"}, {"scenarios": lambda: [WHERE]}, True),
    ({"collection_slug": "finance"}, {"scenarios": lambda: [WHERE]}, False),
    ({"scenario_slug": "weekly-check-ins"}, {"scenarios": lambda: [("x", "y"), WHERE]}, True),
    ({"scenario_slug": "y", "collection_slug": "coaching"}, {"scenarios": lambda: [("x", "y"), WHERE]}, False),
    ({"scenario_slug": "weekly-check-ins"}, {"scenarios": list}, False),
    ({"method": "POST", "path": "*/evaluate", "organisation": "acme"}, {}, True),
    ({"method": "POST", "path": "*/evaluate", "organisation": "other"}, {}, False),
]


@pytest.mark.parametrize(("filters", "changes", "fits"), FITTING)
def test_a_fault_is_for_requests_that_pass_all_its_filters(
    filters: dict[str, Any], changes: dict[str, Any], fits: bool
) -> None:
    """Scenarios are found out only for faults that name one; the two slugs must be of one scenario."""
    faults = plan(fault(**filters))
    assert bool(faults.due(target(**changes))) == fits
    assert [(one.fitting, one.applied) for one in faults] == [(fits, fits)]


def naive(rule: str, number: int, arrived: list[Target]) -> list[bool]:
    """Which requests a fault for POST befalls, seen from the end of the day."""
    fitting = [index for index, one in enumerate(arrived) if one.method == "POST"]
    chosen: dict[str, list[int]] = {
        "": fitting,
        "nth": [index for place, index in enumerate(fitting, 1) if place == number],
        "every": [index for place, index in enumerate(fitting, 1) if place in range(0, 1_000, number)],
        "first": fitting[:number],
        "attempts": [index for index in fitting if arrived[index].attempt in range(number)],
    }
    return [index in chosen[rule] for index in range(len(arrived))]


arrivals = st.lists(
    st.builds(lambda asked, get: target(asked, method="GET" if get else "POST"), st.integers(0, 4), st.booleans()),
    max_size=30,
)


def with_attempts(arrived: list[Target]) -> list[Target]:
    """The same requests with their attempts counted."""
    counters: dict[tuple[bytes, str], count[int]] = {}
    return [replace(one, attempt=next(counters.setdefault((one.asked, one.method), count()))) for one in arrived]


@given(arrivals.map(with_attempts), st.sampled_from(["", "nth", "every", "first", "attempts"]), st.integers(1, 6))
def test_rules_of_when(arrived: list[Target], rule: str, number: int) -> None:
    """The n-th, every n-th and the first n count the requests that fit; attempts count at one and the same request."""
    faults = plan(fault(method="POST", **({rule: number} if rule else {})))
    found = [bool(faults.due(one)) for one in arrived]
    assert found == naive(rule, number, arrived)
    (one,) = faults
    assert (one.fitting, one.applied) == (sum(other.method == "POST" for other in arrived), sum(found))


@given(arrivals.map(with_attempts), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_faults_do_not_disturb_each_other(arrived: list[Target], numbers: list[int]) -> None:
    """Each fault of a plan counts by itself, and all that are due befall a request, in the order of the plan."""
    files = [fault(id=f"f{index}", method="POST", every=number) for index, number in enumerate(numbers)]
    alone = [befallen(plan(file), arrived) for file in files]
    assert befallen(plan(*files), arrived) == [
        [name for names in each for name in names] for each in zip(*alone, strict=True)
    ]


@given(st.permutations([(asked, attempt) for asked in range(20) for attempt in range(3)]), st.sampled_from(SHARES))
def test_a_share_does_not_depend_on_the_order_of_arrival(order: list[tuple[int, int]], share: float) -> None:
    """The same requests fail in whatever order they come, and whoever comes in between (DET-3)."""
    targets = [target(asked, attempt) for asked, attempt in order]
    found = share_of(targets, share)
    assert found == share_of(sorted(targets, key=lambda one: (one.asked, one.attempt)), share)
    assert share_of(targets[::2], share) | share_of(targets[1::2], share) == found


MANY = [target(number) for number in range(1_000)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", SHARES)
def test_a_share_is_near_its_expectation(share: float, seed: int) -> None:
    """Of 1,000 requests about so many fail, of 1,000 attempts at one too; larger shares take in smaller ones."""
    spread = 4 * sqrt(1_000 * share * (1 - share))
    found = share_of(MANY, share, seed=seed)
    assert abs(len(found) - 1_000 * share) <= spread
    assert (
        abs(len(share_of([target(0, attempt) for attempt in range(1_000)], share, seed=seed)) - 1_000 * share) <= spread
    )
    assert found >= share_of(MANY, share / 2, seed=seed)


def test_shares_are_drawn_apart() -> None:
    """Another seed or another fault's id gives other requests: of two halves a quarter falls together."""
    half = share_of(MANY, 0.5)
    for other in (share_of(MANY, 0.5, seed=1), share_of(MANY, 0.5, "b")):
        assert abs(len(half & other) - 250) <= 4 * sqrt(1_000 * 0.25 * 0.75)
    assert half == share_of(MANY, 0.5)


def seconds(delay: Any, targets: Iterable[Target] = MANY, **given: Any) -> dict[tuple[bytes, int], float]:
    """How long each request is delayed, of those that are."""
    faults = plan(fault(id="a", delay=delay, **given))
    return {(one.asked, one.attempt): length for one in targets for _, length in faults.due(one)}


@given(st.permutations(range(30)), st.sampled_from([2.5, {"low": 1, "high": 3}, {"median": 1, "sigma": 0.7}]))
def test_a_delay_does_not_depend_on_the_order_of_arrival(order: list[int], delay: Any) -> None:
    """Each request has its own delay, whenever it comes (DET-3)."""
    assert seconds(delay, map(target, order)) == seconds(delay, map(target, range(30)))


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


def test_whom_a_share_takes_says_nothing_of_the_delay() -> None:
    """The two are drawn apart: those that are delayed are not the ones with short delays."""
    taken = seconds({"low": 0, "high": 1}, share=0.25)
    assert abs(fmean(taken.values()) - 0.5) < 4 * sqrt(1 / 12 / len(taken))


def names(faults: Faults) -> list[str]:
    """The ids of a plan."""
    return [one.id for one in faults]


def test_a_fault_replaces_the_one_with_its_id() -> None:
    """It stands in its place and begins to count anew; others stay as they are."""
    faults = plan(fault(id="a", first=1), fault(id="b", first=1))
    assert befallen(faults, [target()] * 2) == [["a", "b"], []]
    assert faults.add(fault(id="a", first=1)).fitting == 0
    assert names(faults) == ["a", "b"]
    assert befallen(faults, [target()] * 2) == [["a"], []]


@given(st.lists(st.sampled_from([None, "a", "fault-1", "fault-2", "fault-3", "fault-5"]), max_size=12))
def test_a_fault_without_an_id_gets_one_that_is_free(given_names: list[str | None]) -> None:
    """It never takes the place of another; the plan holds all that were added but those whose own id came again."""
    faults = plan()
    added = [(name, faults.add(fault(id=name) if name else fault()).id) for name in given_names]
    assert all(given_name in (None, got) for given_name, got in added)
    unnamed = [got for given_name, got in added if given_name is None]
    assert len(unnamed) == len(set(unnamed))
    for place, (given_name, got) in enumerate(added):
        if given_name is None:
            assert got not in [before for _, before in added[:place]]
    assert set(names(faults)) == {got for _, got in added}


def test_faults_are_removed_one_by_one_or_all() -> None:
    """It is told whether there was one; an empty plan is false and befalls nobody."""
    faults = plan(fault(id="a"), fault(id="b"), fault())
    assert faults.remove("a")
    assert not faults.remove("a")
    assert befallen(faults, [target()]) == [["b", "fault-3"]]
    assert faults
    assert faults.remove()
    assert not faults
    assert befallen(faults, [target()]) == [[]]


@pytest.mark.parametrize(
    "change", [lambda faults: faults.add(fault(id="x")), Faults.remove, lambda faults: faults.remove("b")]
)
def test_a_reset_brings_back_the_plan_of_the_start(change: Callable[[Faults], object]) -> None:
    """Faults that were added are gone, those that were removed are back, and nothing has been counted."""
    faults = plan(fault(first=2), fault(id="b", nth=2))
    before = befallen(faults, [target()] * 3)
    change(faults)
    faults.reset()
    assert names(faults) == ["fault-1", "b"]
    assert [(one.fitting, one.applied) for one in faults] == [(0, 0)] * 2
    assert befallen(faults, [target()] * 3) == before == [["fault-1"], ["fault-1", "b"], []]
    assert faults.add(fault()).id == "fault-3"
