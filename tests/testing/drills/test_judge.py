from collections.abc import Sequence
from dataclasses import replace
from math import nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.testing.drills.happened import DrilledRequest, Happened, Outcome, Values
from labs_mock.testing.drills.judge import MANY, TOLERANCE, judge

EXPECTED = (0.4, 0.25, 0.7)
SERVED = DrilledRequest(received=0.0, path="/api/v1/evaluate", content="one", status=200, rewards=(0.4,))
FAILED = replace(SERVED, status=503, rewards=())
LIMITED = replace(SERVED, status=429, reset=60.0, rewards=())
TURNS = "/api/v1/episodes/ep_1/turns"
TURN = DrilledRequest(0.0, TURNS, "turn 1", 200, turn=1, text="Hello", rewards=(0.3,))


def returned(*values: float | None) -> Outcome:
    """The function returned a list."""
    return Outcome("returned", values)


def at(request: DrilledRequest, *seconds: float) -> list[DrilledRequest]:
    """The same request at several times."""
    return [replace(request, received=one) for one in seconds]


def rated(
    outcome: Outcome, *requests: DrilledRequest, expected: Sequence[float] | None = EXPECTED, must_succeed: bool = False
) -> tuple[str, str, str]:
    """Rating, result and reason."""
    row = judge("a-case", Happened(outcome, requests, expected), must_succeed)
    assert row.case == "a-case"
    return row.rating, row.result, row.reason


RIGHT = returned(*EXPECTED)
RAISED = Outcome("raised", detail="TimeoutError: too late")
ROWS: list[tuple[Outcome, Sequence[DrilledRequest], str, str]] = [
    (RAISED, [FAILED], "good", "raised TimeoutError"),
    (RIGHT, [FAILED], "good", "right"),
    (RIGHT, [SERVED], "skipped", "right"),
    (RIGHT, at(FAILED, 0, 2), "good", "right"),
    (returned(None, nan, None), [FAILED], "good", "None (3 of 3)"),
    (returned(0.4, None, 0.7), [FAILED], "good", "None (1 of 3)"),
    (Outcome("returned", None), [FAILED], "good", "None"),
    (returned(0.4, 0.0, 0.7), [FAILED], "wrong", "0.0 (1 of 3)"),
    (returned(0.0, -0.0, 0.0), [FAILED], "wrong", "0.0 (3 of 3)"),
    (returned(0.4, -1.0, 0.7), [FAILED], "wrong", "another number (1 of 3)"),
    (returned(0.25, 0.4, 0.7), [FAILED], "wrong", "wrong place (2 of 3)"),
    (returned(0.4, 0.25), [FAILED], "wrong", "2 rewards for 3 conversations"),
    (returned(0.4), [FAILED], "wrong", "1 reward for 3 conversations"),
    (returned(), [FAILED], "wrong", "0 rewards for 3 conversations"),
    (Outcome("hung"), [FAILED], "wrong", "hung"),
    (Outcome("unusable", detail="str"), [FAILED], "wrong", "returned a str"),
    (Outcome("ended", detail="exit code 3"), [FAILED], "check", "process ended"),
    (RAISED, at(replace(FAILED, status=404), 0, 1), "good", "raised TimeoutError"),
    (RAISED, at(replace(FAILED, status=404), 0, 1, 2), "wrong", "raised TimeoutError"),
    (RAISED, at(FAILED, 0, 1, 2), "good", "raised TimeoutError"),
    (RIGHT, [*at(LIMITED, 50), *at(SERVED, 60)], "good", "right"),
    (RIGHT, [*at(LIMITED, 50), *at(SERVED, 59.2)], "good", "right"),
    (RIGHT, [*at(LIMITED, 50), *at(SERVED, 58.9)], "check", "right"),
    (RAISED, at(LIMITED, 50, 50.1, 50.2, 50.3), "check", "raised TimeoutError"),
    (RIGHT, [*at(replace(LIMITED, reset=-60.0), 50), *at(SERVED, 51)], "good", "right"),
    (RIGHT, [*at(FAILED, *range(MANY)), *at(SERVED, 90)], "good", "right"),
    (RIGHT, [*at(FAILED, *range(MANY + 1)), *at(SERVED, 90)], "check", "right"),
    (RIGHT, [*at(SERVED, 0, 1, 2), *at(FAILED, 3)], "good", "right"),
]


