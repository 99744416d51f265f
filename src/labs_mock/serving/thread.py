"""A server in a thread of this process, which can open a test world for a while."""

import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.types import Receive, Scope, Send

from labs_mock.clock import IN_MOCK
from labs_mock.errors import StartError
from labs_mock.http.app import App
from labs_mock.serving.process import DEADLINE
from labs_mock.serving.server import Server
from labs_mock.serving.sockets import address_of, bind
from labs_mock.serving.worlds import WorldRouter
from labs_mock.state import World

Result = TypeVar("Result")


class ServerThread:
    """A server in a thread: its own world, and the base URL at which it listens.

    Raises `StartError` if it cannot listen there.
    """

    def __init__(self, world: World) -> None:
        listener = bind(world.settings.host, world.settings.port)
        self.world = world
        self.url = address_of(listener)
        self._router = WorldRouter(world)
        self._app = App(self._router)
        self._ready = threading.Event()
        self._server = Server(self._app, listener, self._ready.set)
        self._thread: threading.Thread | None = None

    def start(self, deadline: float = DEADLINE) -> None:
        """Serve. Raises `StartError` if it cannot, or not in so many seconds."""
        self._thread = self._server.serve_in_thread(ended=self._ready.set)
        self._ready.wait(deadline)
        if not self._server.started:
            self.stop(deadline)
            raise StartError(f"the server ended, or did not start within {deadline:g} s; its log says why")

    def stop(self, deadline: float = DEADLINE) -> None:
        """Stop, and wait until it has stopped, or so many seconds."""
        self._server.stop()
        if self._thread is not None:
            self._thread.join(deadline)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Its ASGI application, for a loop of somebody else: the mock keeps the computer's time there, too."""
        token = IN_MOCK.set(True)
        try:
            await self._app(scope, receive, send)
        finally:
            with suppress(ValueError):  # closed by the garbage collector, in a context of its own
                IN_MOCK.reset(token)

    def result_of(self, coroutine: Coroutine[Any, Any, Result], deadline: float = DEADLINE) -> Result:
        """What a coroutine returns that runs beside the requests, so that it sees the state between two of them."""
        return self._server.submit(coroutine).result(deadline)

    def new_key(self) -> str:
        """A key for a test world, which no other one has or had."""
        return self._router.new_key()

    def open(self, world: World, key: str) -> None:
        """Serve a test world from now on."""
        self._router.open(world, key)

    def close(self) -> None:
        """Serve its own world again; responses in progress are broken off."""
        self._router.close()
        self._server.break_off()
