"""The only source of time: real, frozen, or real time multiplied."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import nextafter

from labs_mock.errors import SettingsError

FROZEN_AT = "2026-01-01T00:00:00Z"

END = nextafter(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp() + 1, 0)
"""The last instant that ISO 8601 can name: the end of the year 9999, in unix seconds. No clock goes further."""

IN_MOCK: ContextVar[bool] = ContextVar("IN_MOCK", default=False)
"""True where the mock's own code runs, in its thread or in its application: it keeps the computer's time and sleeps in it
while a test in the same process follows the mock's clock (`testing.followed_time`)."""

computer_time: Callable[[], float] = time.time
"""The computer's time in unix seconds; it is another function while a test has replaced `time.time`."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock as a value: what time it is follows from it and the computer's time alone, so that it can be stored.

    It began with `specification`; `base` is the time in unix seconds that it showed when the computer's was `origin`, and
    `rate` how many seconds go by on it in one. At the end of the year 9999 it stands still.
    """

    specification: str
    mode: str
    rate: float
    base: float
    origin: float

    @classmethod
    def parse(cls, specification: str = "real") -> "Clock":
        """One that starts now: `real`, `frozen` (2026-01-01T00:00:00Z), `frozen:<ISO time>` or `x<number>` (real time
        multiplied). Raises `SettingsError` for anything else.
        """
        mode, rate, start = _parse(specification)
        origin = computer_time()
        return cls(specification, mode, rate, origin if start is None else start, origin)

    def restarted(self) -> "Clock":
        """It as it began."""
        return Clock.parse(self.specification)

    def now(self) -> float:
        """Unix seconds on this clock."""
        now = self.base + (computer_time() - self.origin) * self.rate if self.rate else self.base
        return min(now, END)

    @property
    def runs(self) -> bool:
        """Whether it moves by itself."""
        return bool(self.rate)

    def advanced(self, seconds: float) -> "Clock":
        """It so many seconds later, whatever its mode, and at its end at most."""
        return replace(self, base=self.base + seconds)

    def running(self, mode: str) -> "Clock":
        """It in another mode from now on, `real`, `frozen` or `x<number>`; the time stays. Raises `SettingsError` for another."""
        if ":" in mode:
            raise SettingsError(_REFUSED.format(mode[:80], "real, frozen or x<number>"))
        now = self.now()
        mode, rate, _ = _parse(mode)
        return replace(self, mode=mode, rate=rate, base=now, origin=computer_time())


async def sleep(read: Callable[[], Awaitable[Clock]], seconds: float) -> None:
    """Wait until so many seconds have gone by on a clock that others may change, or all that it has.

    On a frozen one somebody has to advance it. `read` returns the clock as it is.
    """
    clock = await read()
    end = min(clock.now() + seconds, END)
    while (left := end - clock.now()) > 0:
        await asyncio.sleep(min(left / clock.rate, 0.02) if clock.rate else 0.002)
        clock = await read()


def stopwatch() -> Callable[[], float]:
    """A function that returns the milliseconds of real time since this call. It is for logs: no answer depends on it."""
    started = time.perf_counter()
    return lambda: (time.perf_counter() - started) * 1000


def parse_instant(text: str) -> float:
    """Unix seconds of an ISO 8601 time; without an offset it is UTC. Raises `ValueError`, also beyond the years 1 to 9999.

    The last microseconds of 9999 are its end.
    """
    instant = datetime.fromisoformat(text)
    try:
        return min((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC).timestamp(), END)
    except OverflowError:
        raise ValueError(text) from None


def instant_text(instant: float) -> str:
    """The ISO 8601 time of unix seconds, in UTC: `2026-01-01T00:00:00Z`."""
    return datetime.fromtimestamp(instant, UTC).isoformat().replace("+00:00", "Z")


def _parse(specification: str) -> tuple[str, float, float | None]:
    """The mode in one word, its rate, and where it starts."""
    name, colon, instant = specification.partition(":")
    if specification == "real":
        return "real", 1.0, None
    if name == "frozen":
        try:
            return "frozen", 0.0, parse_instant(instant if colon else FROZEN_AT)
        except ValueError:
            pass
    if re.fullmatch(r"x\d{1,6}(\.\d{1,6})?", specification, re.ASCII) and float(specification[1:]) > 0:
        return specification, float(specification[1:]), None
    raise SettingsError(_REFUSED.format(specification[:80], "real, frozen, frozen:<ISO time> or x<number>"))


_REFUSED = "clock: {!r} is not a clock; give {}"
