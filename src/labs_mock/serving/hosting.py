"""A server in a thread of this process, whose world can be another one for a while: that of the test that runs."""

import threading
from dataclasses import replace

from starlette.types import ASGIApp, Receive, Scope, Send

from labs_mock.config.library import Library
from labs_mock.config.settings import by_name, settings_from
from labs_mock.contract.limits import PLANS
from labs_mock.errors import StartError
from labs_mock.http import create_app
from labs_mock.http.bearer import bearer_key
from labs_mock.serving.server import Server, address_of, bind
from labs_mock.state import World
from labs_mock.state.world import accounts_of

GUEST = "lab_of_a_test_"
"""What the keys of guests begin with."""


def world_of(library: Library, settings: dict[str, object], guest: str | None = None) -> World:
    """A world of a library under some settings, by name. Raises `SettingsError`.

    `guest` is a key more, on the terms of the first but for a plan that the settings name.
    """
    named = by_name(settings)
    known = settings_from(named, library.server.settings)
    if guest is None:
        return World(known, library)
    account = replace(accounts_of(known, library)[0], key=guest)
    return World(
        known, library, replace(account, requests_per_minute=PLANS[known.plan]) if "plan" in named else account
    )


class Switch:
    """Requests go to the guest's world while there is one, else to the host's; those of earlier guests go nowhere.

    A guest is known by its key. Nowhere is a world that nobody looks at.
    """

    def __init__(self, host: ASGIApp, nowhere: ASGIApp) -> None:
        self.host = self.present = host
        self.nowhere = nowhere
        self.key = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        sent = bearer_key(scope.get("headers", ())) or b""
        left = sent.startswith(GUEST.encode()) and sent != self.key
        await (self.nowhere if left else self.present)(scope, receive, send)


class Host:
    """A server in a thread. `url` is where it listens."""

    def __init__(self, world: World) -> None:
        listener = bind(world.settings.host, world.settings.port)
        self.world = world
        self.url = address_of(listener)
        self._ready = threading.Event()
        self._server = Server(world, listener, self._ready.set)
        self._switch = Switch(create_app(world), create_app(World(world.settings, world.library)))
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
        self._switch.present = app = create_app(world)
        return app

    def dismiss(self) -> None:
        """Serve the host's own world again; answers in progress are broken off."""
        self._switch.key, self._switch.present = b"", self._switch.host
        self._server.break_off()
