"""What the inspector costs a server, against the commit before it: with no page open, and with one."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from threading import Thread
from typing import NamedTuple
from urllib.request import urlopen

from benchmarks.base import checkout
from benchmarks.client import Client
from benchmarks.figures import Figure, ratio
from benchmarks.servers import LABS_MOCK, SERVE, Server, running
from benchmarks.templates import SHORT, evaluations, fresh

BEFORE = "bed8050"
ROUNDS = 9
EVALUATIONS = 1_500  # a round


class Inspector(NamedTuple):
    """The processor time of an evaluation, as multiples of that before."""

    closed: Figure
    open: Figure


def inspector() -> Inspector:
    """Measure in alternating rounds; the pages have been used on the server before, so that all of them is loaded."""
    closed: list[float] = []
    opened: list[float] = []
    before: list[float] = []
    with checkout(BEFORE) as python, running(*LABS_MOCK) as this, running(python, *SERVE) as base:
        with _page(this):
            urlopen(f"http://127.0.0.1:{this.port}/_mock/ui").read()
        for _ in range(ROUNDS + 1):
            before.append(_cost(base))
            closed.append(_cost(this))
            with _page(this):
                opened.append(_cost(this))
    warm = before[1:]  # the first round is for both to get warm
    return Inspector(ratio(closed[1:], warm, "µs"), ratio(opened[1:], warm, "µs"))


def _cost(server: Server) -> float:
    """Microseconds of an evaluation."""
    with Client(server.port) as client:
        requests = list(islice(fresh(evaluations(SHORT)), EVALUATIONS))
        start = server.used()
        client.send(requests)
        return (server.used() - start) / EVALUATIONS * 1e6


@contextmanager
def _page(server: Server) -> Iterator[None]:
    """A page that follows what happens, as a browser does."""
    with urlopen(f"http://127.0.0.1:{server.port}/_mock/events") as stream:
        stream.readline()
        reading = Thread(target=_read, args=[stream], daemon=True)
        reading.start()
        yield
        stream.fp.raw._sock.shutdown(2)  # which ends the thread's read
        reading.join()


def _read(stream: object) -> None:
    while stream.readline():  # type: ignore[attr-defined]
        pass
