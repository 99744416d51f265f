"""A sound client with aiohttp, all at once."""

import asyncio
import time
from typing import Any

import aiohttp

ATTEMPTS = 4


async def rewards_at_once(conversations: list[Any], url: str, key: str) -> list[float | None]:
    """The rewards; None where an evaluation failed."""
    headers, timeout = {"Authorization": f"Bearer {key}"}, aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(f"{url}/api/v1/", headers=headers, timeout=timeout) as http:
        return await asyncio.gather(*(evaluate(http, one) for one in conversations))


async def evaluate(http: aiohttp.ClientSession, conversation: Any) -> float | None:
    """The reward of a conversation, None after four attempts."""
    for attempt in range(ATTEMPTS):
        wait = 2.0**attempt
        try:
            async with http.post("evaluate", json=conversation) as response:
                if response.status == 200:
                    return float((await response.json(content_type=None))["reward"])
                if response.status == 429:
                    wait = max(wait, float(response.headers["X-RateLimit-Reset"]) - time.time() + 0.1)
                elif response.status < 500:
                    return None
        except (aiohttp.ClientError, TimeoutError, ValueError):
            pass
        await asyncio.sleep(wait)
    return None
