"""A server in a thread of this process, whose world can be another one for a while: that of the test that runs."""

import threading

from starlette.types import ASGIApp, Receive, Scope, Send

from labs_mock.errors import StartError
from labs_mock.http import create_app
from labs_mock.scenario.loader import Library
from labs_mock.server import Server, address_of, bind
from labs_mock.settings import given, settings_from
from labs_mock.world import World

GUEST = "lab_test_"
"""What the keys of guests begin with."""


def world_of(library: Library, settings: dict[str, object], guest: str | None = None) -> World:
    """A world of a library under some settings, by name; `guest` is one key more. Raises `SettingsError`."""
    return World(settings_from(given(settings, {}), library.server.settings), library, guest)


class Switch:
    """Requests go to the guest's world while there is one, and those with the key of an earlier guest to the host's."""

    def __init__(self, app: ASGIApp) -> None:
        self.host = app
        self.guest: ASGIApp | None = None
        self.key = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        app = self.guest
        if app is None or self._left(scope):
            app = self.host
        await app(scope, receive, send)

    def _left(self, scope: Scope) -> bool:
        """Whether a request comes from a guest that has left."""
        sent = dict(scope.get("headers", ())).get(b"authorization", b"").partition(b" ")[2].strip(b" ")
        return bool(sent.startswith(GUEST.encode()) and sent != self.key)


class Host:
    """A server in a thread. `url` is where it listens."""

    def __init__(self, world: World) -> None:
        listener = bind(world.settings.host, world.settings.port)
        self.world = world
        self.url = address_of(listener)
        self._ready = threading.Event()
        self._server = Server(world, listener, self._ready.set)
        self._switch = Switch(create_app(world))
        self._server.config.app = self._switch
        self._thread: threading.Thread | None = None
        self._invited = 0

    def start(self, deadline: float) -> None:
        """Serve. Raises `StartError` if it cannot, or not in so many seconds."""
        self._thread = self._server.serve_in_thread(ended=self._ready.set)
        self._ready.wait(deadline)
        if not self._server.started:
            self.stop(deadline)
            raise StartError(f"the server ended, or did not start within {deadline:g} s; its log says why")

    def stop(self, deadline: float) -> None:
        """Stop, and wait until it has stopped."""
        self._server.stop()
        if self._thread is not None:
            self._thread.join(deadline)

    def invite(self) -> str:
        """A key that no other guest has or had."""
        self._invited += 1
        return f"{GUEST}{self._invited}"

    def receive(self, world: World, key: str) -> ASGIApp:
        """Serve a guest's world from now on; its application."""
        self._switch.key = key.encode()
        self._switch.guest = app = create_app(world)
        return app

    def dismiss(self) -> None:
        """Serve the host's own world again; answers in progress are broken off."""
        self._switch.guest = None
        self._server.break_off()
