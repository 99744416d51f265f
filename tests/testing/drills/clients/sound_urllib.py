"""Sound clients with the standard library alone: rewards in batches, and a play."""

import json
import os
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any

ATTEMPTS = 4
TURNS = ["Tell me what happened.", "Thank you. Do you have a second job?", "I understand. Are you worried?"]
START = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim", "score_turns": True}


def post(path: str, body: Any, attempts: int = ATTEMPTS) -> Any:
    """The answer, after a few attempts. Raises what the last one did; a refusal of the request itself at once."""
    headers = {"Authorization": f"Bearer {os.environ['LABS_API_KEY']}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{os.environ['LABS_URL']}/api/v1{path}", json.dumps(body).encode(), headers)
    for attempt in range(attempts):
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if (error.code < 500 and error.code != 429) or attempt == attempts - 1:
                raise
            wait = 2.0**attempt
            if error.code == 429:
                wait = max(wait, float(error.headers["X-RateLimit-Reset"]) - time.time() + 0.1)
        except (OSError, HTTPException, ValueError):
            if attempt == attempts - 1:
                raise
            wait = 2.0**attempt
        time.sleep(wait)
    raise AssertionError


def rewards(conversations: list[Any]) -> list[float | None]:
    """The rewards of one batch, found by id; None for an error item."""
    items = [{"id": str(index), **one} for index, one in enumerate(conversations)]
    results = {result["id"]: result for result in post("/batch/evaluate", {"items": items})["results"]}
    return [results[item["id"]].get("reward") for item in items]


def play() -> float:
    """The last reward of an episode. A turn is sent once: whether one was taken whose answer was lost, nobody knows."""
    episode = post("/episodes", START)
    history, reward = [episode["initial_observation"]], 0.0
    for number, text in enumerate(TURNS, 1):
        history.append({"role": "assistant", "content": text})
        body = {"id": episode["episode_id"], "messages": history}
        answer = take_turn(f"/episodes/{episode['episode_id']}/turns", body)
        if answer["turn"] != number:
            raise RuntimeError(f"the answer to another turn: {answer['turn']}, expected {number}")
        history.append(answer["observation"])
        reward = answer["reward"]
    return reward


def take_turn(path: str, body: Any) -> Any:
    """The answer to a turn; only one that was certainly not taken, since the quota was used up, is sent again."""
    for _ in range(ATTEMPTS):
        try:
            return post(path, body, attempts=1)
        except urllib.error.HTTPError as error:
            if error.code != 429:
                raise
            time.sleep(max(1.0, float(error.headers["X-RateLimit-Reset"]) - time.time() + 0.1))
    raise RuntimeError("the quota stays used up")
