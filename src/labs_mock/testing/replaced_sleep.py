"""`time.sleep` and `asyncio.sleep` for a while with another meaning, wherever somebody has already imported them.

There is no library for it: time-machine leaves sleeps alone, and to replace the attribute of a module does not reach a
`sleep` that was imported by its name. `time.sleep` cannot be changed, so another object takes its place in all that refers
to it, as the garbage collector knows; `asyncio.sleep` is a function of Python, so it gets another code.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Mapping
from math import inf
from types import CellType, FunctionType
from typing import Any, Protocol


class Sleeper(Protocol):
    """What sleeps mean: of `seconds` above 0 and finite, unless it `skips` them."""

    def skips(self) -> bool:
        """Whether who calls is to sleep for real."""

    def sleep(self, seconds: float) -> None:
        """A call of `time.sleep`."""

    async def sleep_in_loop(self, seconds: float) -> None:
        """A call of `asyncio.sleep`."""


_sleeper: Sleeper | None = None
_real_sleep = time.sleep
_real_code = asyncio.sleep.__code__


class _Sleep:
    """What stands in the place of `time.sleep`: an object, since a function in a class would become a method.

    It sleeps for real when nobody replaces sleeps: somebody may have kept it.
    """

    def __call__(self, seconds: float, /) -> None:
        sleeper = _sleeper
        if sleeper is None or not _is_replaced(sleeper, seconds):
            _real_sleep(seconds)
        else:
            sleeper.sleep(float(seconds))

    def __repr__(self) -> str:
        return "<time.sleep on the clock of labs-mock>"


_sleep = _Sleep()


async def _asyncio_sleep(delay: float, result: Any = None) -> Any:
    import sys  # noqa: PLC0415 - this runs as the code of `asyncio.sleep`, so among the names of its module

    await sys.modules["labs_mock.testing.replaced_sleep"].sleep_in_loop(delay)
    return result


async def sleep_in_loop(seconds: float) -> None:
    """`asyncio.sleep` while it is replaced."""
    sleeper = _sleeper
    if sleeper is None or not _is_replaced(sleeper, seconds):
        await pause_in_loop(seconds)
    else:
        await sleeper.sleep_in_loop(float(seconds))


def pause(seconds: float) -> None:
    """The real `time.sleep`."""
    _real_sleep(seconds)


pause_in_loop: Callable[[float], Awaitable[None]] = FunctionType(
    _real_code, asyncio.sleep.__globals__, "sleep", asyncio.sleep.__defaults__
)
"""The real `asyncio.sleep`."""


def replace_sleeps(sleeper: Sleeper) -> None:
    """From now on sleeps are those of `sleeper`."""
    global _sleeper, _real_sleep  # noqa: PLW0603 - they are as global as what they replace
    if time.sleep is not _sleep:  # which somebody may have kept, and put back
        _real_sleep = time.sleep
    _sleeper = sleeper
    _exchange(_real_sleep, _sleep)
    asyncio.sleep.__code__ = _asyncio_sleep.__code__


def restore_sleeps() -> None:
    """Everything as it was, also in modules that were imported meanwhile."""
    global _sleeper  # noqa: PLW0603
    asyncio.sleep.__code__ = _real_code
    _exchange(_sleep, _real_sleep)
    _sleeper = None


def _is_replaced(sleeper: Sleeper, seconds: float) -> bool:
    """Whether a sleep is one of the sleeper: what is no number is left to the real function, and so is for ever."""
    try:
        return 0 < seconds < inf and not sleeper.skips()
    except TypeError:
        return False


def _exchange(old: object, new: object) -> None:
    """Put one object in the place of another: in modules, classes and objects, in closures, and in defaults of functions."""
    gc.unfreeze()  # what is frozen is found by no search; somebody may have frozen all that there was
    holders = [holder for holder in gc.get_referrers(old) if holder is not globals()]  # `old` is in no closure of ours
    for owner in gc.get_referrers(*holders):
        if isinstance(owner, type):  # whose dict is not to be changed behind its back
            for name in _names(vars(owner), old):
                setattr(owner, name, new)
        elif isinstance(owner, FunctionType):
            _exchange_defaults(owner, old, new)
    for holder in holders:
        if isinstance(holder, CellType):
            holder.cell_contents = new
        else:
            names = holder if isinstance(holder, dict) else getattr(holder, "__dict__", {})
            for name in _names(names, old):
                names[name] = new


def _exchange_defaults(function: FunctionType, old: object, new: object) -> None:
    defaults = function.__defaults__ or ()
    if any(value is old for value in defaults):
        function.__defaults__ = tuple(new if value is old else value for value in defaults)


def _names(mapping: Mapping[Any, object], value: object) -> list[Any]:
    """The keys that have a value."""
    return [key for key, other in list(mapping.items()) if other is value]
