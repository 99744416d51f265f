"""A training loop without a framework: episodes at once, group-relative advantages, a policy that learns what to say."""

import asyncio
import math
import os
import random
import statistics
import time

import httpx

URL, KEY = os.environ.get("LABS_URL", "http://127.0.0.1:8765"), os.environ.get("LABS_API_KEY", "lab_local")
SCENARIO = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim", "score_turns": True}
PHRASES = (
    "Please tell me what happened.",
    "That sounds hard, thank you for telling me.",
    "Do you have any other work, a second job perhaps?",
    "You should have been more careful.",
)
STEPS, GROUP, TURNS, RATE, AT_ONCE = 10, 16, 3, 1.0, 8


class Labs(httpx.AsyncClient):
    """Raises what the service refuses. Where it fails, there is None: the call may have been taken, so it is not made again."""

    def __init__(self):
        super().__init__(base_url=f"{URL}/api/v1", headers={"Authorization": f"Bearer {KEY}"}, timeout=10)
        self.free = asyncio.Semaphore(AT_ONCE)

    async def call(self, path, body):
        for _ in range(4):
            try:
                async with self.free:
                    response = await self.post(path, json=body)
                if response.status_code != 429:
                    return None if response.status_code >= 500 else response.raise_for_status().json()
            except (httpx.TransportError, ValueError):  # no answer, or one that is no JSON
                return None
            await asyncio.sleep(max(1, int(response.headers["X-RateLimit-Reset"]) - time.time()))
        return None


async def rollout(labs, said):
    """The reward of an episode, which is that of its last turn; None if a call failed."""
    answer = episode = await labs.call("/episodes", SCENARIO)
    for number, text in enumerate(said, 1):
        if answer and not answer.get("episode_complete"):
            turn = {"id": episode["episode_id"], "messages": [{"role": "assistant", "content": text}]}
            answer = await labs.call(f"/episodes/{episode['episode_id']}/turns", turn)
            answer = answer if answer and answer["turn"] == number else None  # the answer to another request
    return answer and answer["reward"]


def advantages(rewards):
    """Relative to the group, in which a rollout without a reward does not count."""
    known = [reward for reward in rewards if reward is not None]
    mean, deviation = statistics.fmean(known or [0.0]), statistics.stdev(known) if len(known) > 1 else 0.0
    return [0.0 if reward is None else (reward - mean) / (deviation + 1e-4) for reward in rewards]


async def train():
    """Yields what was said in the rollouts of each step, their rewards and advantages."""
    chance, logits = random.Random(0), dict.fromkeys(PHRASES, 0.0)
    async with Labs() as labs:
        for _ in range(STEPS):
            said = [chance.choices(PHRASES, map(math.exp, logits.values()), k=TURNS) for _ in range(GROUP)]
            rewards = await asyncio.gather(*(rollout(labs, one) for one in said))
            used = advantages(rewards)
            yield said, rewards, used
            for text, advantage in ((text, one) for texts, one in zip(said, used, strict=True) for text in texts):
                logits[text] += RATE * advantage / GROUP


async def main():
    async for _, rewards, _ in train():
        print(f"mean reward {statistics.fmean(one for one in rewards if one is not None):.3f}")


if __name__ == "__main__":
    asyncio.run(main())
