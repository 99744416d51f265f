"""Clients of `/evaluate`, each a few lines: a sound one, and some with a mistake. Each gives a reward a conversation."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from queue import Empty, Queue
from typing import Any

import httpx

from tests.broken_clients.conversations import SCENARIO, Messages

Rewards = Sequence[float | None]
Client = Callable[[httpx.Client, Sequence[Messages]], Rewards]


def reward_of(http: httpx.Client, messages: Messages) -> float:
    """The reward of a conversation. Raises `httpx.HTTPError`."""
    response = http.post("/evaluate", json={**SCENARIO, "messages": messages}).raise_for_status()
    return float(response.json()["reward"])


def sound(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """Several at a time, each tried again after a 5xx or a lost answer, and after a 429 when the quota is full again.

    None where that did not help, or would not, as after a 400.
    """

    def reward(messages: Messages) -> float | None:
        for _ in range(3):
            try:
                return reward_of(http, messages)
            except httpx.HTTPStatusError as error:
                response = error.response
                if response.status_code == 400:
                    return None
                if response.status_code == 429:
                    time.sleep(max(0, int(response.headers["X-RateLimit-Reset"]) - time.time()))
                elif response.status_code < 500:
                    raise
            except httpx.TransportError:
                pass
        return None

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(reward, conversations))


def sorted_by_length(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """The short ones first."""
    return [reward_of(http, messages) for messages in sorted(conversations, key=lambda one: len(str(one)))]


def backwards(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """Work is taken from the end of a list."""
    waiting, rewards = list(conversations), []
    while waiting:
        rewards.append(reward_of(http, waiting.pop()))
    return rewards


def as_they_come(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """Rewards in the order in which they are ready."""
    with ThreadPoolExecutor(len(conversations)) as pool:
        return [
            future.result()
            for future in as_completed([pool.submit(reward_of, http, messages) for messages in conversations])
        ]


def one_off(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """A reward is stored once the next request is made, at the index of that."""
    rewards, last = [0.0] * len(conversations), 0.0
    for index, messages in enumerate(conversations):
        rewards[index] = last
        last = reward_of(http, messages)
    return rewards


def late_replies(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """One connection and a queue of its replies; what comes after the timeout stays in the queue."""
    replies: Queue[float] = Queue()

    def reward(messages: Messages) -> float | None:
        connection.submit(lambda: replies.put(reward_of(http, messages)))
        try:
            return replies.get(timeout=0.6)
        except Empty:
            return None

    with ThreadPoolExecutor(1) as connection:
        return [reward(messages) for messages in conversations]


def zero_for(error: type[Exception], **options: Any) -> Client:
    """A client for which such an error is a reward of 0; some options of the request are its own."""

    def client(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
        def reward(messages: Messages) -> float:
            try:
                response = http.post(
                    "/evaluate", **{"json": {**SCENARIO, "messages": messages}, "timeout": 0.5, **options}
                )
                return float(response.raise_for_status().json()["reward"])
            except error:
                return 0.0

        return [reward(messages) for messages in conversations]

    return client


def misspelt(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """A scenario that there is not, and a default for the field that an error does not have."""
    body = {**SCENARIO, "scenario_slug": "lower-back-clam"}
    return [
        http.post("/evaluate", json={**body, "messages": messages}).json().get("reward", 0.0)
        for messages in conversations
    ]


def history_twice(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """The history, and then the messages, which begin with it."""
    return [reward_of(http, [*messages[:-1], *messages]) for messages in conversations]


def saying(text: str) -> Client:
    """A client whose policy ends each conversation with a text as it came out of the decoder."""

    def client(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
        message = {"role": "assistant", "content": text}
        return [reward_of(http, [*messages[:-1], message]) for messages in conversations]

    return client


def retried_at_once(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """Whatever is refused is sent again at once, five times at most."""

    def reward(messages: Messages) -> float | None:
        for _ in range(6):
            response = http.post("/evaluate", json={**SCENARIO, "messages": messages})
            if response.is_success:
                return float(response.json()["reward"])
        return None

    return [reward(messages) for messages in conversations]


def beyond_the_quota(client: Client) -> Client:
    """A client when the quota of the standard plan is used up."""

    def later(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
        for _ in range(60):
            http.get("/catalog")
        return client(http, conversations)

    return later


def not_a_number(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """`json.loads` reads NaN, and nobody looks."""
    return [reward_of(http, messages) for messages in conversations]
