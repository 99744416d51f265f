"""A user's command in a process of its own, with all that it starts in one group, so that nothing of it outlives a signal or a timeout."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from labs_mock.errors import LabsMockError

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has no such signal, and no other way to end a process
GRACE = 10.0  # seconds from the request to end to the kill
TIMED_OUT, NOT_EXECUTABLE, NOT_FOUND, SIGNALLED = 124, 126, 127, 128  # exit codes, as shells and `timeout` have them


class CommandError(LabsMockError):
    """A command that could not be started; `code` is the exit code of a shell for that."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class CommandProcess:
    """A command that runs. SIGINT and SIGTERM to this process are handed to it, so that its exit code is known then, too."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.timed_out = False
        self._received: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._timers: list[threading.Timer] = []
        self._command = command
        self._environment = environment

    def run(self, timeout: float | None) -> int:
        """The exit code; that of `timeout` if it did not end in time, and 128 and the number of the signal that ended it.

        Raises `CommandError` if it cannot be started.
        """
        with self._signals():
            self._process = self._start()
            for number in self._received:  # one that came meanwhile
                self._end(number)
            if timeout is not None:
                self._after(timeout, self._time_out)
            try:
                code = self._process.wait()
            finally:
                for timer in self._timers:
                    timer.cancel()
                if self.timed_out or self._received:
                    self._send(KILL)  # to what it leaves behind
        if self.timed_out:
            return TIMED_OUT
        return SIGNALLED - code if code < 0 else code

    def _start(self) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(self._command, env=self._environment, start_new_session=True)  # noqa: S603 - it is the user's
        except FileNotFoundError:
            raise CommandError(f"{self._command[0]}: no such command", NOT_FOUND) from None
        except OSError as error:
            raise CommandError(f"{self._command[0]}: {error.strerror}", NOT_EXECUTABLE) from None

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Within the block signals are for the command."""

        def hand_on(number: int, _: FrameType | None) -> None:
            self._received.append(number)
            if self._process is not None:
                self._end(number)

        before = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _time_out(self) -> None:
        self.timed_out = True
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        """Send a signal, and if it has not ended after a while, kill it."""
        self._send(number)
        self._after(GRACE, lambda: self._send(KILL))

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, act)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)

    def _send(self, number: int) -> None:
        """Send a signal to the command and to all that it started."""
        assert self._process is not None
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.terminate()
            else:
                os.killpg(self._process.pid, number)
