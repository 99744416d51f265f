"""A client of raw sockets, which costs little beside the servers that it measures."""

import selectors
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from benchmarks.figures import NotMeasured


class Response(NamedTuple):
    """The body of a response, the connection that it came on, and the seconds since its request was sent."""

    connection: int
    body: bytes
    seconds: float


class Client:
    """Connections to a server, each with a request on the way at a time. Servers close those that are idle for seconds."""

    def __init__(self, port: int, connections: int = 32) -> None:
        self._sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
        for connection in self._sockets:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._sockets:
            connection.close()

    def send(self, requests: Sequence[bytes]) -> list[bytes]:
        """Send requests over all connections; their bodies in the order of the requests."""
        shares = [range(start, len(requests), len(self._sockets)) for start in range(len(self._sockets))]
        places = [iter(share) for share in shares]
        bodies = [b""] * len(requests)
        for connection, body, _ in self.responses([(requests[place] for place in share) for share in shares]):
            bodies[next(places[connection])] = body
        return bodies

    def responses(self, requests: Iterable[Iterable[bytes]], pipelined: int = 1) -> Iterator[Response]:
        """The responses to the requests of each connection as they arrive.

        With `pipelined` each of the requests is so many of them in one. Raises `NotMeasured` for anything but 200.
        """
        with selectors.DefaultSelector() as selector:
            for number, source in enumerate(requests):
                exchange = _Exchange(self._sockets[number], iter(source), pipelined)
                if exchange.send_next():
                    selector.register(self._sockets[number], selectors.EVENT_READ, (number, exchange))
            while selector.get_map():
                for key, _ in selector.select():
                    number, exchange = key.data
                    for body in exchange.receive():
                        yield Response(number, body, time.perf_counter() - exchange.sent)
                    if not exchange.missing and not exchange.send_next():
                        selector.unregister(key.fileobj)


class _Exchange:
    """The requests of a connection; of the last one so many responses are missing."""

    def __init__(self, connection: socket.socket, requests: Iterator[bytes], pipelined: int) -> None:
        self._connection = connection
        self._requests = requests
        self._pipelined = pipelined
        self._buffer = b""
        self.missing = 0
        self.sent = 0.0

    def send_next(self) -> bool:
        """Send a request, if there is another one."""
        request = next(self._requests, None)
        if request is None:
            return False
        self.missing, self.sent = self._pipelined, time.perf_counter()
        self._connection.sendall(request)
        return True

    def receive(self) -> Iterator[bytes]:
        """The bodies of which the last byte has arrived."""
        arrived = self._connection.recv(1 << 18)
        if not arrived:
            raise NotMeasured("a server closed a connection")
        self._buffer += arrived
        while (taken := _body(self._buffer)) is not None:
            body, self._buffer = taken
            self.missing -= 1
            yield body


def _body(buffer: bytes) -> tuple[bytes, bytes] | None:
    """The body of a response and what follows it, if all of it has arrived."""
    end = buffer.find(b"\r\n\r\n") + 4
    if end < 4:
        return None
    head = buffer[:end].lower()
    if not head.startswith(b"http/1.1 200"):
        raise NotMeasured(f"a request failed: {buffer[:500].decode(errors='replace')}")
    start = head.index(b"content-length:") + len(b"content-length:")
    end_of_body = end + int(head[start : head.index(b"\r\n", start)])
    return (buffer[end:end_of_body], buffer[end_of_body:]) if len(buffer) >= end_of_body else None
