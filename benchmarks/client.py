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
    """Connections to a server, each with a request on the way at a time."""

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
        selector = selectors.DefaultSelector()
        left = {index: iter(source) for index, source in enumerate(requests)}
        buffers = dict.fromkeys(left, b"")
        missing, sent = dict.fromkeys(left, 0), dict.fromkeys(left, 0.0)

        def send_next(index: int) -> None:
            request = next(left[index], None)
            if request is None:
                selector.unregister(self._sockets[index])
            else:
                missing[index], sent[index] = pipelined, time.perf_counter()
                self._sockets[index].sendall(request)

        for index in left:
            selector.register(self._sockets[index], selectors.EVENT_READ, index)
            send_next(index)
        while selector.get_map():
            for key, _ in selector.select():
                index = key.data
                buffers[index] += self._sockets[index].recv(1 << 18)
                while (body := _body(buffers[index])) is not None:
                    taken, buffers[index] = body
                    missing[index] -= 1
                    yield Response(index, taken, time.perf_counter() - sent[index])
                if not missing[index]:
                    send_next(index)


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
