"""Microseconds of processor that an evaluation costs the application, called with prepared scopes and no server.

`python -m benchmarks.prepared` runs in this folder's parent with the environment of another commit, too, and prints one number.
"""

import gc
import time
from typing import Any

import uvloop

from benchmarks.templates import SHORT, evaluations, fresh
from labs_mock.config.library import load_library, shipped_library
from labs_mock.http import create_app
from labs_mock.serving.server import GC_THRESHOLD
from labs_mock.serving.worlds import make_world

WARM, REQUESTS = 2_000, 6_000


def main() -> None:
    """Call the application, first to make it warm."""
    app = create_app(make_world(load_library(shipped_library()), {}))
    requests = fresh(evaluations(SHORT))
    warm, measured = ([_prepared(next(requests)) for _ in range(number)] for number in (WARM, REQUESTS))
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)
    uvloop.run(_call(app, warm))
    before = time.process_time()
    uvloop.run(_call(app, measured))
    print((time.process_time() - before) / REQUESTS * 1e6)


async def _call(app: Any, exchanges: list[tuple[dict[str, Any], Any]]) -> None:
    statuses = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    for scope, receive in exchanges:
        await app(scope, receive, send)
    assert statuses == [200] * len(exchanges)


def _prepared(request: bytes) -> tuple[dict[str, Any], Any]:
    """The scope that uvicorn would make of a request, and a `receive` with its body."""
    head, _, body = request.partition(b"\r\n\r\n")
    start, *fields = head.split(b"\r\n")
    method, path, _ = start.decode().split(" ")
    headers = [(name.lower(), value) for name, value in (field.split(b": ", 1) for field in fields)]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "root_path": "",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "state": {},
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return scope, receive


if __name__ == "__main__":
    main()
