"""A real server: uvicorn on a socket that is bound beforehand."""

import asyncio
import gc
import os
import signal
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from types import FrameType
from typing import Any, BinaryIO, TypeVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.loops.auto import auto_loop_factory

from labs_mock.clock import IN_MOCK
from labs_mock.serving.outbox import Outbox
from labs_mock.serving.protocol import Protocol

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
KEEP_ALIVE = 75  # sweeps, for the next request: a client's event loop may stand still while a model writes
CANCEL_TIMEOUT = 1.0  # seconds for responses that are broken off to end


GC_THRESHOLD = (20_000, 20, 20)  # requests make many objects and few cycles


Result = TypeVar("Result")
Serving = Coroutine[Any, Any, None]
Beside = Callable[[asyncio.Event], Serving]
LoopFactory = Callable[[], asyncio.AbstractEventLoop]


class Server(uvicorn.Server):
    """Serves an application on a bound socket, and calls `ready` once it responds there.

    `beside` runs in the loop of the server as long as that does; it gets an event that is set when the server stops. A stop
    takes effect at once and not at the next tick of a clock, and waits for nobody longer than it must.
    """

    def __init__(
        self, app: ASGIApp, listener: socket.socket, ready: Callable[[], None], beside: Beside | None = None
    ) -> None:
        super().__init__(uvicorn.Config(app, **UVICORN | {"http": partial(Protocol, Outbox())}))
        self._listener = listener
        self._ready = ready
        self._beside = beside
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to respond, then call `ready`."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self._ready()
            if self._beside is not None:
                self._task = asyncio.create_task(self._beside(self._stopping))

    async def main_loop(self) -> None:
        """Wait until the server is stopped, and check at times for clients that have stopped sending."""
        await self.on_tick(0)
        while not self.should_exit:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), SWEEP)
            self._sweep()

    def _sweep(self) -> None:
        """Close connections without another request, or, without a response, without the rest of one, for too long (GEN-3)."""
        for connection in list(self.server_state.connections):
            assert isinstance(connection, Protocol)
            connection.quiet = connection.quiet + 1 if connection.waits or connection.idle else 0
            if connection.waits and connection.quiet > PATIENCE:
                connection.transport.abort()
            elif connection.idle and connection.quiet > KEEP_ALIVE:
                connection.transport.close()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no new connections, let requests in progress end, and break off those that take too long."""
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
            await asyncio.wait(left, timeout=CANCEL_TIMEOUT)

    async def _drained(self) -> None:
        state = self.server_state
        while (state.connections or state.tasks) and not self.force_exit:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.002)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop on a signal, as servers are stopped; a second Ctrl-C does not wait for requests in progress.

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
                self._loop.call_soon_threadsafe(self._stopping.set)

    def submit(self, coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Run a coroutine in the loop of the server, which has started; from any other thread."""
        assert self._loop is not None
        context = copy_context()  # that of who calls, but that it is ours
        context.run(IN_MOCK.set, True)
        return context.run(asyncio.run_coroutine_threadsafe, coroutine, self._loop)

    def break_off(self) -> None:
        """Close the connections on which a response is in progress, and wait until that is done; from any thread."""
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
        """Run until a signal arrives."""
        run_until_stopped(self.serve(sockets=[self._listener]))

    def serve_in_thread(
        self, ended: Callable[[], None] = lambda: None, around: Callable[[Serving], Serving] = lambda serving: serving
    ) -> threading.Thread:
        """Run in a thread of its own until it is stopped, and then call `ended`; `around` does more in its loop, before and after."""

        def serve() -> None:
            IN_MOCK.set(True)
            try:
                with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
                    runner.run(around(self.serve(sockets=[self._listener])))
            finally:
                ended()

        thread = threading.Thread(target=serve, name="labs-mock", daemon=True)
        thread.start()
        return thread

    def stop_at_eof(self, stream: BinaryIO) -> None:
        """Stop when a stream ends, as the standard input does when the process at its other end is gone."""
        call_at_eof(stream, self.stop)


def call_at_eof(stream: BinaryIO, function: Callable[[], object]) -> None:
    """Call a function, in a thread of its own, when a stream ends."""

    def wait() -> None:
        while os.read(stream.fileno(), 65_536):  # not by `stream`, which this process could not close while it is read
            pass
        with suppress(RuntimeError):  # its loop has ended by itself
            function()

    threading.Thread(target=wait, name="labs-mock-eof", daemon=True).start()


def run_until_stopped(serving: Serving, factory: LoopFactory | None = None) -> None:
    """Run a server, and what it needs, in an event loop of its own (default: the fastest that there is)."""
    # What was loaded stays, so the collector need not visit it.
    gc.freeze()
    gc.enable()
    gc.set_threshold(*GC_THRESHOLD)
    with asyncio.Runner(loop_factory=factory or auto_loop_factory()) as runner:
        runner.run(serving)
