"""Clients of `/batch/evaluate`, each a few lines: a sound one, and some with a mistake."""

from collections.abc import Sequence
from typing import Any

import httpx

from tests.broken_clients.conversations import SCENARIO, Messages
from tests.broken_clients.evaluations import Rewards


def results_of(http: httpx.Client, conversations: Sequence[Messages]) -> list[dict[str, Any]]:
    """The results of a batch whose items are numbered."""
    items = [{**SCENARIO, "id": str(index), "messages": messages} for index, messages in enumerate(conversations)]
    found: list[dict[str, Any]] = (
        http.post("/batch/evaluate", json={"items": items}).raise_for_status().json()["results"]
    )
    return found


def sound(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """By id, and None for an item that failed or has no result."""
    rewards = {result["id"]: result.get("reward") for result in results_of(http, conversations)}
    return [rewards.get(str(index)) for index in range(len(conversations))]


def padded(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """A list that is too short, made as long as it should be."""
    rewards = [result["reward"] for result in results_of(http, conversations)]
    return rewards + [0.0] * (len(conversations) - len(rewards))


def zero_for_an_error(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """0 for an item that has an error instead of a reward."""
    return [result.get("reward", 0.0) for result in results_of(http, conversations)]
