"""The judgement of a case: a pure function of what happened."""

from collections.abc import Callable, Sequence
from math import isnan

from labs_mock.testing.drills.drill_report import DrillRow, Rating
from labs_mock.testing.drills.happened import Happened, Values
from labs_mock.testing.drills.retries import Retry, retries_of

TOLERANCE = 1 / 256  # that of bfloat16: precision is not what is drilled, and rewards differ by more
MANY = 10  # retries of one request


def judge(case: str, happened: Happened, must_succeed: bool = False) -> DrillRow:
    """Rate what happened in a case.

    *Wrong* is a number for what failed, a reward in a wrong place, a hang, a turn taken twice, and two retries or more of a
    4xx other than 429; *good* an exception, `None` or NaN, and the right reward after a retry that respects the reset;
    anything else is to be *checked*. Where no request met what the case is about and nothing is wrong, it is *skipped*.
    With `must_succeed`, and where no request met anything, only the right rewards are not wrong.
    """
    retries = retries_of(happened.requests)
    result = result_of(happened)
    met = any(request.failed or request.faults for request in happened.requests)
    rating, reason = _rate(happened, retries, result, must_succeed or not met)
    if rating == "good" and not must_succeed and not met:
        rating, reason = "skipped", "no request triggered it"
    most = max(retries, key=len, default=[])
    return DrillRow(case, rating, result, reason, len(most), tuple(retry.after for retry in most))


def _rate(happened: Happened, retries: list[list[Retry]], result: str, must_succeed: bool) -> tuple[Rating, str]:
    for find in WRONG:
        if reason := find(happened, retries):
            return "wrong", reason
    if must_succeed and result != RIGHT:
        detail = happened.outcome.detail
        return "wrong", f"nothing failed, so all rewards were to be had{detail and ': '}{detail}"
    for find in CHECK:
        if reason := find(happened, retries):
            return "check", reason
    return "good", ""


RIGHT, MISSING, ZERO, OTHER_PLACE, OTHER_NUMBER = "right", "None", "0.0", "wrong place", "another number"


def result_of(happened: Happened) -> str:
    """What the function did, in a few words: `raised TimeoutError`, `0.0 (6 of 6)`, `right`."""
    outcome = happened.outcome
    if outcome.kind != "returned":
        return {
            "hung": "hung",
            "ended": "process ended",
            "unusable": f"returned a {outcome.detail}",
            "raised": f"raised {outcome.detail.partition(':')[0]}",
        }[outcome.kind]
    if outcome.values is None:
        return "None"
    if happened.expected is not None and len(outcome.values) != len(happened.expected):
        count = len(outcome.values)
        return f"{count} {'reward' if count == 1 else 'rewards'} for {len(happened.expected)} conversations"
    found = places(outcome.values, happened)
    worst = [kind for kind in (OTHER_PLACE, ZERO, OTHER_NUMBER, MISSING) if kind in found]
    if not worst:
        return RIGHT if found else "no rewards"
    return worst[0] if len(found) == 1 else f"{worst[0]} ({found.count(worst[0])} of {len(found)})"


def places(values: Values, happened: Happened) -> list[str]:
    """What each value is. The right ones of a play are those that its episodes had last."""
    if happened.expected is not None:
        return [
            _kind(value, [right], happened.expected) for value, right in zip(values, happened.expected, strict=True)
        ]
    last = _served_last(happened)
    return [_kind(value, last, ()) for value in values]


def _kind(value: float | None, right: Sequence[float], others: Sequence[float]) -> str:
    if value is None or isnan(value):
        return MISSING
    if any(abs(value - one) <= TOLERANCE for one in right):
        return RIGHT
    if value == 0:
        return ZERO
    return OTHER_PLACE if any(abs(value - one) <= TOLERANCE for one in others) else OTHER_NUMBER


def _served_last(happened: Happened) -> list[float]:
    """The rewards that arrived with the last turn of each episode, and with evaluations."""
    last = {
        request.path if request.path.endswith("/turns") else request.content: request for request in happened.requests
    }
    return [
        reward for request in last.values() if not request.failed for reward in request.rewards if reward is not None
    ]


# What is wrong, and what is to be checked: each function returns the reason, or nothing.


def _hung(happened: Happened, _: list[list[Retry]]) -> str:
    return "no result after a minute of its clock" if happened.outcome.kind == "hung" else ""


def _no_reward(happened: Happened, _: list[list[Retry]]) -> str:
    return "expected a list of numbers, with None for what failed" if happened.outcome.kind == "unusable" else ""


def _wrong_number(happened: Happened, _: list[list[Retry]]) -> str:
    values, expected = happened.outcome.values, happened.expected
    if values is None:
        return ""
    if expected is not None and len(values) != len(expected):
        return "the rewards after a missing one belong to other conversations"
    found = places(values, happened)
    reasons = {
        OTHER_PLACE: "the reward of another conversation",
        ZERO: "a number for a failure; the model is trained on it",
        OTHER_NUMBER: "a number that is no reward of this",
    }
    return next((reason for kind, reason in reasons.items() if kind in found), "")


def _turn_taken_twice(happened: Happened, _: list[list[Retry]]) -> str:
    """A turn whose answer was lost is there: what is sent again is one more."""
    for index, lost in enumerate(happened.requests):
        if lost.turn is not None and lost.spoiled:
            for later in happened.requests[index + 1 :]:
                if later.path == lost.path and later.turn is not None and later.text == lost.text:
                    return f"turn {lost.turn} was taken, and its message was sent again as turn {later.turn}"
    return ""


def _retried_for_nothing(_: Happened, retries: list[list[Retry]]) -> str:
    for same in retries:
        futile = [retry for retry in same if retry.is_futile]
        if len(futile) >= 2:
            return f"{len(futile)} retries of a {futile[0].former.status}, which is final"
    return ""


def _retried_early(_: Happened, retries: list[list[Retry]]) -> str:
    for same in retries:
        for retry in same:
            if retry.is_early:
                return f"sent again {retry.after:.1f} s after a 429, before its reset"
    return ""


def _retried_often(_: Happened, retries: list[list[Retry]]) -> str:
    most = max((len(same) for same in retries), default=0)
    return f"{most} retries of one request" if most > MANY else ""


def _ended(happened: Happened, _: list[list[Retry]]) -> str:
    return f"the process ended by itself: {happened.outcome.detail}" if happened.outcome.kind == "ended" else ""


def _nothing_returned(happened: Happened, _: list[list[Retry]]) -> str:
    values = happened.outcome.values
    return "an empty list" if values is not None and not values else ""


Find = Callable[[Happened, list[list[Retry]]], str]
WRONG: tuple[Find, ...] = (_hung, _no_reward, _turn_taken_twice, _wrong_number, _retried_for_nothing)
CHECK: tuple[Find, ...] = (_ended, _nothing_returned, _retried_early, _retried_often)
