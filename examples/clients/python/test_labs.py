"""Tests of the client beside this file. `labs_mock` fails each of them, too, for what the service would take silently."""

import httpx
import pytest
from labs import Labs, Refused

CLAIM = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
MESSAGES = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "What happened?"}]


@pytest.fixture
def labs(labs_mock, labs_mock_time):  # with the second the client's time is the server's: nobody waits
    with Labs(labs_mock.url, labs_mock.api_key) as client:
        yield client


def test_it_plays_an_episode(labs):
    assert labs.play(CLAIM, ["Please tell me what happened.", "That sounds hard. Do you have a second job?"]) > 0.3


@pytest.mark.labs_mock(plan="standard")
def test_it_waits_for_the_next_minute(labs, labs_mock_time):
    rewards = [labs.evaluate(CLAIM, MESSAGES) for _ in range(61)]
    assert len(set(rewards)) == 1
    assert labs_mock_time.sleeps == [60]


FAULTS = [{"status": 503}, {"close": True}, {"cut": 20}, {"garbage": True}, {"status": 429}]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_it_evaluates_again(labs, labs_mock, fault):
    expected = labs.evaluate(CLAIM, MESSAGES)
    labs_mock.add_fault(path="/api/v1/evaluate", first=1, **fault)
    assert labs.evaluate(CLAIM, MESSAGES) == expected


def test_it_gives_up_after_three_attempts(labs, labs_mock, labs_mock_time):
    labs_mock.add_fault(path="/api/v1/evaluate", status=503)
    with pytest.raises(httpx.HTTPStatusError, match="503"):
        labs.evaluate(CLAIM, MESSAGES)
    assert labs_mock_time.sleeps == [1, 4]


def test_it_takes_no_turn_twice(labs, labs_mock):
    labs_mock.add_fault(path="*/turns", nth=2, close=True)
    with pytest.raises(httpx.RemoteProtocolError):
        labs.play(CLAIM, ["Please tell me what happened.", "Do you have a second job?"])
    assert labs_mock.episodes().episodes[0].turn == 2  # it was taken, and its answer was lost


def test_it_raises_what_is_refused(labs, labs_mock):
    with labs_mock.expect(status=404), pytest.raises(Refused, match="404 Scenario not found"):
        labs.evaluate({**CLAIM, "scenario_slug": "lower-back-clam"}, MESSAGES)
    labs_mock.assert_requested("POST", "/api/v1/evaluate", times=1)
