"""State in a store that processes share, against state in memory: what both cost, by rates and by processor time.

The store has the load's core, so that a request may be answered while it works; figures of processor time do not depend on that.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from statistics import median
from typing import NamedTuple, TypeVar

from redis import Redis
from tests.state.redis_server import MISSING, redis_is_installed, redis_server

from benchmarks.client import Client
from benchmarks.figures import Figure, NotMeasured, ratio, short
from benchmarks.library import library
from benchmarks.load import Load, load
from benchmarks.played import new_turns
from benchmarks.servers import LABS_MOCK, Server, running
from benchmarks.templates import SHORT, evaluations, fresh

Measured = TypeVar("Measured")

ROUNDS = 5
SECONDS = 2  # of a round
EVALUATIONS = 2_000  # a round of processor time
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


class Cost(NamedTuple):
    """Microseconds of processor that a request cost all workers together, and the store."""

    worker: float
    store: float


class Side(NamedTuple):
    """A server that is measured: the processes that respond, and the store, which a server without one leaves alone."""

    port: int
    processes: list[Server]
    store: Server

    def cost(self, client: Client, parts: list[list[bytes]]) -> Cost:
        """What requests cost, of which each part begins when the one before has its responses."""
        before = self._used()
        for requests in parts:
            client.send(requests)
        number = sum(map(len, parts))
        return Cost(*[(now - then) / number * 1e6 for now, then in zip(self._used(), before, strict=True)])

    def evaluate(self) -> Cost:
        """Evaluations of conversations that were never seen before."""
        with Client(self.port, CONNECTIONS) as client:
            return self.cost(client, [list(islice(fresh(evaluations(SHORT)), EVALUATIONS))])

    def play(self) -> Cost:
        """Turns of new episodes."""
        with Client(self.port, CONNECTIONS) as client:
            return self.cost(client, new_turns(client, LENGTH, EPISODES, TURNS))

    def load(self, connections: int) -> Load:
        """As many evaluations as it responds to."""
        return load(self.port, evaluations(SHORT), connections, SECONDS)

    def _used(self) -> tuple[float, float]:
        return sum(one.used() for one in self.processes), self.store.used()


def shared() -> Shared:
    """Measure in alternating rounds."""
    if not redis_is_installed():
        raise NotMeasured(MISSING)
    with sides() as (redis, memory, one, two):
        turns = _rounds(memory.play, one.play)
        episode = _episode(redis)
        costs = _rounds(memory.evaluate, one.evaluate, two.evaluate)
        many = _rounds(partial(memory.load, CONNECTIONS), partial(one.load, CONNECTIONS))
        single = _rounds(partial(memory.load, 1), partial(one.load, 1))
    return Shared(
        ratio([each.rate for each in many[1]], [each.rate for each in many[0]], "requests/s"),
        ratio([each.p50 for each in single[1]], [each.p50 for each in single[0]], "ms"),
        _worker(*costs[:2]),
        _store(costs[1]),
        ratio([each.worker for each in costs[2]], [each.worker for each in costs[1]], "µs"),
        _worker(*turns),
        _store(turns[1]),
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


def _rounds(*measured: Callable[[], Measured]) -> list[list[Measured]]:
    """Rounds of each, behind one for all to get warm."""
    rounds = [[measure() for measure in measured] for _ in range(ROUNDS + 1)]
    return [list(side) for side in zip(*rounds[1:], strict=True)]


def _worker(without: list[Cost], costs: list[Cost]) -> Figure:
    return _microseconds(
        [each.worker for each in costs], f"{short(median(each.worker for each in without))} without a store"
    )


def _store(costs: list[Cost]) -> Figure:
    return _microseconds(
        [each.store for each in costs], f"{short(1e6 / median(each.store for each in costs))} a second"
    )


def _microseconds(rounds: list[float], detail: str) -> Figure:
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
