"""Turns of episodes: with the new message alone, and with the whole history, against the ceiling for such a body.

What is compared is the time that the servers' first threads had a processor.
"""

from contextlib import AbstractContextManager
from itertools import cycle, islice
from statistics import mean, median
from typing import Any, NamedTuple

import orjson

from benchmarks.client import Client
from benchmarks.figures import Figure, ratio
from benchmarks.library import LONG_CLAIM, library
from benchmarks.servers import CEILING, LABS_MOCK, Server, running
from benchmarks.templates import MARK, SHORT, content, numbers, post

ROUNDS = 6
EPISODES = 192  # a round
TURNS = 45
EARLY = 3
CEILING_REQUESTS = 3_000  # a round


class Turns(NamedTuple):
    """A turn with a new message and one with the history as multiples of the ceiling, and a late turn of an early one."""

    new: Figure
    history: Figure
    late: Figure


class Exchanged(NamedTuple):
    """Requests of one kind, their responses, and the microseconds that each of them cost the server."""

    cost: float
    requests: list[bytes]
    bodies: list[bytes]


class Played(NamedTuple):
    """Episodes that were played side by side: their turns, and one more with the whole history."""

    turns: list[Exchanged]
    history: Exchanged


def turns() -> Turns:
    """Measure in alternating rounds."""
    ours, ceiling, ceiling_history = [], [], []
    with library() as folder, running(*LABS_MOCK, folder) as server:
        first = _play(server)  # which also makes the server warm
        with _ceiling_for(first.turns[-1]) as bare, _ceiling_for(first.history) as bare_history:
            for _ in range(ROUNDS):
                ceiling.append(_ceiling(bare, first.turns[-1].requests))
                ceiling_history.append(_ceiling(bare_history, first.history.requests))
                ours.append(_play(server))
    return Turns(
        ratio([mean(turn.cost for turn in each.turns) for each in ours], ceiling, "µs"),
        ratio([each.history.cost for each in ours], ceiling_history, "µs"),
        ratio([each.turns[-1].cost for each in ours], [each.turns[EARLY - 1].cost for each in ours], "µs"),
    )


def _ceiling_for(exchanged: Exchanged) -> AbstractContextManager[Server]:
    return running(*CEILING, str(int(median(map(len, exchanged.bodies)))))


def _ceiling(server: Server, requests: list[bytes]) -> float:
    with Client(server.port) as client:
        return _send(server, client, list(islice(cycle(requests), CEILING_REQUESTS))).cost


def _send(server: Server, client: Client, requests: list[bytes]) -> Exchanged:
    before = server.used()
    bodies = client.send(requests)
    return Exchanged((server.used() - before) / len(requests) * 1e6, requests, bodies)


def _play(server: Server) -> Played:
    """Play new episodes."""
    played = []
    with Client(server.port) as client:
        configs = [{"n": number} for number in islice(numbers(), EPISODES)]
        created = client.send([post("/episodes", LONG_CLAIM | {"config": config}) for config in configs])
        episodes = [orjson.loads(body) for body in created]
        histories = [[_message("user", episode["initial_observation"]["content"])] for episode in episodes]
        for turn in range(TURNS + 1):
            for number, history in zip(numbers(), histories, strict=False):
                history.append(_message("assistant", content(SHORT, turn + number % 49).replace(MARK, str(number))))
            pairs = zip(episodes, histories, strict=True)
            requests = [_turn(episode, history[-1:] if turn < TURNS else history) for episode, history in pairs]
            exchanged = _send(server, client, requests)
            played.append(exchanged)
            for history, body in zip(histories, exchanged.bodies, strict=True):
                history.append(_message("user", orjson.loads(body)["observation"]["content"]))
    return Played(played[:-1], played[-1])


def _message(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def _turn(episode: dict[str, Any], messages: list[dict[str, str]]) -> bytes:
    return post(f"/episodes/{episode['episode_id']}/turns", {"id": episode["episode_id"], "messages": messages})
