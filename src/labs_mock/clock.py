"""The only source of time: real, frozen, or real time multiplied."""

import re
import time
from datetime import UTC, datetime
from typing import Literal

from labs_mock.errors import SettingsError

FROZEN_AT = "2026-01-01T00:00:00Z"

Mode = Literal["real", "frozen", "multiplied"]


class Clock:
    """The time of day in unix seconds.

    `specification` is `real`, `frozen` (2026-01-01T00:00:00Z), `frozen:<ISO time>` or `x<number>` (real
    time multiplied, from the moment of construction on). Raises `SettingsError` for anything else.
    """

    def __init__(self, specification: str = "real") -> None:
        self.specification = specification
        self.mode, self._rate, self._start = _parse(specification)
        self._origin = time.time()
        if self._start is None:
            self._start = self._origin
        self._base = self._start

    def now(self) -> float:
        """Unix seconds on this clock."""
        if not self._rate:
            return self._base
        return self._base + (time.time() - self._origin) * self._rate

    def advance(self, seconds: float) -> None:
        """Move the clock forward, whatever its mode."""
        self._base += seconds


def parse_instant(text: str) -> float:
    """Unix seconds of an ISO 8601 time; without an offset it is UTC. Raises `ValueError`."""
    instant = datetime.fromisoformat(text)
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()


def instant_text(instant: float) -> str:
    """The ISO 8601 time of unix seconds, in UTC: `2026-01-01T00:00:00Z`."""
    return datetime.fromtimestamp(instant, UTC).isoformat().replace("+00:00", "Z")


def _parse(specification: str) -> tuple[Mode, float, float | None]:
    name, colon, instant = specification.partition(":")
    if specification == "real":
        return "real", 1.0, None
    if name == "frozen":
        try:
            return "frozen", 0.0, parse_instant(instant if colon else FROZEN_AT)
        except ValueError:
            pass
    if re.fullmatch(r"x\d{1,6}(\.\d{1,6})?", specification, re.ASCII) and float(specification[1:]) > 0:
        return "multiplied", float(specification[1:]), None
    raise SettingsError(
        f"clock: {specification[:80]!r} is not a clock; give real, frozen, frozen:<ISO time> or x<number>"
    )
