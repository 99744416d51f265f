"""Throughput and latency under load: by wrk, where there is one, else by the bundled client."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from benchmarks.client import Client
from benchmarks.figures import NotMeasured
from benchmarks.templates import fresh, numbers

CONNECTIONS = 32
WRK = shutil.which("wrk")


class Load(NamedTuple):
    """Requests a second, and the median and the 99th percentile of a response's time in milliseconds."""

    rate: float
    p50: float
    p99: float


def load(port: int, templates: Sequence[bytes], connections: int = CONNECTIONS, seconds: int = 2) -> Load:
    """Send requests made of templates, one at a time on each connection. Raises `NotMeasured` for anything but 200."""
    if WRK is None:
        return _bundled(port, templates, connections, seconds)
    with NamedTemporaryFile() as file:
        file.write(b"\1".join(templates))
        file.flush()
        script = str(Path(__file__).with_name("load.lua"))
        command = [
            WRK,
            "-t1",
            f"-c{connections}",
            f"-d{seconds}",
            "--timeout",
            "30s",
            "-s",
            script,
            f"http://127.0.0.1:{port}",
        ]
        environment = os.environ | {"TEMPLATES": file.name, "FIRST": str(next(numbers()))}
        run = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    rate, p50, p99, failed = run.stdout[run.stdout.index("RESULT") :].split()[1:5]
    if int(failed):
        raise NotMeasured(f"{failed} requests of wrk failed")
    return Load(float(rate), float(p50), float(p99))


def _bundled(port: int, templates: Sequence[bytes], connections: int, seconds: float) -> Load:
    start = time.perf_counter()

    def until_end() -> Iterator[bytes]:
        for request in requests:
            if time.perf_counter() - start > seconds:
                return
            yield request

    requests = fresh(templates)
    with Client(port, connections) as client:
        taken = [response.seconds for response in client.responses([until_end() for _ in range(connections)])]
    rate = len(taken) / (time.perf_counter() - start)
    return Load(rate, median(taken) * 1000, sorted(taken)[len(taken) * 99 // 100] * 1000)


def answer_size(port: int, template: bytes) -> int:
    """The bytes of the body that a server answers to one of the requests."""
    with Client(port, 1) as client:
        return len(client.send([next(fresh([template]))])[0])
