"""Caches that may be lost at any time: no result depends on what they have."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from labs_mock.engine.assessment import Assessment
from labs_mock.engine.evidence import Evidence
from labs_mock.engine.play import Play, SeenInTurn

MAX_CHARACTERS = 2_000_000
MAX_STATES = 5_000
_OVERHEAD = 64

T = TypeVar("T")


class TextCache(dict[str, T]):
    """`cache[text]` is `function(text)` of a pure function, computed once for each of the newest texts.

    It keeps up to `limit` characters of text; the oldest go first.
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


@dataclass(slots=True, eq=False)
class CachedState:
    """A state, and what follows from it: where a turn without calls leads, by what is seen in it, and its scoring."""

    play: Play
    after: dict[SeenInTurn, "CachedState"] = field(default_factory=dict)
    evidence: Evidence | None = None
    assessment: Assessment | None = None


class StateCache:
    """The states of a scenario that turns without calls led to or began at, at most `limit`; one more, and all are dropped.

    Conversations that differ in words alone share their states.
    """

    def __init__(self, limit: int = MAX_STATES) -> None:
        self._limit = limit
        self._states: dict[int, CachedState] = {}  # by the identity of a state, which lives as long as its entry

    def __len__(self) -> int:
        return len(self._states)

    def get(self, play: Play) -> CachedState | None:
        """What is cached of a state, if anything is."""
        return self._states.get(id(play))

    def add(self, play: Play) -> CachedState:
        """Begin to cache what follows from a state."""
        if len(self._states) >= self._limit:
            self._states.clear()
        cached = self._states[id(play)] = CachedState(play)
        return cached
