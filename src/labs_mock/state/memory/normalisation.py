"""Normalisation logs: sums of earlier rewards in whole numbers (NORM-1, NORM-2)."""

from array import array
from bisect import bisect_left
from collections import OrderedDict

from labs_mock.contract.limits import MAX_LOG
from labs_mock.contract.windows import Window
from labs_mock.state.sums import LogKey, NormalisationEntry, Sums

LOG_BYTES = 700  # of a log without rewards, its names and its place in the table
REWARD_BYTES = 24  # a time and two sums


class Log:
    """The newest rewards of one key and scenario, with their times and running sums."""

    def __init__(self) -> None:
        self._times = array("d")
        # sums[i] and squares[i] are over all entries before i, in units of 10⁻⁶ and their squares.
        self._sums = array("q", [0])
        self._squares = array("q", [0])

    def __len__(self) -> int:
        return len(self._times)

    def append(self, units: int, now: float) -> None:
        """Add a reward; beyond twice the limit the older half goes."""
        self._times.append(self._latest(now))
        self._sums.append(self._sums[-1] + units)
        self._squares.append(self._squares[-1] + units * units)
        if len(self) >= 2 * MAX_LOG:
            self._keep(MAX_LOG)

    def sums(self, window: Window, now: float) -> Sums:
        """Over a window that ends now."""
        size = len(self)
        first = max(0, size - MAX_LOG)
        if window.seconds is None:
            first = max(first, size - window.number)
        else:
            first = max(first, bisect_left(self._times, self._latest(now) - window.seconds))
        return Sums(size - first, self._sums[size] - self._sums[first], self._squares[size] - self._squares[first])

    def _latest(self, now: float) -> float:
        return max(now, self._times[-1]) if self._times else now

    def _keep(self, number: int) -> None:
        start = len(self) - number
        total, square = self._sums[start], self._squares[start]
        self._times = self._times[start:]
        self._sums = array("q", [value - total for value in self._sums[start:]])
        self._squares = array("q", [value - square for value in self._squares[start:]])


class NormalisationLogs:
    """All logs; when together they take more than so many bytes, the log to which nothing was added for longest goes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._logs: OrderedDict[LogKey, Log] = OrderedDict()
        self._size = 0

    def normalise(self, entries: tuple[NormalisationEntry, ...], now: float) -> tuple[tuple[Sums, ...], ...]:
        """The sums of each entry in each of its windows, all read before any of their rewards is added (NORM-2)."""
        logs = [self._logs.get(entry.key) or Log() for entry in entries]
        found = tuple(
            tuple([log.sums(window, now) for window in entry.windows]) for log, entry in zip(logs, entries, strict=True)
        )
        for entry in entries:
            self._append(entry, now)
        return found

    def _append(self, entry: NormalisationEntry, now: float) -> None:
        key = entry.key
        log = self._logs.pop(key, None)
        if log is None:
            log = Log()
        else:
            self._size -= _weight(key, log)
        log.append(entry.units, now)
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
