"""A server in a thread of this process, which can open a test world for a while."""

import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack, closing, suppress
from typing import Any, TypeVar

from starlette.types import Receive, Scope, Send

from labs_mock.clock import IN_MOCK
from labs_mock.errors import LabsMockError, StartError
from labs_mock.http.app import App
from labs_mock.serving.process import DEADLINE
from labs_mock.serving.server import Server, Serving
from labs_mock.serving.sockets import address_of, bind
from labs_mock.serving.worlds import Watch, WorldParts, WorldRouter
from labs_mock.state import World

Result = TypeVar("Result")


class ServerThread:
    """A server in a thread: its own world, and the base URL at which it listens.

    The world is open as long as it serves, with the store that `watch` puts before that of its parts.
    Raises `StartError` if it cannot listen there.
    """

    def __init__(self, parts: WorldParts, watch: Watch = lambda store: store) -> None:
        self._listener = bind(parts.settings.host, parts.settings.port)
        self.url = address_of(self._listener)
        self._opening = parts.opened(watch)
        self._app = App(self._world_of)
        self._ready = threading.Event()
        self._server = Server(self._app, self._listener, self._ready.set)
        self._thread: threading.Thread | None = None
        self._error: LabsMockError | None = None
        self._tests = AsyncExitStack()

    @property
    def world(self) -> World:
        """Its own world, once it has started."""
        return self._router.own

    def start(self, deadline: float = DEADLINE) -> None:
        """Serve. Raises `StartError` if it cannot, or not in so many seconds, and `SettingsError` if its store cannot be opened."""
        self._thread = self._server.serve_in_thread(ended=self._ready.set, around=self._in_its_world)
        self._ready.wait(deadline)
        if not self._server.started:
            self.stop(deadline)
            raise self._error or StartError(
                f"the server ended, or did not start within {deadline:g} s; its log says why"
            )

    def _world_of(self, key: bytes | None) -> World:
        return self._router(key)

    async def _in_its_world(self, serving: Serving) -> None:
        with closing(serving), closing(self._listener):
            try:
                async with self._opening as world, self._tests:
                    self._router = WorldRouter(world)
                    await serving
            except LabsMockError as error:
                self._error = error

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

    def open(self, parts: WorldParts, key: str, watch: Watch = lambda store: store) -> World:
        """Serve a test world from now on, with its store as `watch` has it. Raises `SettingsError` and `StartError` if that cannot be opened."""
        world = self.result_of(self._tests.enter_async_context(parts.opened(watch)))
        self._router.open(world, key)
        return world

    def close(self) -> None:
        """Serve its own world again; responses in progress are broken off."""
        self._router.close()
        self._server.break_off()
        self.result_of(self._tests.aclose())
