"""A real server: uvicorn on a socket that is bound beforehand."""

import asyncio
import gc
import logging
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

import uvicorn
from starlette.types import ASGIApp

from labs_mock.config.library import load_library
from labs_mock.errors import ScenarioError, StartError
from labs_mock.http import create_app
from labs_mock.serving.protocol import Protocol
from labs_mock.state import World

log = logging.getLogger("labs_mock")

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

SWEEP = 1.0  # seconds
PATIENCE = 30  # sweeps, for a head or a body that does not come on (GEN-3)
FAREWELL = 1.0  # seconds for answers that are broken off to end


GC_THRESHOLD = (20_000, 20, 20)  # requests make many objects and few cycles


class Server(uvicorn.Server):
    """Serves a world on a bound socket, and calls back once the socket is answered; `app` is an application of its own.

    It stops when it is told to and not at the next tick of a clock, and waits for nobody longer than it must.
    """

    def __init__(
        self,
        world: World,
        listener: socket.socket,
        ready: Callable[[], None],
        watched: Path | None = None,
        app: ASGIApp | None = None,
    ) -> None:
        super().__init__(uvicorn.Config(app or create_app(world), **UVICORN | {"http": Protocol}))
        self._listener = listener
        self._ready = ready
        self._world = world
        self._watched = watched
        self._watching: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then say so."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self._ready()
            if self._watched is not None:
                self._watching = asyncio.create_task(self._reload(self._watched))

    async def main_loop(self) -> None:
        """Wait until somebody stops the server, and now and then look for clients that have stopped sending."""
        await self.on_tick(0)
        while not self.should_exit:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), SWEEP)
            self._sweep()

    def _sweep(self) -> None:
        """Close connections on which the rest of a request has not come for too long, without an answer (GEN-3)."""
        for connection in list(self.server_state.connections):
            assert isinstance(connection, Protocol)
            connection.quiet = connection.quiet + 1 if connection.waits else 0
            if connection.quiet > PATIENCE:
                connection.transport.abort()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connections, let requests in progress end, and break off those that take too long."""
        for taken in (*self.servers, *(sockets or ())):
            taken.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._drained(), self.config.timeout_graceful_shutdown)
        left = list(self.server_state.tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=FAREWELL)

    async def _drained(self) -> None:
        state = self.server_state
        while (state.connections or state.tasks) and not self.force_exit:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.002)

    async def _reload(self, folder: Path) -> None:
        """Load the folder again whenever a file of it changes; if one is bad, what was served goes on."""
        from labs_mock.serving.watching import changes

        async for _ in changes(folder, self._woken):
            try:
                self._world.adopt(await asyncio.to_thread(load_library, folder))
            except ScenarioError as error:
                told = self._world.redactor(str(error))
                log.error("%s\nnot reloaded: the scenarios that were served still are", told)  # noqa: TRY400 - the mistakes say it all
            else:
                log.warning("reloaded: %d scenarios", len(self._world.library.scenarios))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal has come, which is how one stops a server; a second Ctrl-C does not wait for requests in progress.

        It is not raised again when the server has stopped, as uvicorn does.
        """
        del frame
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.stop()

    def stop(self) -> None:
        """Stop soon; from any thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._woken.set)

    def break_off(self) -> None:
        """Close the connections on which an answer is in progress, and wait until that is done; from any thread."""
        done = threading.Event()

        def reset() -> None:
            for connection in list(self.server_state.connections):
                cycle = getattr(connection, "cycle", None)
                if cycle is not None and not cycle.response_complete:
                    connection.transport.abort()
            done.set()

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(reset)
            done.wait(1)

    def serve_until_stopped(self) -> None:
        """Run until a signal comes."""
        # What was loaded stays; the collector need not walk it again and again.
        gc.freeze()
        gc.enable()
        gc.set_threshold(*GC_THRESHOLD)
        self.run(sockets=[self._listener])

    def serve_in_thread(self, ended: Callable[[], None] = lambda: None) -> threading.Thread:
        """Run in a thread of its own until it is stopped, and call back then."""

        def serve() -> None:
            try:
                self.run(sockets=[self._listener])
            finally:
                ended()

        thread = threading.Thread(target=serve, name="labs-mock", daemon=True)
        thread.start()
        return thread

    def stop_at_eof(self, stream: BinaryIO) -> None:
        """Stop when a stream ends, as the standard input does when the process at its other end is gone."""

        def wait() -> None:
            stream.read()
            self.stop()

        threading.Thread(target=wait, name="labs-mock-eof", daemon=True).start()


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


EVERYWHERE = {"0.0.0.0": ("127.0.0.1", "192.0.2.1"), "::": ("::1", "2001:db8::1")}  # noqa: S104 - nothing is bound here
"""The addresses that mean all of a machine's, each with its loopback address and one of another network."""


def address_of(listener: socket.socket) -> str:
    """The base URL at which programs of this machine find a bound socket."""
    host, port = listener.getsockname()[:2]
    return _url(EVERYWHERE[host][0] if host in EVERYWHERE else host, port)


def outside_address_of(listener: socket.socket) -> str | None:
    """The base URL for other machines, of a socket that listens on all addresses; None for others or without a network."""
    host, port = listener.getsockname()[:2]
    if host not in EVERYWHERE:
        return None
    with socket.socket(listener.family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((EVERYWHERE[host][1], 9))  # nothing is sent: it only chooses the address to send from
        except OSError:
            return None
        return _url(probe.getsockname()[0], port)


def is_open(listener: socket.socket) -> bool:
    """Whether other machines may reach a bound socket, as far as its address says."""
    return not ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
