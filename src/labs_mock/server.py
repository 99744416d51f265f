"""A real server: uvicorn on a socket that is bound beforehand."""

import gc
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from labs_mock.errors import StartError
from labs_mock.http import create_app
from labs_mock.world import World

BACKLOG = 2048
UVICORN: dict[str, Any] = {
    "http": "httptools",
    "ws": "none",
    "lifespan": "off",
    "log_level": "warning",
    "access_log": False,
    "server_header": False,
    "date_header": False,
    "proxy_headers": False,
    "timeout_graceful_shutdown": 2,
}
GC_THRESHOLD = (20_000, 20, 20)  # requests make many objects and few cycles


class Server(uvicorn.Server):
    """Serves a world on a bound socket, and calls back once the socket is answered."""

    def __init__(self, world: World, listener: socket.socket, ready: Callable[[], None]) -> None:
        super().__init__(uvicorn.Config(create_app(world), **UVICORN))
        self._listener = listener
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    def serve_until_stopped(self) -> None:
        """Run until a signal comes."""
        # What was loaded stays; the collector need not walk it again and again.
        gc.freeze()
        gc.enable()
        gc.set_threshold(*GC_THRESHOLD)
        self.run(sockets=[self._listener])


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises `StartError` that names the address."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    return listener


def address_of(listener: socket.socket) -> str:
    """The base URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