@pytest.mark.parametrize(("outcome", "requests", "rating", "result"), ROWS)
def test_what_a_function_of_conversations_did_is_rated(
    outcome: Outcome, requests: Sequence[DrilledRequest], rating: str, result: str
) -> None:
    """Wrong is what would be trained on or is done in vain; good is what can be known to be no reward; else it is to be checked."""
    found = rated(outcome, *requests)
    assert found[:2] == (rating, result)
    assert bool(found[2]) == (rating != "good")


LOST = replace(TURN, spoiled=True)
NEXT = DrilledRequest(9.0, TURNS, "turn 2", 200, turn=2, text="Go on", rewards=(0.5,))
PLAYS: list[tuple[Outcome, Sequence[DrilledRequest], str, str]] = [
    (returned(0.3), [FAILED, TURN], "good", "right"),
    (returned(0.5), [replace(TURN, faults=True), NEXT], "good", "right"),
    (returned(0.3), [replace(TURN, faults=True), NEXT], "wrong", "another number"),
    (returned(0.3), [TURN, replace(NEXT, spoiled=True)], "wrong", "another number"),
    (returned(None), [TURN, replace(NEXT, spoiled=True)], "good", "None"),
    (returned(0.0), [FAILED], "wrong", "0.0"),
    (returned(), [FAILED], "check", "no rewards"),
    (returned(0.5), [LOST, replace(NEXT, text="Hello")], "wrong", "right"),
    (RAISED, [LOST, replace(NEXT, text="Hello")], "wrong", "raised TimeoutError"),
    (returned(0.5), [LOST, NEXT], "good", "right"),
    (returned(0.5), [LOST, replace(NEXT, text="Hello", path="/api/v1/episodes/ep_2/turns")], "good", "right"),
    (returned(0.5), [replace(LOST, turn=None), replace(NEXT, text="Hello")], "good", "right"),
    (returned(0.4, 0.5), [SERVED, LOST, NEXT], "good", "right"),
]


@pytest.mark.parametrize(("outcome", "requests", "rating", "result"), PLAYS)
def test_what_a_play_did_is_rated(
    outcome: Outcome, requests: Sequence[DrilledRequest], rating: str, result: str
) -> None:
    """Right are the rewards that its episodes had last and that arrived; a turn that is taken twice is wrong, whatever comes of it."""
    assert rated(outcome, *requests, expected=None)[:2] == (rating, result)


def test_where_nothing_fails_only_the_rewards_are_right() -> None:
    """The first case, and any that no request has met."""
    for outcome in (RAISED, Outcome("returned", None), returned(0.4, None, 0.7), Outcome("ended", detail="")):
        assert rated(outcome, SERVED, must_succeed=True)[0] == "wrong"
        assert rated(outcome, SERVED)[0] == "wrong"
        assert rated(outcome)[0] == "wrong"
    assert rated(RIGHT, SERVED, must_succeed=True) == ("good", "right", "")


def test_a_row_has_the_retries_of_the_request_that_was_sent_most() -> None:
    """How often, and after how long each time."""
    requests = [*at(FAILED, 0, 1, 3), *at(replace(FAILED, content="two"), 0, 5)]
    row = judge("a-case", Happened(RIGHT, requests, EXPECTED))
    assert (row.retries, row.waits, row.retried) == (2, (1.0, 2.0), "2 retries after 1.0, 2.0 s")
    assert judge("a-case", Happened(RIGHT, [FAILED], EXPECTED)).retried == ""


