"""The supervisor of several processes that serve one socket: it starts them, replaces those that end, and stops them together."""

import asyncio
import logging
import pickle
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from labs_mock.errors import StartError
from labs_mock.serving.server import Beside, call_at_eof
from labs_mock.serving.worker import WorkerStart

log = logging.getLogger("labs_mock")

EARLY = 5.0  # seconds after its start within which the end of a worker is a failure to start
ATTEMPTS = 3  # at the start of a worker
PATIENCE = 4.0  # seconds for workers to stop
COMMAND = [sys.executable, "-c", "from labs_mock.serving.worker import main; main()"]


class Supervisor:
    """Keeps so many workers, and calls `ready` once all of them can respond.

    A worker ends when its standard input does, so that none is left when this process ends, however that ends. It is in a process
    group of its own: a Ctrl-C reaches it through the supervisor alone.
    """

    def __init__(
        self, start: WorkerStart, listener: socket.socket, ready: Callable[[], None], beside: Beside | None = None
    ) -> None:
        self._start = pickle.dumps(start)
        self._listener, self._announce, self._beside = listener, ready, beside
        self._number = start.settings.workers
        self._processes: set[Process] = set()
        self._started: set[int] = set()
        self._all_started = asyncio.Event()
        self._stop = asyncio.Event()

    async def serve(self) -> None:
        """Keep them until `stop`, or a signal. Raises `StartError` if one ends within 5 s of its start three times."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop, number)
        kept = [asyncio.create_task(self._keep(place)) for place in range(self._number)]
        others = [asyncio.create_task(self._accompany())]
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait([*kept, *others, stopped], return_when=asyncio.FIRST_COMPLETED)
        self.stop()
        await asyncio.wait([*kept, *others], timeout=PATIENCE)
        self._signal(signal.SIGKILL)
        await asyncio.wait([*kept, *others])
        for error in [task.exception() for task in (*kept, *others)]:
            if error is not None:
                raise error

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop all workers; they get every signal."""
        self._stop.set()
        self._all_started.set()
        self._listener.close()
        self._signal(number)

    def stop_at_eof(self, stream: BinaryIO) -> None:
        """Stop when a stream ends."""
        loop = asyncio.get_running_loop()
        call_at_eof(stream, lambda: loop.call_soon_threadsafe(self.stop))

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.send_signal(number)

    async def _accompany(self) -> None:
        """Announce that all can respond, and do what is done beside them, until the server stops."""
        await self._all_started.wait()
        if not self._stop.is_set():
            self._announce()
        if self._beside is not None:
            await self._beside(self._stop)
        await self._stop.wait()

    async def _keep(self, place: int) -> None:
        """Have a worker at a place, and another one when it ends, until the server stops."""
        loop, failures = asyncio.get_running_loop(), 0
        while not self._stop.is_set():
            started = loop.time()
            code = await self._run_worker(place)
            if self._stop.is_set():
                return
            failures = failures + 1 if loop.time() - started < EARLY else 0
            end = f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
            if failures == ATTEMPTS:
                raise StartError(f"a worker ended {ATTEMPTS} times within {EARLY:g} s of its start, at last {end}")
            log.warning("a worker ended %s, and is replaced", end)

    async def _run_worker(self, place: int) -> int:
        """Start a worker, have it serve once all can, and wait for its end; its exit code."""
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            str(self._listener.fileno()),
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=[self._listener.fileno()],
            process_group=0,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        self._processes.add(process)
        try:
            if self._stop.is_set():
                process.kill()
            with suppress(ConnectionError):
                process.stdin.write(self._start)
                await process.stdin.drain()
                if await process.stdout.readline():
                    self._started.add(place)
                    if len(self._started) == self._number:
                        self._all_started.set()
                    await self._all_started.wait()
                    process.stdin.write(b"\n")
            return await process.wait()
        finally:
            self._processes.discard(process)
            process.stdin.close()
