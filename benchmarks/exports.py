"""Exports: how fast rows are made, how fast they are streamed again, and how much other requests slow down meanwhile."""

import os
import threading
import time
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.client import Client
from benchmarks.figures import Figure, ratio
from benchmarks.library import DATASET, library
from benchmarks.servers import LABS_MOCK, MEMORY, running
from benchmarks.templates import SHORT, evaluations, fresh

ROUNDS = 5
ROWS = 20_000  # of a dataset that is exported to its end
MANY_ROWS = 200_000  # of one whose export lasts longer than a round
REQUESTS = 300  # evaluations of a round, one after the other
FULL, LASTING = range(ROUNDS), range(ROUNDS, 2 * ROUNDS)  # numbers of datasets
HEADERS = {"Authorization": "Bearer lab_local"}


class Exports(NamedTuple):
    """Rows a second of first exports, the rate of later ones, and an evaluation's time beside two of both."""

    first: Figure
    later: Figure
    beside_first: Figure
    beside_later: Figure


def exports() -> Exports:
    """Measure in rounds."""
    first, later, memory, alone, making, streaming = [], [], [], [], [], []
    with TemporaryDirectory() as name, library(dict.fromkeys(FULL, ROWS) | dict.fromkeys(LASTING, MANY_ROWS)) as folder:
        exported = Path(name, "exported.jsonl")
        with running(*LABS_MOCK, folder) as server:
            size = 0
            for number in FULL:
                size, seconds = export(server.port, number, exported)
                first.append(ROWS / seconds)
            with running(*MEMORY, str(exported)) as bare:
                for number in FULL:
                    later.append(size / export(server.port, number)[1] / 1e6)
                    memory.append(size / export(bare.port, number)[1] / 1e6)
            for full, lasting in zip(FULL, LASTING, strict=True):
                alone.append(latency(server.port))
                making.append(latency_beside(server.port, lasting))
                streaming.append(latency_beside(server.port, full))
    detail = f"rows of {size / ROWS:,.0f} bytes; rounds {min(first):,.0f} to {max(first):,.0f}"
    return Exports(
        Figure(median(first), detail),
        ratio(later, memory, "MB/s"),
        ratio(making, alone, "ms"),
        ratio(streaming, alone, "ms"),
    )


def export(port: int, dataset: int, out: Path = Path(os.devnull)) -> tuple[int, float]:
    """Read an export to its end: its bytes, and the seconds that it took."""
    connection = HTTPConnection("127.0.0.1", port, timeout=600)
    start = time.perf_counter()
    connection.request("GET", f"/api/v1/training-datasets/{DATASET.format(dataset)}/export", headers=HEADERS)
    response = connection.getresponse()
    assert response.status == 200, response.status
    size = 0
    with out.open("wb") as file:
        while chunk := response.read(1 << 20):
            size += len(chunk)
            file.write(chunk)
    return size, time.perf_counter() - start


def latency(port: int) -> float:
    """The median milliseconds of an evaluation, one after the other."""
    requests = islice(fresh(evaluations(SHORT)), REQUESTS)
    with Client(port, 1) as client:
        return median(response.seconds for response in client.responses([requests])) * 1000


def latency_beside(port: int, dataset: int) -> float:
    """The same during two exports of a dataset."""
    over = threading.Event()
    readers = [threading.Thread(target=_read, args=(port, dataset, over)) for _ in range(2)]
    for reader in readers:
        reader.start()
    time.sleep(0.2)
    during = latency(port)
    over.set()
    for reader in readers:
        reader.join()
    return during


def _read(port: int, dataset: int, over: threading.Event) -> None:
    """Export a dataset again and again, and leave when it is over."""
    while not over.is_set():
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", f"/api/v1/training-datasets/{DATASET.format(dataset)}/export", headers=HEADERS)
        response = connection.getresponse()
        while not over.is_set() and response.read(1 << 20):
            pass
        connection.close()
