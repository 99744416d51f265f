"""The time of this process, made to run faster: clocks, sleeps, timers of event loops, timeouts of sockets and threads alike.

It is for the client process of a drill, and imported there before anything of the user's: what that imports by name is already
replaced. It needs the standard library alone. What waits outside of Python, such as uvloop, keeps the computer's time.
"""

# mypy: disable-error-code="method-assign, assignment, misc, attr-defined, arg-type"

import datetime
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import date as true_date
from datetime import datetime as true_datetime
from typing import Any

SELECTORS = ("SelectSelector", "PollSelector", "EpollSelector", "DevpollSelector", "KqueueSelector")

_time, _gmtime, _localtime = time.time, time.gmtime, time.localtime


class FastTime:
    """What the time is: `base` in unix seconds when the computer's was `origin`, and `rate` times as fast since then."""

    def __init__(self) -> None:
        self.rate = 1.0
        self.base = self.origin = 0.0
        self._continue: list[Callable[[], None]] = []

    def start(self, base: float, origin: float, rate: float) -> None:
        """Run as that clock does, from now on; clocks without a date go on from where they are."""
        for continue_reading in self._continue:
            continue_reading()
        self.base, self.origin, self.rate = base, origin, rate

    def now(self) -> float:
        """Unix seconds."""
        return self.base + (_time() - self.origin) * self.rate

    def clock(self, read: Callable[[], float]) -> Callable[[], float]:
        """A clock without a date, which goes on without a jump when the rate changes."""
        base = origin = read()

        def continue_reading() -> None:
            nonlocal base, origin
            base, origin = reading(), read()

        def reading() -> float:
            return base + (read() - origin) * self.rate

        self._continue.append(continue_reading)
        return reading

    def real(self, seconds: float | None) -> Any:
        """How long it really takes; None, 0 and less mean what they mean to who gets them."""
        return seconds / self.rate if seconds is not None and seconds > 0 else seconds


def install() -> FastTime:
    """Replace whatever tells the time or waits for it. Until it is started, all is as it was."""
    fast = FastTime()
    _replace_clocks(fast)
    _replace_dates(fast)
    _replace_waits(fast)
    return fast


def _replace_clocks(fast: FastTime) -> None:
    time.time = fast.now
    time.time_ns = lambda: round(fast.now() * 1e9)
    for name in ("monotonic", "perf_counter"):
        reading = fast.clock(getattr(time, name))
        setattr(time, name, reading)
        setattr(time, f"{name}_ns", lambda reading=reading: round(reading() * 1e9))
    time.gmtime = lambda seconds=None, /: _gmtime(fast.now() if seconds is None else seconds)
    time.localtime = lambda seconds=None, /: _localtime(fast.now() if seconds is None else seconds)


def _replace_dates(fast: FastTime) -> None:
    """`datetime` and `date` of another class, of which the true ones are instances, too: those are made by other modules."""

    class DateKind(type):
        def __subclasscheck__(cls, kind: type) -> bool:
            true = {FastDate: true_date, FastDatetime: true_datetime}.get(cls)
            return type.__subclasscheck__(cls, kind) if true is None else issubclass(kind, true)

        def __instancecheck__(cls, one: object) -> bool:
            return issubclass(type(one), cls)

    class FastDate(true_date, metaclass=DateKind):
        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(fast.now())

    class FastDatetime(true_datetime, metaclass=DateKind):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return cls.fromtimestamp(fast.now(), tz)

        @classmethod
        def utcnow(cls) -> Any:
            return cls.fromtimestamp(fast.now(), datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Any:
            return cls.now()

    for name, kind in (("date", FastDate), ("datetime", FastDatetime)):
        kind.__name__ = kind.__qualname__ = name
        kind.__module__ = "datetime"
        setattr(datetime, name, kind)


def _replace_waits(fast: FastTime) -> None:
    real_sleep = time.sleep
    time.sleep = lambda seconds: real_sleep(fast.real(seconds))
    threading._time = time.monotonic  # which it has imported by its name
    threading.Condition.wait = _with_timeout(fast, threading.Condition.wait)
    threading.Thread.join = _with_timeout(fast, threading.Thread.join)
    waits: list[Any] = [getattr(selectors, name) for name in SELECTORS if hasattr(selectors, name)]
    if sys.platform == "win32":
        from asyncio.windows_events import IocpProactor

        waits.append(IocpProactor)
    for kind, select in [(kind, kind.select) for kind in waits]:
        kind.select = _with_timeout(fast, select)
    settimeout, gettimeout, setdefaulttimeout = (
        socket.socket.settimeout,
        socket.socket.gettimeout,
        socket.setdefaulttimeout,
    )
    socket.socket.settimeout = lambda self, seconds, /: settimeout(self, fast.real(seconds))
    socket.socket.gettimeout = lambda self, /: (seconds := gettimeout(self)) and seconds * fast.rate
    socket.setdefaulttimeout = lambda seconds, /: setdefaulttimeout(fast.real(seconds))


def _with_timeout(fast: FastTime, wait: Callable[..., Any]) -> Callable[..., Any]:
    """A method whose one argument is a timeout in seconds."""
    return lambda self, timeout=None: wait(self, fast.real(timeout))
