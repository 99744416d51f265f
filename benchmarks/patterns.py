"""`/evaluate` with a scenario of many patterns, against one of few on the same server."""

from typing import NamedTuple

from benchmarks.figures import Figure, ratio
from benchmarks.library import FEW, MANY, library, many_patterns
from benchmarks.load import load
from benchmarks.servers import LABS_MOCK, running
from benchmarks.templates import SHORT, evaluations

ROUNDS = 5


class Patterns(NamedTuple):
    """What a request costs."""

    cost: Figure


def patterns() -> Patterns:
    """Measure in alternating rounds."""
    few, many = (evaluations(SHORT, many_patterns(number)) for number in (FEW, MANY))
    rates: dict[str, list[float]] = {"few": [], "many": []}
    with library() as folder, running(*LABS_MOCK, folder) as server:
        for round_ in range(ROUNDS + 1):
            for name, templates in (("few", few), ("many", many)):
                rate = load(server.port, templates).rate
                if round_:  # the first one is for the server to get warm
                    rates[name].append(rate)
    return Patterns(ratio(rates["few"], rates["many"], "requests/s"))
