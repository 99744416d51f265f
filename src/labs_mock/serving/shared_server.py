"""A server whose state is shared: in this process, or in several under a supervisor."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import Any, BinaryIO

from labs_mock.config.library import Library
from labs_mock.config.settings import Settings
from labs_mock.serving.application import application
from labs_mock.serving.server import Server, run_until_stopped
from labs_mock.serving.shared_store import shared_store
from labs_mock.serving.supervisor import Supervisor
from labs_mock.serving.worker import WorkerStart
from labs_mock.state import World
from labs_mock.state.world import accounts_of, initial_state

Announce = Callable[[World], None]
BesideWorld = Callable[[World, asyncio.Event], Coroutine[Any, Any, None]]


class SharedServer:
    """A library that is served on a bound socket, by so many processes as its settings say, from the store that they name."""

    def __init__(self, settings: Settings, library: Library, listener: socket.socket, logged: bool) -> None:
        self._settings, self._library, self._listener, self._logged = settings, library, listener, logged

    def run(self, announce: Announce, beside: BesideWorld | None = None, eof: BinaryIO | None = None) -> None:
        """Serve until a signal arrives, or a stream ends; `announce` is called once all processes can respond.

        `beside` runs as long in this process alone, with an event that is set in the end. Raises `StartError` and `SettingsError`.
        """
        serving = self._serve(announce, beside, eof)
        # That of asyncio can start processes in groups of their own.
        run_until_stopped(serving, None if self._settings.workers == 1 else asyncio.new_event_loop)

    async def _serve(self, announce: Announce, beside: BesideWorld | None, eof: BinaryIO | None) -> None:
        settings, accounts = self._settings, accounts_of(self._settings, self._library)
        initial = initial_state(settings, self._library, accounts.values())
        instance = token_hex(8)
        async with shared_store(settings, initial, instance) as store:
            world = World(settings, self._library, accounts=accounts, store=store, instance=instance)
            ready, also = partial(announce, world), beside and partial(beside, world)
            if settings.workers == 1:
                await world.library()
                server = Server(application(world, self._logged), self._listener, ready, also)
                if eof is not None:
                    server.stop_at_eof(eof)
                await server.serve(sockets=[self._listener])
            else:
                each = replace(settings, spool=settings.spool // settings.workers)
                start = WorkerStart(each, self._library.server, accounts, initial, instance, self._logged)
                supervisor = Supervisor(start, self._listener, ready, also)
                if eof is not None:
                    supervisor.stop_at_eof(eof)
                await supervisor.serve()