REWARDS = st.lists(st.integers(1, 100), min_size=2, max_size=6, unique=True).map(lambda one: [n / 100 for n in one])
REQUESTS = st.lists(
    st.builds(
        DrilledRequest,
        received=st.floats(0, 60),
        path=st.sampled_from(["/api/v1/evaluate", TURNS]),
        content=st.sampled_from("ab"),
        status=st.sampled_from([200, 400, 404, 429, 500, 503]),
        spoiled=st.booleans(),
        faults=st.booleans(),
        reset=st.none() | st.just(60.0),
        turn=st.none() | st.integers(1, 3),
        text=st.sampled_from(["x", "y"]),
        rewards=st.lists(st.none() | st.floats(0, 1), max_size=2),
    ),
    max_size=5,
).map(lambda requests: sorted(requests, key=lambda one: one.received))


@given(REWARDS, REQUESTS, st.data())
def test_a_number_that_is_not_the_reward_is_wrong(
    expected: list[float], requests: list[DrilledRequest], data: st.DataObject
) -> None:
    """Whatever the requests were: each place has its reward within the tolerance, or none, or the row is wrong."""
    close = st.floats(-0.9 * TOLERANCE, 0.9 * TOLERANCE)
    values: Values = data.draw(
        st.tuples(*(st.none() | st.just(nan) | st.floats(-1, 2) | close.map(one.__add__) for one in expected))
    )
    row = judge("a-case", Happened(Outcome("returned", values), requests, expected))
    kept = [
        value is None or value != value or abs(value - one) <= TOLERANCE  # noqa: PLR0124 - NaN
        for value, one in zip(values, expected, strict=True)
    ]
    assert all(kept) or row.rating == "wrong"


@given(REWARDS, st.data())
def test_no_other_order_is_taken_for_right(expected: list[float], data: st.DataObject) -> None:
    """A permutation of the rewards is wrong unless it is none, and so is every other length."""
    values = data.draw(st.permutations(expected))
    assert (rated(returned(*values), FAILED, expected=expected)[0] == "good") == (values == expected)
    for other in (values[1:], [*values, 0.5]):
        assert rated(returned(*other), FAILED, expected=expected)[0] == "wrong"


def naive_retries(requests: Sequence[DrilledRequest]) -> int:
    """How often a request came again right after it had failed, of the one for which that was most often."""
    most = 0
    for content in {request.content for request in requests}:
        count, failed = 0, False
        for request in requests:
            if request.content == content:
                count += failed
                failed = request.status >= 400 or request.spoiled
        most = max(most, count)
    return most


@given(REQUESTS, st.sampled_from([RIGHT, RAISED, Outcome("hung"), Outcome("returned", None)]))
def test_retries_are_counted(requests: list[DrilledRequest], outcome: Outcome) -> None:
    """Against a naive count; a wait is never negative, and nothing that hung is anything but wrong."""
    row = judge("a-case", Happened(outcome, requests, EXPECTED))
    assert row.retries == len(row.waits) == naive_retries(requests)
    assert min(row.waits, default=0.0) >= 0
    assert outcome.kind != "hung" or row.rating == "wrong"


@given(st.dictionaries(st.sampled_from(["raised", "unusable", "ended"]), st.text(), min_size=1, max_size=1))
def test_every_answer_of_a_process_is_an_outcome(answer: dict[str, Any]) -> None:
    """And one that did not come is a hang."""
    ((kind, detail),) = answer.items()
    assert Outcome.from_answer(answer) == Outcome(kind, detail=detail)  # type: ignore[arg-type] # one of them
    assert Outcome.from_answer({"returned": 0.5}) == Outcome("returned", [0.5])
    assert Outcome.from_answer({"returned": None}) == Outcome("returned", None)
    assert Outcome.from_answer(None) == Outcome("hung")
