"""What a trainer makes of rewards and conversations, in a few lines each: soundly, and with a mistake."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import mean, stdev

import httpx

from tests.broken_clients.conversations import GROUPS, Messages
from tests.broken_clients.evaluations import reward_of


def relative(rewards: Sequence[float], groups: Sequence[Sequence[int]]) -> list[float]:
    """Rewards minus the mean of their group, divided by its deviation."""
    advantages = [0.0] * len(rewards)
    for group in groups:
        found = [rewards[number] for number in group]
        for number in group:
            advantages[number] = (rewards[number] - mean(found)) / (stdev(found) + 1e-4)
    return advantages


def sound_advantages(http: httpx.Client, conversations: Sequence[Messages]) -> list[float]:
    """Relative to the rollouts of a group, by their numbers."""
    return relative([reward_of(http, messages) for messages in conversations], GROUPS)


def advantages_by_prompt(http: httpx.Client, conversations: Sequence[Messages]) -> list[float]:
    """Relative to the rollouts with an equal prompt."""
    prompts = defaultdict(list)
    for number, messages in enumerate(conversations):
        prompts[messages[0]["content"]].append(number)
    return relative([reward_of(http, messages) for messages in conversations], list(prompts.values()))


def sound_texts(_: object, conversations: Sequence[Messages]) -> list[list[str]]:
    """The operator's messages, with the token that ends them."""
    return [
        [f"{message['content']}<|im_end|>" for message in messages if message["role"] == "assistant"]
        for messages in conversations
    ]


def texts_with_observations(_: object, conversations: Sequence[Messages]) -> list[list[str]]:
    """All behind the prompt."""
    return [[f"{message['content']}<|im_end|>" for message in messages[1:]] for messages in conversations]
