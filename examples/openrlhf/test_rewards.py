"""A test of the rewards that OpenRLHF trains on: each has to be that of its own conversation. No GPU, no server to start."""

import pytest

ROLLOUTS = [
    ["Please tell me what happened.", "Do you have any other work, a second job perhaps?"],
    ["That sounds hard. Are you worried about going back?", "Please tell me what happened."],
    ["Have you seen a doctor?", "I will call you when I have the papers."],
]


@pytest.mark.labs_mock(canary=True)
def test_each_episode_has_its_own_reward(labs_mock_env):
    from scripted import CLAIM, END, play  # now: it reads LABS_URL, which the fixture has set

    played = [play(lines) for lines in ROLLOUTS]
    conversations = [said(one, END) for one in played]
    labs_mock_env.assert_rewards([one["reward"] for one in played], conversations, **CLAIM)


def said(played, end):
    """The conversation by the tokens that are trained on; what the persona said makes no difference to the reward."""
    messages = []
    for first, last in played["action_ranges"]:
        text = bytes(played["observation_tokens"][first:last]).decode().removesuffix(end)
        messages += [{"role": "user", "content": "(the persona)"}, {"role": "assistant", "content": text}]
    return messages
