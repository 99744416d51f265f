"""A server that has answered many requests against a fresh one: neither a request's cost nor memory must grow with age.

Both answer evaluations of conversations never seen before, in alternating rounds. What is compared is the time that the
servers' first threads had a processor.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from benchmarks.client import Client
from benchmarks.figures import Figure, ratio
from benchmarks.servers import LABS_MOCK, Server, running
from benchmarks.templates import SHORT, evaluations, fresh

OLD, YOUNG, FRESH = 1_000_000, 100_000, 10_000  # requests; memory is compared to that of the young server
ROUNDS = 9
REQUESTS = 1_000  # a round
CONNECTIONS, PIPELINED = 8, 25  # so many requests at once on each connection cost the least


class Age(NamedTuple):
    """What a request costs, and resident memory."""

    cost: Figure
    memory: Figure


def age() -> Age:
    """Measure in alternating rounds."""
    old, fresh_ = [], []
    with running(*LABS_MOCK) as first, running(*LABS_MOCK) as second:
        evaluate(first, YOUNG)
        young = first.resident()
        evaluate(first, OLD - YOUNG)
        memory = first.resident()
        evaluate(second, FRESH)
        for _ in range(ROUNDS):
            old.append(evaluate(first, REQUESTS))
            fresh_.append(evaluate(second, REQUESTS))
    return Age(ratio(old, fresh_, "µs"), Figure(memory / young, f"{memory:.0f} ÷ {young:.0f} MB"))


def evaluate(server: Server, requests: int) -> float:
    """Send so many evaluations of short conversations; the microseconds that each cost."""
    templates = evaluations(SHORT, messages=2)
    share = requests // CONNECTIONS // PIPELINED
    before = server.used()
    with Client(server.port, CONNECTIONS) as client:
        for _ in client.responses([_pieces(fresh(templates), share) for _ in range(CONNECTIONS)], PIPELINED):
            pass
    return (server.used() - before) / requests * 1e6


def _pieces(requests: Iterator[bytes], number: int) -> Iterator[bytes]:
    return (b"".join(islice(requests, PIPELINED)) for _ in range(number))
