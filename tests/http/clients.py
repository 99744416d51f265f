"""Three clients that people use, what each of them sees of an answer, and a server that logs nothing."""

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
class Asked:
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
class Seen:
    """An answer as far as it came; `status` is 0 if nothing came. `failure` is an exception, or curl's exit code."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    failure: type[Exception] | int = 0


def with_httpx(url: str, asked: Asked, patience: float = PATIENCE) -> Seen:
    """What httpx sees."""
    seen = Seen()
    try:
        with (
            httpx.Client(trust_env=False, verify=False, timeout=patience) as client,
            client.stream(asked.method, url + asked.path, headers=HEADERS, content=asked.content) as response,
        ):
            seen.status, seen.headers = response.status_code, dict(response.headers)
            for part in response.iter_raw():
                seen.body += part
    except httpx.HTTPError as error:
        seen.failure = type(error)
    return seen


def with_requests(url: str, asked: Asked, patience: float = PATIENCE) -> Seen:
    """What requests sees."""
    seen = Seen()
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.request(
                asked.method, url + asked.path, headers=HEADERS, data=asked.content, stream=True, timeout=patience
            ) as response:
                seen.status = response.status_code
                seen.headers = {name.lower(): value for name, value in response.headers.items()}
                for part in response.iter_content(1):  # what comes before a failure counts, too
                    seen.body += part
        except requests.RequestException as error:
            seen.failure = type(error)
    return seen


def with_curl(url: str, asked: Asked, patience: float = PATIENCE) -> Seen:
    """What curl sees."""
    command = ["curl", "--silent", "--include", "--noproxy", "*", "--max-time", str(patience), url + asked.path]
    command += [part for name, value in HEADERS.items() for part in ("--header", f"{name}: {value}")]
    command += [] if asked.body is None else ["--data-binary", "@-"]
    ended = subprocess.run(command, input=asked.content, capture_output=True, check=False)
    head, _, body = ended.stdout.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    status = int(lines[0].split(" ")[1]) if head else 0
    return Seen(status, dict(line.split(": ", 1) for line in lines[1:]), body, ended.returncode)


CLIENTS = (with_httpx, with_requests, with_curl)


def seen_by_all(url: str, asked: Asked, patience: float = PATIENCE) -> list[Seen]:
    """What the three see, asking at a time."""
    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        return list(pool.map(lambda client: client(url, asked, patience), CLIENTS))


class Told(logging.Handler):
    """What a server logs, its own words and uvicorn's."""

    LOGGERS = ("uvicorn", "labs_mock")

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(self.format(record))


@contextmanager
def quiet(served: World) -> Iterator[Live]:
    """Serve a world, and hold that nothing is logged, neither while it is served nor when the server stops."""
    told = Told()
    try:
        with live(served) as server:
            for name in told.LOGGERS:
                logging.getLogger(name).addHandler(told)
            yield server
    finally:
        for name in told.LOGGERS:
            logging.getLogger(name).removeHandler(told)
    assert told.messages == []
