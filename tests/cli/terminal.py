"""A command on a terminal, as a person has it."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

from tests.cli.running import SCRIPT

DEADLINE = 60.0  # seconds for what is expected to appear
PRESSED_AGAIN = 10.0  # seconds after which nobody waits for a Ctrl-C any more


class Terminal:
    """A process with a terminal of its own. `shown` is all that it has printed so far, echoes of what was entered among it."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.process = process
        self.shown = ""
        self._found = 0
        self._screen = screen

    def wait_for(self, text: str) -> None:
        """Return once a text has been printed, behind that for which was waited before."""
        ends = monotonic() + DEADLINE
        while (at := self.shown.find(text, self._found)) < 0:
            assert self._read(ends - monotonic()), f"no {text!r} in {self.shown[self._found :]!r}"
        self._found = at + len(text)

    def enter(self, keys: str | bytes) -> None:
        """Press keys."""
        os.write(self._screen, keys.encode() if isinstance(keys, str) else keys)

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit code.

        One that comes in the moment before a read begins is noticed by Python with the next key alone, so it is pressed again.
        """
        ends = monotonic() + DEADLINE
        while self.process.poll() is None and monotonic() < ends:
            self.enter("\x03")
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(PRESSED_AGAIN)
        return self.end()

    def end(self) -> int:
        """The exit code, once the process has ended and all was read."""
        ends = monotonic() + DEADLINE
        while self._read(ends - monotonic()):
            pass
        return self.process.wait(max(0, ends - monotonic()))

    def _read(self, seconds: float) -> bool:
        """Read what there is, or will be within some time; whether there was something."""
        if not select.select([self._screen], [], [], max(0, seconds))[0]:
            return False
        try:
            read = os.read(self._screen, 65_536)
        except OSError:  # how Linux reports that the other side is closed
            return False
        self.shown += read.decode("utf-8", "replace")
        return bool(read)


# The terminal on standard input becomes the one whose Ctrl-C reaches the process.
TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


@contextmanager
def on_terminal(*arguments: str | Path) -> Iterator[Terminal]:
    """`labs-mock` on a terminal; it is killed at the end of the block if it still runs."""
    assert SCRIPT
    screen, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, SCRIPT, *arguments],
        stdin=side,
        stdout=side,
        stderr=side,
        start_new_session=True,
        env={**os.environ, "TERM": "dumb"},
    )
    os.close(side)
    try:
        yield Terminal(process, screen)
    finally:
        process.kill()
        process.wait()
        os.close(screen)
