"""The servers that are measured, as processes of their own on the first core; the load has the others."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import uvicorn

from benchmarks.figures import NotMeasured
from labs_mock.serving.server import UVICORN

SERVE = ("-m", "labs_mock", "serve", "--port", "0", "--json")
LABS_MOCK = (sys.executable, *SERVE)
CEILING = (sys.executable, "-m", "benchmarks.ceiling")
SMALLEST = (sys.executable, "-m", "benchmarks.smallest")
MEMORY = (sys.executable, "-m", "benchmarks.memory")

# taskset, from util-linux, where it is installed: elsewhere the scheduler decides.
PIN = ("taskset", "-c", "0") if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else ()


class Server(NamedTuple):
    """A server that responds: its port, its process id, and the seconds from its spawn to its first 200."""

    port: int
    process: int
    seconds: float

    def used(self) -> float:
        """How long its first thread has had a processor, in seconds; where the system does not tell, the time on the clock."""
        path = Path(f"/proc/{self.process}/schedstat")
        return int(path.read_text().split()[0]) / 1e9 if path.exists() else time.perf_counter()

    def workers(self) -> "list[Server]":
        """The processes that it has started. Raises `NotMeasured` where the system does not tell."""
        path = Path(f"/proc/{self.process}/task/{self.process}/children")
        if not path.exists():
            raise NotMeasured("there is no /proc, which has the processes that a process has started")
        return [Server(self.port, int(child), self.seconds) for child in path.read_text().split()]

    def resident(self) -> float:
        """Its resident memory in MB. Raises `NotMeasured` where the system does not tell."""
        path = Path(f"/proc/{self.process}/status")
        if not path.exists():
            raise NotMeasured("there is no /proc, which has the resident memory of a process")
        (kilobytes,) = (line.split()[1] for line in path.read_text().splitlines() if line.startswith("VmRSS"))
        return int(kilobytes) / 1024


@contextmanager
def running(*command: str) -> Iterator[Server]:
    """A server that chooses its port, and prints it, or its address in JSON, once it is bound."""
    start = time.perf_counter()
    with subprocess.Popen([*PIN, *command], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"no server: {' '.join(command)}")
            announced = orjson.loads(line)
            port = announced if isinstance(announced, int) else int(announced["url"].rsplit(":", 1)[1])
            ask_health(port)
            yield Server(port, process.pid, time.perf_counter() - start)
        finally:
            process.kill()


@contextmanager
def listening(port: int, *command: str, deadline: float = 60) -> Iterator[None]:
    """Another server, on a port that it was given. Raises `NotMeasured` if it does not come up."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*PIN, *command], stdout=quiet, stderr=quiet) as process:
        try:
            end = time.perf_counter() + deadline
            while not _accepts(port):
                if process.poll() is not None or time.perf_counter() > end:
                    raise NotMeasured("the server does not start")
                time.sleep(0.2)
            yield
        finally:
            process.kill()


def _accepts(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def ask_health(port: int) -> None:
    """The first request to a server."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/_mock/health")
    assert connection.getresponse().status == 200


def serve(app: Any, **options: Any) -> None:
    """Serve an application as labs-mock is served, on a port that is chosen and printed."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, **UVICORN | options)).run(sockets=[listener])


def pin_load() -> None:
    """Keep this process, and the load that it starts from now on, off the servers' core."""
    if PIN and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(range(1, os.cpu_count() or 1)))
