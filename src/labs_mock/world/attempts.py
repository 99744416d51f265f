"""How often the same thing was asked before (DET-3)."""

MAX_ASKED = 100_000


class Attempts:
    """Counts equal requests, in a bounded table from which the one that was not asked for longest goes."""

    def __init__(self, limit: int = MAX_ASKED) -> None:
        self._limit = limit
        self._count: dict[bytes, int] = {}

    def next(self, asked: bytes) -> int:
        """0 for the first request of its kind, then 1, 2 and so on."""
        attempt = self._count.pop(asked, 0)
        self._count[asked] = attempt + 1
        if len(self._count) > self._limit:
            del self._count[next(iter(self._count))]
        return attempt

    def reset(self) -> None:
        """Forget everything."""
        self._count.clear()
