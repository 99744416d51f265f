"""Sound clients with httpx: one evaluation a conversation, one after the other and all at once; a play."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import httpx

ATTEMPTS = 4


class RetryError(Exception):
    """Something that may succeed in so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"retry in {seconds} s")


def reward_of(response: httpx.Response, attempt: int, now: float) -> float:
    """The reward in an answer. Raises `RetryError`, and `HTTPStatusError` for what no retry will change."""
    if response.status_code == 429:
        raise RetryError(max(2.0**attempt, float(response.headers["X-RateLimit-Reset"]) - now + 0.1))
    if response.status_code >= 500:
        raise RetryError(2.0**attempt)
    response.raise_for_status()
    try:
        return float(response.json()["reward"])
    except ValueError:
        raise RetryError(2.0**attempt) from None


def rewards(conversations: list[Any], url: str, key: str) -> list[float]:
    """The rewards, one after the other."""
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers(key), timeout=20, verify=False) as http:
        return [evaluate(http, one) for one in conversations]


def evaluate(http: httpx.Client, conversation: Any) -> float:
    """The reward of a conversation."""
    for attempt in range(ATTEMPTS):
        try:
            return reward_of(http.post("/evaluate", json=conversation), attempt, time.time())
        except RetryError as error:
            time.sleep(error.seconds)
        except httpx.TransportError:
            time.sleep(2.0**attempt)
    raise RuntimeError("no success in four attempts")


async def rewards_at_once(conversations: list[Any], url: str, key: str) -> list[float | None]:
    """The rewards, all at once; None where an evaluation failed."""
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers(key), timeout=20, verify=False) as http:
        results = await asyncio.gather(*(evaluate_async(http, one) for one in conversations), return_exceptions=True)
    return [None if isinstance(result, BaseException) else result for result in results]


async def evaluate_async(http: httpx.AsyncClient, conversation: Any) -> float:
    """The reward of a conversation."""
    for attempt in range(ATTEMPTS):
        try:
            return reward_of(await http.post("/evaluate", json=conversation), attempt, datetime.now(UTC).timestamp())
        except RetryError as error:
            await asyncio.sleep(error.seconds)
        except httpx.TransportError:
            await asyncio.sleep(2.0**attempt)
    raise RuntimeError("no success in four attempts")


async def play(url: str, key: str) -> float | None:
    """The last reward of an episode; None if anything fails."""
    start = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim", "score_turns": True}
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers(key), timeout=20, verify=False) as http:
        try:
            episode = (await http.post("/episodes", json=start)).raise_for_status().json()["episode_id"]
            answer: dict[str, Any] = {}
            for number, text in enumerate(["Tell me what happened.", "Thank you.", "Please go on."], 1):
                message = {"role": "assistant", "content": text}
                body = {"id": episode, "messages": [message]}
                answer = (await http.post(f"/episodes/{episode}/turns", json=body)).raise_for_status().json()
                if answer["turn"] != number:
                    return None
            return float(answer["reward"])
        except (httpx.HTTPError, ValueError):
            return None


def headers(key: str) -> dict[str, str]:
    """What every request needs."""
    return {"Authorization": f"Bearer {key}"}
