"""Each message is read once: its normalised text and the atoms that it makes true, kept by its content."""

from typing import NamedTuple

from labs_mock.scenario.patterns import Patterns
from labs_mock.text import normalise

MAX_CHARACTERS = 2_000_000
_NOTHING: frozenset[int] = frozenset()


class Scanned(NamedTuple):
    """What a message says, as rules see it."""

    text: str
    atoms: frozenset[int]


class Scanner:
    """Reads messages; remembers the newest ones, up to `limit` characters of content in all.

    The memory is a cache of a pure function: no answer depends on what it holds.
    """

    def __init__(self, patterns: Patterns | None, limit: int = MAX_CHARACTERS) -> None:
        self._patterns = patterns
        self._limit = limit
        self._known: dict[str, Scanned] = {}
        self._characters = 0

    def read(self, content: str) -> Scanned:
        """The normalised text and atoms of a message's content."""
        scanned = self._known.get(content)
        if scanned is None:
            text = normalise(content)
            scanned = Scanned(text, _NOTHING if self._patterns is None else self._patterns.atoms(text))
            self._remember(content, scanned)
        return scanned

    def _remember(self, content: str, scanned: Scanned) -> None:
        self._known[content] = scanned
        self._characters += len(content) + 64
        while self._characters > self._limit:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._characters -= len(oldest) + 64
