"""A server that answers whatever a test wants, in raw bytes."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

Responses = bytes | Callable[[str], bytes]
"""The bytes of every response, or those for a path. Empty bytes close the connection; None of them keeps it open in silence."""
SILENCE = b"silence"
"""Instead of a response: nothing, and the connection stays open."""


@dataclass
class RawServer:
    """A running server: its address and port, and the heads of all requests so far."""

    port: int
    requests: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def calls(self) -> list[str]:
        """Method and target of each request."""
        return [" ".join(head.split(" ")[:2]) for head in self.requests]


def response(status: str, body: Any = b"", *headers: str) -> bytes:
    """An HTTP response; a body that is no bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    kind = () if isinstance(body, bytes) else ("Content-Type: application/json",)
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *kind, *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


@contextmanager
def raw_server(responses: Responses, context: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Serve on a free port of this machine, with TLS if there is a context for it."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = RawServer(listener.getsockname()[1])
    stopped = threading.Event()
    threads: list[threading.Thread] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                if stopped.is_set():
                    connection.close()
                    return
                threads.append(threading.Thread(target=answer, args=[connection]))
                threads[-1].start()

    def answer(plain: socket.socket) -> None:
        plain.settimeout(30)
        with suppress(OSError), plain:
            connection = plain if context is None else context.wrap_socket(plain, server_side=True)
            with connection:
                head = _read_request(connection)
                server.requests.append(head)
                sent = responses if isinstance(responses, bytes) else responses(head.split(" ")[1])
                if sent == SILENCE:
                    stopped.wait(30)
                else:
                    connection.sendall(sent)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield server
    finally:
        stopped.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", server.port), 10).close()  # so that it accepts for the last time
        listener.close()
        for one in (thread, *threads):
            one.join(30)
            assert not one.is_alive()


def _read_request(connection: socket.socket) -> str:
    """The head of a request, once its body is there, too."""
    read = b""
    while b"\r\n\r\n" not in read:
        part = connection.recv(65_536)
        if not part:
            raise OSError("no request")
        read += part
    head, _, body = read.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = int(lengths[0]) - len(body) if lengths else 0
    while missing > 0:
        missing -= len(connection.recv(65_536)) or missing
    return head.decode("latin-1")
