"""From spawn to the first 200, and resident memory then, against the smallest Starlette and pydantic application."""

from typing import NamedTuple

from benchmarks.figures import Figure, ratio
from benchmarks.servers import LABS_MOCK, SMALLEST, running

ROUNDS = 9


class Startup(NamedTuple):
    """Time and memory as multiples of the smallest application's."""

    seconds: Figure
    memory: Figure


def startup() -> Startup:
    """Measure in alternating rounds."""
    ours: list[tuple[float, float]] = []
    smallest: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        for command, measured in ((SMALLEST, smallest), (LABS_MOCK, ours)):
            with running(*command) as server:
                measured.append((server.seconds * 1000, server.resident()))
    (seconds, memory), (smallest_seconds, smallest_memory) = zip(*ours, strict=True), zip(*smallest, strict=True)
    return Startup(ratio(seconds, smallest_seconds, "ms"), ratio(memory, smallest_memory, "MB"))
