"""`/evaluate`, with six messages never seen before, against the ceiling."""

from statistics import median
from typing import NamedTuple

from benchmarks.figures import Figure, ratio
from benchmarks.load import CONNECTIONS, Load, answer_size, load
from benchmarks.servers import CEILING, LABS_MOCK, Server, running
from benchmarks.templates import LONG, SHORT, evaluations

ROUNDS = 7
SECONDS = 2  # of a round


class Evaluation(NamedTuple):
    """Throughput of two lengths, the median on one connection, and the spread of many, of the short ones."""

    short: Figure
    long: Figure
    one_connection: Figure
    spread: Figure


class Measured(NamedTuple):
    """A load, and the microseconds of processor that a request of it cost the server."""

    load: Load
    cost: float


class Rounds(NamedTuple):
    """What was measured in alternating rounds."""

    ours: list[Measured]
    ceiling: list[Measured]

    def rate(self) -> Figure:
        """The ratio of the rates; beside it that of processor times, which a busy machine alters less."""
        figure = ratio([each.load.rate for each in self.ours], [each.load.rate for each in self.ceiling], "requests/s")
        cost, ceiling = (median(each.cost for each in side) for side in self)
        return Figure(figure.value, f"{figure.detail}; {ceiling / cost:.2f} by processor time, {cost:.0f} µs")


def evaluation() -> Evaluation:
    """Measure in rounds of the ceiling and ours."""
    short, long, one = _rounds(SHORT), _rounds(LONG), _rounds(SHORT, connections=1)
    p50, p99 = median(each.load.p50 for each in short.ours), median(each.load.p99 for each in short.ours)
    return Evaluation(
        short.rate(),
        long.rate(),
        ratio([each.load.p50 for each in one.ours], [each.load.p50 for each in one.ceiling], "ms"),
        Figure(p99 / p50, f"{p99:.2f} ÷ {p50:.2f} ms"),
    )


def _rounds(length: int, connections: int = CONNECTIONS) -> Rounds:
    templates, rounds = evaluations(length), Rounds([], [])
    with running(*LABS_MOCK) as server:
        load(server.port, templates)  # to make it warm
        with running(*CEILING, str(answer_size(server.port, templates[0]))) as bare:
            for _ in range(ROUNDS):
                rounds.ceiling.append(_measure(bare, templates, connections))
                rounds.ours.append(_measure(server, templates, connections))
    return rounds


def _measure(server: Server, templates: list[bytes], connections: int) -> Measured:
    before = server.used()
    measured = load(server.port, templates, connections, SECONDS)
    return Measured(measured, (server.used() - before) / (measured.rate * SECONDS) * 1e6)
