"""A client of the Labs API: it plays episodes and scores conversations.

Where there is no reward it raises. A failure that becomes 0.0 would be trained on as the worst of all answers.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import httpx

Message = dict[str, Any]
Policy = Callable[[list[Message], list[dict[str, Any]]], Message]
"""Your model: from the conversation so far and the tools to its next message, `content` and perhaps `tool_calls`."""
ATTEMPTS = 4


class LabsError(Exception):
    """The service refused a request, or did not respond. The message is the service's own where it sent one."""


@dataclass
class Played:
    """An episode that has ended: the conversation, its last reward in [0, 1], and why it ended."""

    messages: list[Message]
    reward: float
    terminal_reason: str


class Client:
    """A client with an address, such as http://127.0.0.1:8765, and a key."""

    def __init__(self, url: str, api_key: str) -> None:
        headers = {"Authorization": f"Bearer {api_key}"}
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1", headers=headers, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def play(self, collection: str, scenario: str, policy: Policy) -> Played:
        """Play an episode to its end. Raises `LabsError`."""
        slugs = {"collection_slug": collection, "scenario_slug": scenario}
        episode = self.post("/episodes", {**slugs, "score_turns": True})
        path = f"/episodes/{episode['episode_id']}/turns"
        # The persona is the `user`, as chat templates and /evaluate want it.
        messages: list[Message] = [{"role": "user", "content": episode["initial_observation"]["content"]}]
        for number in range(1, 51):  # no episode is longer
            message = {"role": "assistant", **policy(messages, episode["tools"])}
            # A turn is not sent again after an error: it may have been taken, and would be taken twice.
            answer = self.post(path, {"id": episode["episode_id"], "messages": [message]}, again=False)
            if answer["turn"] != number:
                raise LabsError(f"{path}: expected turn {number}, got the answer to turn {answer['turn']}")
            messages += [message, {"role": "user", "content": answer["observation"]["content"]}]
            if answer["episode_complete"]:
                return Played(messages, reward_in(answer), answer["terminal_reason"])
        raise LabsError(f"{path}: the episode does not end")

    def score(self, collection: str, scenario: str, messages: list[Message]) -> float:
        """The reward in [0, 1] of a whole conversation. Raises `LabsError`."""
        slugs = {"collection_slug": collection, "scenario_slug": scenario}
        return reward_in(self.post("/evaluate", {**slugs, "messages": messages}))

    def post(self, path: str, body: dict[str, Any], *, again: bool = True) -> dict[str, Any]:
        """The body of a response, after a 429 once the rate limit has been reset.

        If `again`, a request without a response, or with an error of the server, is sent again, later each time.
        Raises `LabsError` for everything else.
        """
        problem = ""
        for attempt in range(ATTEMPTS):
            pause = 2.0**attempt
            try:
                response = self._http.post(path, json=body)
                if response.status_code == 200:
                    return dict(response.json())
                problem = f"{response.status_code} {message_of(response)}"
                if response.status_code == 429:
                    # Until the quota is full again, by the service's clock: never less than a second by ours.
                    pause = max(1.0, int(response.headers["X-RateLimit-Reset"]) - time.time())
                elif response.status_code < 500 or not again:
                    break
            except (httpx.TransportError, ValueError) as error:  # no response, or one that is not JSON
                problem = f"no answer: {error}"
                if not again:
                    break
            if attempt < ATTEMPTS - 1:
                time.sleep(pause)
        raise LabsError(f"POST {path}: {problem}")


def message_of(response: httpx.Response) -> str:
    """What the service says is wrong."""
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):  # a proxy's page, perhaps
        return response.text[:200]


def reward_in(answer: dict[str, Any]) -> float:
    """The reward of an answer. Raises `LabsError` for one that is no number in [0, 1], such as NaN."""
    reward = answer.get("reward")
    if not isinstance(reward, float | int) or not 0 <= reward <= 1:
        raise LabsError(f"expected a reward in [0, 1], got {reward!r}")
    return float(reward)
