"""Clients with the classic mistakes, each in a few lines of the standard library."""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException
from math import isnan
from typing import Any

FAILURES = (OSError, HTTPException, ValueError)
START = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim", "score_turns": True}
TURNS = ["Tell me what happened.", "Thank you. Do you have a second job?", "I understand. Are you worried?"]


def post(path: str, body: Any, timeout: float | None = 10) -> Any:
    """The answer to one attempt."""
    headers = {"Authorization": f"Bearer {os.environ['LABS_API_KEY']}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{os.environ['LABS_URL']}/api/v1{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=timeout) as response:
        return json.load(response)


def reward(conversation: Any) -> float:
    """The reward of one conversation, in one attempt."""
    return float(post("/evaluate", conversation)["reward"])


def retry(path: str, body: Any) -> Any:
    """The answer to one of four attempts, whatever it was that failed."""
    for _ in range(3):
        with suppress(*FAILURES):
            return post(path, body)
        time.sleep(1)
    return post(path, body)


def failures_as_zero(conversations: list[Any]) -> list[float]:
    """Whatever fails is 0.0."""
    rewards = []
    for one in conversations:
        try:
            rewards.append(reward(one))
        except FAILURES:
            rewards.append(0.0)
    return rewards


def timeouts_as_zero(conversations: list[Any]) -> list[float]:
    """What takes too long is 0.0."""
    rewards = []
    for one in conversations:
        try:
            rewards.append(reward(one))
        except TimeoutError:
            rewards.append(0.0)
    return rewards


def retries_for_ever(conversations: list[Any]) -> list[float]:
    """Until it succeeds."""

    def evaluate(one: Any) -> float:
        while True:
            with suppress(*FAILURES):
                return reward(one)
            time.sleep(1)

    return [evaluate(one) for one in conversations]


def retries_whatever(conversations: list[Any]) -> list[float]:
    """Three retries, of a 400 too."""
    return [float(retry("/evaluate", one)["reward"]) for one in conversations]


def retries_at_once(conversations: list[Any]) -> list[float]:
    """Without a look at the reset, as often as it takes."""

    def evaluate(one: Any) -> float:
        while True:
            with suppress(urllib.error.HTTPError):
                return reward(one)

    return [evaluate(one) for one in conversations]


def as_completed_list(conversations: list[Any]) -> list[float]:
    """The first that is done comes first."""
    rewards: list[float] = []
    with ThreadPoolExecutor(len(conversations)) as pool:
        for one in conversations:
            pool.submit(lambda one: rewards.append(reward(one)), one)
            time.sleep(0.5)  # so that the first is the first to arrive
    return rewards


def without_failures(conversations: list[Any]) -> list[float]:
    """What failed is left out, so that others move up."""
    rewards = []
    for one in conversations:
        with suppress(*FAILURES):
            rewards.append(reward(one))
    return rewards


def batch(conversations: list[Any]) -> list[Any]:
    """The results of a batch, in one attempt."""
    items = [{"id": str(index), **one} for index, one in enumerate(conversations)]
    return list(post("/batch/evaluate", {"items": items})["results"])


def by_place(conversations: list[Any]) -> list[float]:
    """The results in the order in which they come, whatever their ids are."""
    return [result["reward"] for result in batch(conversations)]


def padded(conversations: list[Any]) -> list[float]:
    """What is missing is 0.0, at the end."""
    rewards = by_place(conversations)
    return rewards + [0.0] * (len(conversations) - len(rewards))


def error_items_as_zero(conversations: list[Any]) -> list[float]:
    """An item without a reward is 0.0."""
    return [result.get("reward", 0.0) for result in batch(conversations)]


def nan_as_zero(conversations: list[Any]) -> list[float]:
    """As a sum would otherwise be NaN."""
    return [0.0 if isnan(one) else one for one in by_place(conversations)]


def without_timeout(conversations: list[Any]) -> list[float]:
    """It waits for as long as it takes."""
    return [float(post("/evaluate", one, timeout=None)["reward"]) for one in conversations]


def raises_always(conversations: list[Any]) -> list[float]:
    """Even where nothing fails."""
    raise NotImplementedError(len(conversations))


def says_nothing(conversations: list[Any]) -> str:
    """No number at all."""
    return f"{len(conversations)} conversations"


def play_with(send: Callable[[str, Any], Any], checked: bool = False) -> float:
    """The last reward of an episode, each turn with the whole history."""
    episode = post("/episodes", START)
    history, last = [episode["initial_observation"]], 0.0
    for number, text in enumerate(TURNS, 1):
        history.append({"role": "assistant", "content": text})
        answer = send(f"/episodes/{episode['episode_id']}/turns", {"id": episode["episode_id"], "messages": history})
        assert answer["turn"] == number or not checked
        history.append(answer["observation"])
        last = answer["reward"]
    return last


def play_retrying() -> float:
    """A turn is sent again, though it may have been taken, and whatever the answer was."""
    return play_with(retry)


def play_unchecked() -> float:
    """Whatever comes is the answer."""
    return play_with(post)


def play_to_zero() -> float:
    """A play that fails has the reward 0.0."""
    try:
        return play_with(post, checked=True)
    except FAILURES:
        return 0.0
