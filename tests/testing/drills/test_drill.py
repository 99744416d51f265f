import re
from importlib.util import find_spec
from itertools import combinations

import pytest

from labs_mock.errors import LabsMockError
from labs_mock.testing import LabsMock, drill
from labs_mock.testing.drills.case_run import BEFORE_RESET, LIMIT, RATE, drill_library
from labs_mock.testing.drills.cases import BY_NAME, CASES
from labs_mock.testing.drills.judge import TOLERANCE
from tests.testing.conversation import post

MISTAKES = [
    ("failures_as_zero", "503-for-ever", "0.0 (6 of 6)"),
    ("timeouts_as_zero", "stall-head", "0.0 (1 of 6)"),
    ("retries_whatever", "status-400", "raised HTTPError"),
    ("as_completed_list", "slow", "wrong place (6 of 6)"),
    ("padded", "one-short", "wrong place (5 of 6)"),
    ("raises_always", "nothing-fails", "raised NotImplementedError"),
    ("play_retrying", "turn-answer-lost", "right"),
]
MORE = [
    ("failures_as_zero", "status-401", "0.0 (6 of 6)"),
    ("failures_as_zero", "no-json", "0.0 (1 of 6)"),
    ("without_failures", "503-once", "5 rewards for 6 conversations"),
    ("by_place", "other-order", "wrong place (6 of 6)"),
    ("by_place", "answer-of-another", "wrong place (6 of 6)"),
    ("error_items_as_zero", "error-item", "0.0 (1 of 6)"),
    ("nan_as_zero", "nan", "0.0 (1 of 6)"),
    ("says_nothing", "nothing-fails", "returned a str"),
    ("play_retrying", "episode-expired", "raised HTTPError"),
    ("play_unchecked", "answer-of-another", "another number"),
    ("play_to_zero", "turn-lost", "0.0"),
    ("retries_for_ever", "503-for-ever", "hung"),
    ("without_timeout", "stall-body", "hung"),
]


@pytest.mark.parametrize(
    ("function", "case", "result"), [*MISTAKES, *(pytest.param(*row, marks=pytest.mark.slow) for row in MORE)]
)
def test_each_classic_mistake_has_a_wrong_row(function: str, case: str, result: str) -> None:
    """The row says what the function did, and that it is wrong."""
    (row,) = drill(f"broken:{function}", cases=[case]).rows
    assert (row.rating, row.result) == ("wrong", result), row


def test_what_may_be_meant_is_to_be_checked() -> None:
    """The right rewards after retries that do not wait for the reset."""
    (row,) = drill("broken:retries_at_once", cases=["429-reset-ahead"]).rows
    assert (row.rating, row.result) == ("check", "right"), row
    assert "before its reset" in row.reason
    assert row.retries > 1


OF_BATCHES = {"error-item", "other-order", "one-short", "answer-of-another"}
SOUND = [  # and the cases that no request of theirs meets
    ("sound_urllib:rewards", {"one-fails"}),
    ("sound_urllib:play", set()),
    ("sound_httpx:rewards", OF_BATCHES),
    ("sound_httpx:rewards_at_once", OF_BATCHES),
    ("sound_httpx:play", set()),
    pytest.param(
        "sound_aiohttp:rewards_at_once",
        OF_BATCHES,
        marks=pytest.mark.skipif(find_spec("aiohttp") is None, reason="needs aiohttp"),
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("function", "unmet"), SOUND)
def test_a_sound_client_gets_good_rows_only(function: str, unmet: set[str]) -> None:
    """Whichever library it uses, sync or async; cases that it does not meet are skipped."""
    report = drill(function)
    assert {row.case for row in report.rows if row.rating != "good"} == unmet, report
    assert {row.case for row in report.rated("skipped")} == unmet


@pytest.mark.slow
def test_every_case_has_a_client_that_does_it_wrong() -> None:
    """Most of them the one that makes each failure a 0.0, the others one of those above."""
    of_zeros = {row.case for row in drill("broken:failures_as_zero").rated("wrong")}
    of_others = {case for _, case, _ in (*MISTAKES, *MORE)}
    assert of_zeros | of_others == set(BY_NAME)


@pytest.mark.parametrize("function", ["sound_urllib:rewards", "sound_urllib:play"])
def test_a_sound_client_passes_at_a_glance(function: str) -> None:
    """The same in a few cases."""
    report = drill(function, cases=["nothing-fails", "503-once", "429-reset-past", "reset-after"])
    assert [row.rating for row in report.rows] == ["good"] * 4, report


def test_a_drill_runs_the_cases_that_a_function_can_meet() -> None:
    """In the order of the table; a play meets no batches, and functions over conversations no lost turns."""
    assert [case.name for case in CASES if case.only == "play"] == ["turn-lost", "turn-answer-lost", "episode-expired"]
    report = drill("broken:raises_always", cases=["503-once", "nothing-fails"])
    assert [row.case for row in report.rows] == ["nothing-fails", "503-once"]
    assert (report.function, report.passed) == ("broken:raises_always", False)
    assert str(report).splitlines()[1:] == [str(row) for row in report.rows]


@pytest.mark.parametrize(
    ("function", "case", "expected"),
    [
        ("broken:by_place", "turn-lost", "case turn-lost: broken:by_place cannot meet it; it is one of play()"),
        ("broken:play_unchecked", "one-short", "cannot meet it; it is one of function(conversations)"),
        ("broken:by_place", "no-jsn", "no case 'no-jsn'; did you mean 'no-json'?"),
    ],
)
def test_a_case_that_cannot_be_met_is_refused(function: str, case: str, expected: str) -> None:
    """Before anything runs."""
    with pytest.raises(LabsMockError, match=re.escape(expected)):
        drill(function, cases=[case])


def test_the_limit_is_a_minute() -> None:
    """Five seconds of real time, as the page and the rows say (and twelve times as fast)."""
    assert (LIMIT, RATE, LIMIT * RATE, BEFORE_RESET) == (5, 12, 60, 15)
    assert "fifteen seconds ahead" in BY_NAME["429-reset-ahead"].happens


def test_the_conversations_tell_places_apart() -> None:
    """Rewards differ by more than the tolerance, none is 0, and neither they nor the lengths are in order."""
    conversations = drill_library().conversations
    rewards = [one.reward for one in conversations]
    lengths = [len(str(one.body)) for one in conversations]
    assert all(abs(one - other) > 4 * TOLERANCE for one, other in combinations([0.0, *rewards], 2))
    for order in (rewards, lengths):
        assert order not in (sorted(order), sorted(order, reverse=True))


def test_the_server_gives_the_rewards_that_are_expected() -> None:
    """Over HTTP, in which the bodies are those that a function gets (EV-1)."""
    with LabsMock() as mock:
        for one in drill_library().conversations:
            assert post(mock, "evaluate", one.body).json()["reward"] == one.reward
        mock.assert_no_findings()
