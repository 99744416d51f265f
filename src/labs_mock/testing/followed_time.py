"""The time of a test that follows the mock's clock: what it reads is that clock, and its sleeps move it."""

import os
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn, Self

import time_machine

from labs_mock import clock
from labs_mock.clock import IN_MOCK, Clock
from labs_mock.serving.thread import ServerThread
from labs_mock.testing.replaced_sleep import pause, pause_in_loop, replace_sleeps, restore_sleeps
from labs_mock.testing.source_line import source_line
from labs_mock.testing.watched_store import WatchedStore

LONGEST = 24 * 60 * 60  # seconds
MOST = 10_000  # sleeps
PAUSE = 0.001  # seconds of real time, in which others get on with what they do, and begin their sleeps


class FollowedTime:
    """While it is open, `time` and `datetime` follow the clock of a test's world, which a thread of this process serves.

    time-machine replaces what reads the time, references too; timers of loops, timeouts of sockets and the mock itself keep
    the computer's time. A sleep sets a deadline, pauses for a moment, and moves the clock to the deadline if it is earlier:
    many that sleep at once move it once. `sleeps` has the seconds of each sleep, in order.

    A sleep of more than `LONGEST` seconds, and the `MOST`th sleep, call `fail` with the reason, which raises.
    """

    def __init__(self, server: ServerThread, store: WatchedStore, fail: Callable[[str], NoReturn]) -> None:
        self.sleeps: list[float] = []
        self._server, self._store, self._fail = server, store, fail
        self._process = os.getpid()
        self._computer_time = 0  # nanoseconds, when the monotonic clock was 0
        self._travel = time_machine.travel(0, tick=False)

    def __enter__(self) -> Self:
        self._computer_time = time.time_ns() - time.monotonic_ns()
        traveller: Any = self._travel.start()
        traveller.time_ns = self._time_ns  # which all that reads the time calls from now on
        clock.computer_time = lambda: self._computer_time_ns() / 1e9
        replace_sleeps(self)
        return self

    def __exit__(self, *_: object) -> None:
        restore_sleeps()
        self._travel.stop()
        clock.computer_time = time.time

    def skips(self) -> bool:
        """Whether who calls keeps the computer's time: the mock, and a forked process, which does not see its clock."""
        return IN_MOCK.get() or os.getpid() != self._process

    def sleep(self, seconds: float) -> None:
        """A sleep of a thread."""
        deadline = self._deadline(seconds, sys._getframe(1))
        pause(PAUSE)
        self._move_to(deadline)

    async def sleep_in_loop(self, seconds: float) -> None:
        """A sleep of a task."""
        deadline = self._deadline(seconds, sys._getframe(1))
        await pause_in_loop(PAUSE)
        self._move_to(deadline)

    def _deadline(self, seconds: float, frame: FrameType) -> float:
        """When a sleep ends on the mock's clock."""
        self.sleeps.append(seconds)
        if seconds > LONGEST:
            self._fail(f"{source_line(frame)}: a sleep of {seconds:,.0f} s, which is more than a day.\n{TOO_LONG}")
        if len(self.sleeps) >= MOST:
            self._fail(f"{source_line(frame)}: sleep number {len(self.sleeps):,} of this test.\n{TOO_MANY}")
        return self._clock().now() + seconds

    def _move_to(self, deadline: float) -> None:
        """Move the clock, beside the requests."""
        self._server.result_of(self._store.sleep_until(deadline))

    def _clock(self) -> Clock:
        """The clock of now, from any thread: to read what this process knows, and nobody else changes, waits for nothing."""
        reading = self._store.known_clock()
        while True:
            try:
                reading.send(None)
            except StopIteration as end:
                found: Clock = end.value
                return found

    def _time_ns(self) -> int:
        """What the time is, for who asks."""
        if self.skips():
            return self._computer_time_ns()
        now = self._clock().now()
        return int(now // 1) * 10**9 + round(now % 1 * 1e9)  # the nearest, so that it is the same float again

    def _computer_time_ns(self) -> int:
        return self._computer_time + time.monotonic_ns()


TOO_LONG = "`X-RateLimit-Reset` is the unix time in seconds at which the quota is full again, not how long to wait"
TOO_MANY = "What it waits for does not come: time goes by with each sleep, and nothing else happens"
