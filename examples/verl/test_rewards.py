"""A test of the rewards that verl trains on: each has to be that of its own response. No GPU, no server to start."""

import pytest

CLAIM = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
RESPONSES = [
    "Please tell me what happened.",
    "That sounds hard. Are you worried about going back?",
    "Do you have any other work, a second job perhaps?",
]


@pytest.mark.labs_mock(canary=True)
def test_each_response_has_its_own_reward(labs_mock_env):
    from scripted import OPENING, rewards  # now: what it loads reads LABS_URL, which the fixture has set

    conversations = [[OPENING, {"role": "assistant", "content": text}] for text in RESPONSES]
    labs_mock_env.assert_rewards(rewards(RESPONSES), conversations, **CLAIM)
