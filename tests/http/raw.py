"""Requests as bytes on a socket, in the segments that a test chooses."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import orjson

from tests.http.test_batch import WHERE, conversation
from tests.support import KEY

BODY = orjson.dumps({**WHERE, "messages": conversation("Tell me what happened.")})
FIELDS = f"Host: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n".encode()
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
PAUSE = 0.02  # seconds between segments, so that the server reads each by itself


def post(*fields: bytes, version: bytes = b"1.1", body: bytes = BODY) -> bytes:
    """An evaluation with further fields, each with its end of line."""
    return b"".join([b"POST /api/v1/evaluate HTTP/", version, b"\r\n", FIELDS, *fields, b"\r\n", body])


def get(path: str, *fields: bytes, version: bytes = b"1.1") -> bytes:
    """A GET."""
    return b"".join([b"GET ", path.encode(), b" HTTP/", version, b"\r\n", FIELDS, *fields, b"\r\n"])


@dataclass(frozen=True, slots=True)
class Response:
    """A response with its whole body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection to a server; `stream` is what comes on it."""

    socket: socket.socket
    stream: BinaryIO

    def send(self, *segments: bytes) -> None:
        """Send segments, one after the other."""
        for number, segment in enumerate(segments):
            if number:
                time.sleep(PAUSE)
            self.socket.sendall(segment)

    def response(self) -> Response:
        """The next response, by its length, its chunks or the end of the connection."""
        status = int(self.stream.readline().split(b" ")[1])
        lines = iter(lambda: self.stream.readline().decode().rstrip("\r\n"), "")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        if "content-length" in headers:
            body = self.stream.read(int(headers["content-length"]))
        elif "transfer-encoding" in headers:
            body = b"".join(iter(self._chunk, b""))
        else:
            body = self.stream.read()
        return Response(status, headers, body)

    def _chunk(self) -> bytes:
        chunk = self.stream.read(int(self.stream.readline(), 16))
        assert self.stream.readline() == b"\r\n"
        return chunk

    def rest(self) -> bytes:
        """Everything that comes until the server closes the connection."""
        return self.stream.read()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection that waits ten seconds at most for what it reads."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client.makefile("rb") as stream:
            yield Connection(client, stream)
