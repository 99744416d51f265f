"""How often equal requests were made before (DET-3)."""

from collections import OrderedDict


class Attempts:
    """Counts equal requests, in a bounded table from which the one that was not made for longest goes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Ordered: to find the first key of a plain dict, Python walks over the holes that earlier first keys have left.
        self._counts: OrderedDict[bytes, int] = OrderedDict()

    def count(self, fingerprint: bytes) -> int:
        """Count a request; how many with its fingerprint were counted before."""
        counts = self._counts
        attempt = counts.pop(fingerprint, 0)
        counts[fingerprint] = attempt + 1
        if len(counts) > self._limit:
            counts.popitem(last=False)
        return attempt

    def reset(self) -> None:
        """Forget everything."""
        self._counts.clear()
