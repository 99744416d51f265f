"""`/evaluate`, with six messages never seen before, against the ceiling."""

from statistics import median
from typing import NamedTuple

from benchmarks.figures import Figure, ratio
from benchmarks.load import Load, answer_size, load
from benchmarks.servers import CEILING, LABS_MOCK, running
from benchmarks.templates import LONG, SHORT, evaluations

ROUNDS = 7


class Evaluation(NamedTuple):
    """Throughput of two lengths, the median on one connection, and the spread of many, of the short ones."""

    short: Figure
    long: Figure
    one_connection: Figure
    spread: Figure


def evaluation() -> Evaluation:
    """Measure in rounds of the ceiling and ours."""
    short, ceiling = _rounds(SHORT, 32)
    long, ceiling_long = _rounds(LONG, 32)
    one, ceiling_one = _rounds(SHORT, 1)
    p50, p99 = median(each.p50 for each in short), median(each.p99 for each in short)
    return Evaluation(
        ratio([each.rate for each in short], [each.rate for each in ceiling], "requests/s"),
        ratio([each.rate for each in long], [each.rate for each in ceiling_long], "requests/s"),
        ratio([each.p50 for each in one], [each.p50 for each in ceiling_one], "ms"),
        Figure(p99 / p50, f"{p99:.2f} ÷ {p50:.2f} ms"),
    )


def _rounds(length: int, connections: int) -> tuple[list[Load], list[Load]]:
    """Our loads and the ceiling's, in alternating rounds."""
    templates = evaluations(length)
    ours, ceiling = [], []
    with running(*LABS_MOCK) as server:
        load(server.port, templates)
        with running(*CEILING, str(answer_size(server.port, templates[0]))) as bare:
            for _ in range(ROUNDS):
                ceiling.append(load(bare.port, templates, connections))
                ours.append(load(server.port, templates, connections))
    return ours, ceiling
