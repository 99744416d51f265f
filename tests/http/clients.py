"""Three clients that people use, what each of them receives of a response, and a server that logs nothing."""

import logging
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import requests

from labs_mock.state import World
from tests.support import KEY, Live, live

PATIENCE = 10.0  # seconds that a client waits for a server that says nothing
HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A request: a GET, or a POST with a body."""

    path: str
    body: dict[str, Any] | None = None

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"

    @property
    def content(self) -> bytes:
        return b"" if self.body is None else orjson.dumps(self.body)


@dataclass(slots=True)
class Received:
    """A response as far as it came; `status` is 0 if nothing came. `failure` is an exception, or curl's exit code."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    failure: type[Exception] | int = 0


def with_httpx(url: str, request: ClientRequest, patience: float = PATIENCE) -> Received:
    """What httpx sees."""
    received = Received()
    try:
        with (
            httpx.Client(trust_env=False, verify=False, timeout=patience) as client,
            client.stream(request.method, url + request.path, headers=HEADERS, content=request.content) as response,
        ):
            received.status, received.headers = response.status_code, dict(response.headers)
            for part in response.iter_raw():
                received.body += part
    except httpx.HTTPError as error:
        received.failure = type(error)
    return received


def with_requests(url: str, request: ClientRequest, patience: float = PATIENCE) -> Received:
    """What requests sees."""
    received = Received()
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.request(
                request.method, url + request.path, headers=HEADERS, data=request.content, stream=True, timeout=patience
            ) as response:
                received.status = response.status_code
                received.headers = {name.lower(): value for name, value in response.headers.items()}
                for part in response.iter_content(1):  # what comes before a failure counts, too
                    received.body += part
        except requests.RequestException as error:
            received.failure = type(error)
    return received


def with_curl(url: str, request: ClientRequest, patience: float = PATIENCE) -> Received:
    """What curl sees."""
    command = ["curl", "--silent", "--include", "--noproxy", "*", "--max-time", str(patience), url + request.path]
    command += [part for name, value in HEADERS.items() for part in ("--header", f"{name}: {value}")]
    command += [] if request.body is None else ["--data-binary", "@-"]
    ended = subprocess.run(command, input=request.content, capture_output=True, check=False)
    head, _, body = ended.stdout.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    status = int(lines[0].split(" ")[1]) if head else 0
    return Received(status, dict(line.split(": ", 1) for line in lines[1:]), body, ended.returncode)


CLIENTS = (with_httpx, with_requests, with_curl)


def received_by_all(url: str, request: ClientRequest, patience: float = PATIENCE) -> list[Received]:
    """What the three receive, sending at the same time."""
    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        return list(pool.map(lambda client: client(url, request, patience), CLIENTS))


class LogRecorder(logging.Handler):
    """Records what a server logs, its own messages and those of uvicorn."""

    LOGGERS = ("uvicorn", "labs_mock")

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(self.format(record))


@contextmanager
def quiet(served: World) -> Iterator[Live]:
    """Serve a world, and check that nothing is logged, neither while it is served nor when the server stops."""
    recorder = LogRecorder()
    try:
        with live(served) as server:
            for name in recorder.LOGGERS:
                logging.getLogger(name).addHandler(recorder)
            yield server
    finally:
        for name in recorder.LOGGERS:
            logging.getLogger(name).removeHandler(recorder)
    assert recorder.messages == []
