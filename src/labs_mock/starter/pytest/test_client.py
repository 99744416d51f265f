"""Tests of `client.py`, or of your own client in its place; `pytest` runs them.

With the fixture `labs_mock` each test has a server of its own on this machine. A test fails, too, if a request was refused and
the test did not expect that, or if the client made a mistake that the service would take silently.
"""

import itertools
from typing import Any

import pytest
from client import Client, LabsError, Message, Played

from labs_mock.testing import LabsMock

SCENARIO = "case-management", "lower-back-claim"  # `labs-mock scenarios` lists all of them
CONVERSATION = [
    {"role": "user", "content": "Hello."},
    {"role": "assistant", "content": "Please tell me what happened."},
]

MESSAGES: list[Message] = [
    {"content": "I am sorry to hear that. Please tell me what happened."},
    {"content": "Thank you for telling me. Do you have any other work, a second job perhaps?"},
    {"content": "I understand. Are you worried about going back?"},
    {
        "content": "I will call you when I have the papers.",
        "tool_calls": [{"type": "decision", "name": "claim_status", "input": {"value": "pending_info"}}],
    },
]


def policy(messages: list[Message], tools: list[dict[str, Any]]) -> Message:
    """The next message of the operator. Your model goes here; this one has learnt its lines."""
    return MESSAGES[len(messages) // 2]


def play(mock: LabsMock) -> Played:
    """Play an episode. Your client goes here, and in the tests below."""
    with Client(mock.url, mock.api_key) as client:
        return client.play(*SCENARIO, policy)


def test_an_episode_has_a_reward(labs_mock: LabsMock) -> None:
    """The operator is rewarded, and the whole conversation has the same reward as the episode."""
    played = play(labs_mock)
    assert played.reward > 0.5
    assert played.terminal_reason == "completed"
    with Client(labs_mock.url, labs_mock.api_key) as client:
        assert client.score(*SCENARIO, played.messages) == played.reward


def test_a_refusal_is_raised(labs_mock: LabsMock) -> None:
    """A scenario that is misspelt is an error with the service's message, and no reward."""
    with (
        labs_mock.expect(status=404),
        Client(labs_mock.url, labs_mock.api_key) as client,
        pytest.raises(LabsError, match="Scenario not found"),
    ):
        client.score("case-management", "lower-back-clam", CONVERSATION)


@pytest.mark.labs_mock(faults=[{"path": "/api/v1/evaluate", "nth": 1, "status": 503}])
@pytest.mark.usefixtures("labs_mock_time")  # pauses take no time
def test_a_failure_of_the_server_is_survived(labs_mock: LabsMock) -> None:
    """The server fails once, and the reward is the right one all the same."""
    with Client(labs_mock.url, labs_mock.api_key) as client:
        assert client.score(*SCENARIO, CONVERSATION) > 0
    labs_mock.assert_requested("POST", "/api/v1/evaluate", times=2)


@pytest.mark.labs_mock(faults=[{"path": "*/turns", "nth": 2, "reset": 40}])
def test_a_turn_is_not_taken_twice(labs_mock: LabsMock) -> None:
    """The answer to the second turn is lost; the turn is not sent again, since it was taken."""
    with pytest.raises(LabsError, match="no answer"):
        play(labs_mock)
    labs_mock.assert_requested("POST", "*/turns", times=2)


@pytest.mark.labs_mock(plan="standard", clock="frozen:2026-01-01T12:00:15Z")
def test_the_rate_limit_is_respected(labs_mock: LabsMock, labs_mock_time: Any) -> None:
    """The plan has 60 requests a minute: the client waits for the next minute, and gets all of its rewards."""
    with Client(labs_mock.url, labs_mock.api_key) as client:
        rewards = [client.score(*SCENARIO, CONVERSATION) for _ in itertools.repeat(None, 61)]
    assert len(rewards) == 61
    assert labs_mock_time.sleeps == [45]
