"""Normalisation logs: z-scores among earlier rewards, by running sums of whole numbers (NORM-1, NORM-2)."""

from array import array
from bisect import bisect_left
from collections import OrderedDict
from math import sqrt

from labs_mock.contract.limits import MAX_LOG
from labs_mock.contract.windows import Window
from labs_mock.engine.assessment import PLACES

UNIT = 10**PLACES  # rewards have so many places, so that sums of them are exact

MAX_BYTES = 64 * 1024 * 1024  # of all logs together
LOG_BYTES = 700  # of a log without rewards, its names and its place in the table
REWARD_BYTES = 24  # a time and two sums

LogKey = tuple[str, str, str, str]
"""Organisation, normalisation key, collection and scenario."""


class Log:
    """The newest rewards of one key and scenario, with their times and running sums."""

    def __init__(self) -> None:
        self._times = array("d")
        # sums[i] and squares[i] are over all entries before i, in units of 10⁻⁶ and their squares.
        self._sums = array("q", [0])
        self._squares = array("q", [0])

    def __len__(self) -> int:
        return len(self._times)

    def append(self, reward: float, now: float) -> None:
        """Add a reward in [0, 1]; beyond twice the limit the older half goes."""
        units = round(reward * UNIT)
        self._times.append(now)
        self._sums.append(self._sums[-1] + units)
        self._squares.append(self._squares[-1] + units * units)
        if len(self) >= 2 * MAX_LOG:
            self._keep(MAX_LOG)

    def z_score(self, reward: float, window: Window, now: float) -> float | None:
        """How many population deviations a reward is above the mean of a window; None without a deviation."""
        size = len(self)
        first = max(0, size - MAX_LOG)
        if window.seconds is None:
            first = max(first, size - window.number)
        else:
            first = max(first, bisect_left(self._times, now - window.seconds))
        number = size - first
        total = self._sums[size] - self._sums[first]
        # number² times the variance: whole numbers, so that equal rewards have no deviation at all.
        spread = number * (self._squares[size] - self._squares[first]) - total * total
        if number < 2 or spread == 0:
            return None
        score: float = (round(reward * UNIT) * number - total) / sqrt(spread)
        return round(score, PLACES)

    def _keep(self, number: int) -> None:
        start = len(self) - number
        total, square = self._sums[start], self._squares[start]
        self._times = self._times[start:]
        self._sums = array("q", [value - total for value in self._sums[start:]])
        self._squares = array("q", [value - square for value in self._squares[start:]])


class Normalisation:
    """All logs; when together they take more than so many bytes, the log that was not used for longest goes."""

    def __init__(self, limit: int = MAX_BYTES) -> None:
        self._limit = limit
        self._logs: OrderedDict[LogKey, Log] = OrderedDict()
        self._size = 0

    def z_scores(self, key: LogKey, reward: float, windows: list[Window], now: float) -> dict[str, float | None]:
        """The z-score of a reward for each window, among those logged so far."""
        log = self._logs.get(key) or Log()
        return {window.text: log.z_score(reward, window, now) for window in windows}

    def append(self, key: LogKey, reward: float, now: float) -> None:
        """Log a reward."""
        log = self._logs.pop(key, None)
        if log is None:
            log = Log()
        else:
            self._size -= _weight(key, log)
        log.append(reward, now)
        self._logs[key] = log
        self._size += _weight(key, log)
        while self._size > self._limit and len(self._logs) > 1:
            self._size -= _weight(*self._logs.popitem(last=False))

    def reset(self) -> None:
        """Forget all logs."""
        self._logs.clear()
        self._size = 0


def _weight(key: LogKey, log: Log) -> int:
    """About how many bytes a log takes; the normalisation key is a client's, of any characters, the other names are ours."""
    return LOG_BYTES + 4 * len(key[1]) + REWARD_BYTES * len(log)
