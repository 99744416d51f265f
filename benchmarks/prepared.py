"""An evaluation in the process: the application called with prepared scopes and no server.

`python -m benchmarks.prepared` runs in the folder above this one with the environment of another commit, too, and prints the
microseconds of processor that an evaluation costs.
"""

import gc
import time
from collections.abc import Iterable
from itertools import islice
from typing import Any

import uvloop

from benchmarks.templates import SHORT, evaluations, fresh
from labs_mock.config.library import load_library, shipped_library
from labs_mock.config.settings import settings_from
from labs_mock.http import create_app
from labs_mock.serving.server import GC_THRESHOLD
from labs_mock.state import World

WARM, REQUESTS = 2_000, 6_000


class Prepared:
    """A request as an application gets it from uvicorn, and the response to it."""

    def __init__(self, request: bytes) -> None:
        head, _, self._body = request.partition(b"\r\n\r\n")
        start, *fields = head.split(b"\r\n")
        method, path, _ = start.decode().split(" ")
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 50_000),
            "scheme": "http",
            "root_path": "",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.lower(), value) for name, value in (field.split(b": ", 1) for field in fields)],
            "state": {},
        }
        self.status = 0
        self.body = b""

    async def receive(self) -> dict[str, Any]:
        """The whole body."""
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def send(self, message: Any) -> None:
        """Keep the response."""
        self.status = message.get("status", self.status)
        self.body = message.get("body", b"")


def make_app() -> Any:
    """The application over the shipped library."""
    return create_app(World(settings_from(), load_library(shipped_library())))


def prepare(requests: Iterable[bytes], number: int) -> list[Prepared]:
    """So many of some requests."""
    return [Prepared(request) for request in islice(requests, number)]


def call(app: Any, prepared: Iterable[Prepared]) -> None:
    """Have the application respond, one request after the other."""

    async def each() -> None:
        for exchange in prepared:
            await app(exchange.scope, exchange.receive, exchange.send)
            assert exchange.status == 200, exchange.body

    uvloop.run(each())


def collect_as_served() -> None:
    """Set the garbage collector of this process as that of a server."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)


def main() -> None:
    """Measure, once the application is warm."""
    app, requests = make_app(), fresh(evaluations(SHORT))
    warm, measured = prepare(requests, WARM), prepare(requests, REQUESTS)
    collect_as_served()
    call(app, warm)
    before = time.process_time()
    call(app, measured)
    print((time.process_time() - before) / REQUESTS * 1e6)


if __name__ == "__main__":
    main()
