"""State in a store that processes share, against state in memory: what both cost, by rates and by processor time.

The store has the load's core, so that a request may be answered while it works; figures of processor time do not depend on that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

from redis import Redis
from tests.state.redis_server import MISSING, redis_is_installed, redis_server

from benchmarks.client import Client
from benchmarks.figures import Figure, NotMeasured, ratio, short
from benchmarks.library import library
from benchmarks.load import load
from benchmarks.played import new_turns
from benchmarks.servers import LABS_MOCK, Server, running
from benchmarks.templates import SHORT, evaluations

ROUNDS = 5
SECONDS = 2  # of a round
CONNECTIONS = 64
EPISODES, TURNS = 100, 10  # a round
LENGTH = 400  # characters of a message of a turn


class Shared(NamedTuple):
    """Evaluations with a store as multiples of those without, what evaluations and turns cost worker and store, and an episode's bytes."""

    rate: Figure
    one_connection: Figure
    worker: Figure
    store: Figure
    two_workers: Figure
    turn_worker: Figure
    turn_store: Figure
    episode: Figure


class Measured(NamedTuple):
    """Requests a second, their median in milliseconds, and the microseconds of processor that one cost all workers and the store."""

    rate: float
    p50: float
    worker: float
    store: float


class Side(NamedTuple):
    """A server that is measured: the processes that respond, and the store, which a server without one leaves alone."""

    port: int
    processes: list[Server]
    store: Server

    def used(self) -> tuple[float, float]:
        """Seconds of processor that workers and store have had."""
        return sum(one.used() for one in self.processes), self.store.used()

    def costs(self, before: tuple[float, float], requests: float) -> tuple[float, float]:
        """Microseconds that each of some requests has cost workers and store."""
        worker, store = [(now - then) / requests * 1e6 for now, then in zip(self.used(), before, strict=True)]
        return worker, store

    def evaluate(self, connections: int) -> Measured:
        """Evaluations of conversations that were never seen before."""
        before = self.used()
        measured = load(self.port, evaluations(SHORT), connections, SECONDS)
        return Measured(measured.rate, measured.p50, *self.costs(before, measured.rate * SECONDS))

    def play(self) -> tuple[float, float]:
        """What turns of new episodes cost workers and store."""
        with Client(self.port, CONNECTIONS) as client:
            turns = new_turns(client, LENGTH, EPISODES, TURNS)
            before = self.used()
            for turn in turns:
                client.send(turn)
        return self.costs(before, EPISODES * TURNS)


def shared() -> Shared:
    """Measure in alternating rounds."""
    if not redis_is_installed():
        raise NotMeasured(MISSING)
    with sides() as (redis, memory, one, two):
        turns = list(zip(*[(memory.play(), one.play()) for _ in range(ROUNDS + 1)][1:], strict=True))
        episode = _episode(redis)
        many = _alternating(memory, one, two, connections=CONNECTIONS)
        single = _alternating(memory, one, connections=1)
    without, with_one, _ = many
    costs = [[each.worker for each in side] for side in many]
    return Shared(
        ratio([each.rate for each in with_one], [each.rate for each in without], "requests/s"),
        ratio([each.p50 for each in single[1]], [each.p50 for each in single[0]], "ms"),
        _cost(costs[1], f"{short(median(costs[0]))} without a store"),
        _cost([each.store for each in with_one], f"{short(1e6 / median(each.store for each in with_one))} a second"),
        ratio(costs[2], costs[1], "µs"),
        _cost([each[0] for each in turns[1]], f"{short(median(each[0] for each in turns[0]))} without a store"),
        _cost([each[1] for each in turns[1]], f"{short(1e6 / median(each[1] for each in turns[1]))} a second"),
        episode,
    )


@contextmanager
def sides() -> Iterator[tuple[Redis, Side, Side, Side]]:
    """A store, a server without it, one with it, and one with it that has two workers."""
    with library() as folder, redis_server() as url, Redis.from_url(url) as redis:
        store = Server(0, int(redis.info("server")["process_id"]), 0)
        stateful = [*LABS_MOCK, folder, "--state", url, "--state-name"]
        with (
            running(*LABS_MOCK, folder) as memory,
            running(*stateful, "one") as one,
            running(*stateful, "two", "--workers", "2") as two,
        ):
            yield (
                redis,
                *(
                    Side(server.port, processes, store)
                    for server, processes in ((memory, [memory]), (one, [one]), (two, two.workers()))
                ),
            )


def _alternating(*measured: Side, connections: int) -> list[list[Measured]]:
    """Rounds of each, behind one for all to get warm."""
    rounds = [[side.evaluate(connections) for side in measured] for _ in range(ROUNDS + 1)]
    return [list(side) for side in zip(*rounds[1:], strict=True)]


def _cost(rounds: list[float], detail: str) -> Figure:
    return Figure(median(rounds), f"{detail}; rounds {short(min(rounds))} to {short(max(rounds))}")


def _episode(redis: Redis) -> Figure:
    """What an episode takes, and its records in the journal, of which the newest are kept."""
    episodes, records = [
        sum(redis.memory_usage(key, samples=0) or 0 for key in redis.scan_iter(f"{{one}}:{part}*"))
        / redis.zcard("{one}:episodes.order")
        for part in ("episodes", "journal")
    ]
    text = TURNS * LENGTH
    return Figure(
        episodes, f"{text:,} characters of the operator; its {TURNS + 1} records in the journal {short(records)}"
    )
