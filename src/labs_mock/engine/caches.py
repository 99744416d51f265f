"""A bounded memory of what was computed from texts."""

from collections import deque
from collections.abc import Callable
from typing import TypeVar

MAX_CHARACTERS = 2_000_000
_OVERHEAD = 64

T = TypeVar("T")


class Memo(dict[str, T]):
    """`memo[text]` is `function(text)`, computed once for each of the newest texts.

    It keeps up to `limit` characters of text; the oldest go first. The function is pure, so no answer depends
    on what is remembered.
    """

    def __init__(self, function: Callable[[str], T], limit: int = MAX_CHARACTERS) -> None:
        super().__init__()
        self._function = function
        self._limit = limit
        self._order: deque[str] = deque()  # the oldest first, which a dict finds only by a walk over its holes
        self._characters = 0

    def __missing__(self, text: str) -> T:
        value = self[text] = self._function(text)
        self._order.append(text)
        self._characters += len(text) + _OVERHEAD
        while self._characters > self._limit:
            oldest = self._order.popleft()
            del self[oldest]
            self._characters -= len(oldest) + _OVERHEAD
        return value
