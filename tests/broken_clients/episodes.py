"""Clients that play episodes, each a few lines: a sound one, and some with a mistake. They say what the operator says in each conversation."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import httpx

from tests.broken_clients.conversations import SCENARIO, Messages
from tests.broken_clients.evaluations import Rewards

Response = dict[str, Any]


def create(http: httpx.Client, **options: Any) -> Response:
    """A new episode."""
    episode: Response = http.post("/episodes", json={**SCENARIO, **options}).raise_for_status().json()
    return episode


def take_turn(http: httpx.Client, episode_id: str, messages: Messages) -> Response:
    """The response to a turn. Raises `httpx.HTTPError`."""
    body = {"id": episode_id, "messages": messages}
    response: Response = http.post(f"/episodes/{episode_id}/turns", json=body).raise_for_status().json()
    return response


def said(messages: Messages) -> list[dict[str, Any]]:
    """The operator's messages of a conversation."""
    return [message for message in messages if message["role"] == "assistant"]


def turns(http: httpx.Client, messages: Messages, score_turns: bool = True) -> Iterator[Response]:
    """The responses of an episode that is played with new messages alone."""
    episode_id = create(http, score_turns=score_turns)["episode_id"]
    for message in messages:
        yield take_turn(http, episode_id, [message])


def sound(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """With the whole history; after a lost answer the episode is played again from its beginning."""

    def play(messages: Messages) -> float | None:
        episode, reward = create(http, score_turns=True), None
        history = [episode["initial_observation"]]
        for message in said(messages):
            response = take_turn(http, episode["episode_id"], [*history, message])
            history += [message, response["observation"]]
            reward = response["reward"]
        return reward

    def reward_of(messages: Messages) -> float | None:
        for _ in range(3):
            with suppress(httpx.TransportError):
                return play(messages)
        return None

    return [reward_of(messages) for messages in conversations]


def summed(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """The rewards of the turns, added up."""
    return [sum(turn["reward"] for turn in turns(http, said(messages))) for messages in conversations]


def last_turn_kept(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """The rollout is full after the last message, and nobody sends that."""
    return [[turn["reward"] for turn in turns(http, said(messages)[:-1])][-1] for messages in conversations]


def unscored(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """Episodes without `score_turns`."""
    return [[turn["reward"] for turn in turns(http, said(messages), False)][-1] for messages in conversations]


def retried_with_history(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """A turn whose answer was lost is sent once more, with the whole history."""

    def play(messages: Messages) -> float:
        episode = create(http, score_turns=True)
        history, reward = [episode["initial_observation"]], 0.0
        for message in said(messages):
            history.append(message)
            try:
                response = take_turn(http, episode["episode_id"], history)
            except httpx.TransportError:
                response = take_turn(http, episode["episode_id"], history)
            history.append(response["observation"])
            reward = response["reward"]
        return reward

    return [play(messages) for messages in conversations]


def retried(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """A turn whose answer was lost is sent once more, with its new messages."""

    def play(messages: Messages) -> float:
        episode_id, reward = create(http, score_turns=True)["episode_id"], 0.0
        for message in said(messages):
            try:
                response = take_turn(http, episode_id, [message])
            except httpx.TransportError:
                response = take_turn(http, episode_id, [message])
            reward = response["reward"]
        return reward

    return [play(messages) for messages in conversations]


def history_twice(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """`initial_observation`, and then a history that begins with it."""
    episode = create(http, score_turns=True)
    history = [episode["initial_observation"], conversations[0][1]]
    return [take_turn(http, episode["episode_id"], [episode["initial_observation"], *history])["reward"]]


def stale_id(http: httpx.Client, conversations: Sequence[Messages]) -> Rewards:
    """Two rollouts in turn, and the id of the episode is that of the client, not of the rollout."""
    histories: list[list[dict[str, Any]]] = [[], []]
    episode_id, rewards = "", [0.0, 0.0]
    for turn in range(2):
        for number, history in enumerate(histories):
            if not history:
                episode = create(http, score_turns=True)
                episode_id = episode["episode_id"]
                history.append(episode["initial_observation"])
            history.append(said(conversations[number])[turn])
            response = take_turn(http, episode_id, history)
            history.append(response["observation"])
            rewards[number] = response["reward"]
    return rewards
