"""One of several processes that serve a socket; a supervisor starts it."""

import asyncio
import os
import pickle
import signal
import socket
import sys
from contextlib import suppress
from typing import NamedTuple

from labs_mock.config.library import Library
from labs_mock.config.server_file import ServerFile
from labs_mock.config.settings import Settings
from labs_mock.errors import LabsMockError, StoreUnavailable
from labs_mock.escapes import printable
from labs_mock.serving.application import application
from labs_mock.serving.server import Server, run_until_stopped
from labs_mock.serving.shared_store import shared_store
from labs_mock.state import World
from labs_mock.state.account import Account
from labs_mock.state.store import InitialState

NOT_STARTED = 3  # as an exit code


class WorkerStart(NamedTuple):
    """What a worker gets from its supervisor, which has read the files and checked the namespace."""

    settings: Settings
    server: ServerFile
    accounts: dict[str, Account]
    initial: InitialState
    instance: str
    logged: bool


def main() -> None:
    """Serve the socket whose number is the first argument, as standard input says, until that ends or a signal arrives.

    A line on standard output says that it can; it does after a line on standard input.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    start: WorkerStart = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own process has written it
    try:
        run_until_stopped(_serve(start, socket.socket(fileno=int(sys.argv[1]))))
    except LabsMockError as error:
        sys.stderr.write(f"labs-mock: {printable(str(error))}\n")
        sys.exit(NOT_STARTED)


async def _serve(start: WorkerStart, listener: socket.socket) -> None:
    async with shared_store(start.settings, start.initial, start.instance, checked=True) as store:
        library = Library({}, server=start.server)  # the rest is in the store
        world = World(start.settings, library, accounts=start.accounts, store=store, instance=start.instance)
        with suppress(StoreUnavailable):  # by now: it serves all the same, and each request says so
            await world.library()
        os.write(sys.stdout.fileno(), b"ready\n")
        if await asyncio.to_thread(sys.stdin.buffer.readline):
            server = Server(application(world, start.logged), listener, _nothing)
            server.stop_at_eof(sys.stdin.buffer)
            await server.serve(sockets=[listener])


def _nothing() -> None:
    """Nobody waits for a worker that responds: its socket has taken connections before."""
