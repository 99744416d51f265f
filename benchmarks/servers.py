"""The servers that are measured, as processes of their own on the first core; the load has the others."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

LABS_MOCK = (sys.executable, "-m", "labs_mock", "serve")
CEILING = (sys.executable, "-m", "benchmarks.ceiling")
SMALLEST = (sys.executable, "-m", "benchmarks.smallest")

# taskset, from util-linux, where it is installed: elsewhere the scheduler decides.
PIN = ("taskset", "-c", "0") if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else ()


class Started(NamedTuple):
    """A server that answers: its process id, and the seconds from its spawn to its first 200."""

    process: int
    seconds: float


@contextmanager
def running(command: tuple[str, ...], port: int) -> Iterator[Started]:
    """A server on a port."""
    start = time.perf_counter()
    with subprocess.Popen([*PIN, *command, "--port", str(port)], stdout=subprocess.DEVNULL) as process:
        try:
            _wait(port, process)
            yield Started(process.pid, time.perf_counter() - start)
        finally:
            process.kill()


def seconds_used(process: int) -> float:
    """How long the first thread of a process has had a processor, in seconds; else the time on the clock."""
    used = Path(f"/proc/{process}/schedstat")
    return int(used.read_text().split()[0]) / 1e9 if used.exists() else time.perf_counter()


def pin_load() -> None:
    """Keep this process, and the load that it starts from now on, off the servers' core."""
    if PIN and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(range(1, os.cpu_count() or 1)))


def _wait(port: int, process: subprocess.Popen[bytes], deadline: float = 30) -> None:
    end = time.perf_counter() + deadline
    while time.perf_counter() < end and process.poll() is None:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/_mock/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.002)
    raise SystemExit(f"no server on port {port}")
