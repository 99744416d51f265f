"""A loop that sends the full history, and appends observations as they were received.

Documented: `messages` as the full history, and observations whose role is `assistant`.
Reconstructed: the loop, and what a policy says.
"""

from typing import Any

import httpx
import pytest

from labs_mock.testing import LabsMock

SCENARIO = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
TEXTS = [
    "Please tell me what happened.",
    "That sounds hard, thank you for telling me. Do you have any other work, a second job perhaps?",
    "I understand. How are you feeling about going back, are you worried?",
]
PROMPT = {"role": "system", "content": "You are a claims handler."}
Message = dict[str, Any]


def rollout(client: httpx.Client, history: list[Message]) -> tuple[list[float], list[Message]]:
    """The rewards of an episode's turns, and its history at the end; `history` is what stands in front of the opening."""
    episode = client.post("/episodes", json={**SCENARIO, "score_turns": True}).raise_for_status().json()
    history = [*history, episode["initial_observation"]]
    rewards = []
    for text in TEXTS:  # where a policy would respond to `history`
        history.append({"role": "assistant", "content": text})
        body = {"id": episode["episode_id"], "messages": history}
        answer = client.post(f"/episodes/{episode['episode_id']}/turns", json=body).raise_for_status().json()
        history.append(answer["observation"])
        rewards.append(answer["reward"])
    return rewards, history


@pytest.mark.parametrize("prompt", [[], [PROMPT]], ids=["no prompt", "a prompt"])
def test_a_history_is_one_turn_a_call(
    labs_mock_client: httpx.Client, labs_mock: LabsMock, prompt: list[Message]
) -> None:
    """The persona's lines in it are known, whatever their role; only what is new counts as a turn (EP-1, EP-4, EP-7)."""
    rewards, history = rollout(labs_mock_client, prompt)
    assert len(set(rewards)) == len(TEXTS)
    assert rewards == sorted(rewards)
    assert [request.turn for request in labs_mock.requests][1:] == [1, 2, 3]
    assert {message["role"] for message in history} == {"assistant"} | {message["role"] for message in prompt}
    labs_mock.assert_no_findings("info")


def test_a_history_evaluates_to_the_reward_of_its_episode(labs_mock_client: httpx.Client) -> None:
    """With its last observation or without, all in the role `assistant` as it was received (EP-8, EV-2)."""
    rewards, history = rollout(labs_mock_client, [])
    for messages in (history, history[:-1]):
        answer = labs_mock_client.post("/evaluate", json={**SCENARIO, "messages": messages})
        assert answer.json()["reward"] == rewards[-1]
