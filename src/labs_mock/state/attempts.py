"""How often the same thing was asked before (DET-3)."""

from collections import OrderedDict

MAX_ASKED = 100_000


class Attempts:
    """Counts equal requests, in a bounded table from which the one that was not asked for longest goes."""

    def __init__(self, limit: int = MAX_ASKED) -> None:
        self._limit = limit
        # Ordered: to find the first key of a plain dict, Python walks over the holes that earlier first keys have left.
        self._count: OrderedDict[bytes, int] = OrderedDict()

    def next(self, asked: bytes) -> int:
        """0 for the first request of its kind, then 1, 2 and so on."""
        attempt = self._count.pop(asked, 0)
        self._count[asked] = attempt + 1
        if len(self._count) > self._limit:
            self._count.popitem(last=False)
        return attempt

    def reset(self) -> None:
        """Forget everything."""
        self._count.clear()
