"""The conversations that all clients of this folder have: eight of three turns, no two with the same reward."""

from collections.abc import Sequence
from typing import Any

from tests.trainers.rollouts import CLAIM, OPENING, SCRIPTS

Messages = Sequence[dict[str, Any]]

SCENARIO = CLAIM


def conversation(prompt: dict[str, Any], texts: Sequence[str]) -> Messages:
    """Turns of an operator, each after something of the persona's, the prompt at first."""
    return [
        message
        for number, text in enumerate(texts)
        for message in (
            {"role": "user", "content": f"That is so, {number}."} if number else prompt,
            {"role": "assistant", "content": text},
        )
    ]


PROMPTS = [OPENING] * 6 + [{"role": "user", "content": "Good morning."}] * 2
CONVERSATIONS = [conversation(prompt, texts) for prompt, texts in zip(PROMPTS, SCRIPTS, strict=True)]

GROUPS = [[0, 1, 2], [3, 4, 5], [6, 7]]
"""The rollouts of each group; two groups have one prompt."""
