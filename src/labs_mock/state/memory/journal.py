"""The journal: the newest records, bounded in number and bytes."""

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from labs_mock.state.record import BODIES, JournalCounts, Record, compress_body

SMALL = 4 * 1024  # up to here a body stays with its record as it is: to compress it would gain little

Entry = tuple[int, str, int, Record, int]
"""Its number, the token of its commit, the order of the newest request when it was answered, the record, and its weight."""


class Journal:
    """The newest records, under consecutive numbers from 1.

    Where bytes are short, bodies are compressed first, then dropped, and only then records go; always the oldest first, and each
    is touched once, so that a record costs the same however many there are.

    Whoever lists them sees those of one moment, from another thread too: a test may do so while requests go on coming.
    """

    def __init__(self, records: int, size: int) -> None:
        self._max_records, self._max_size = records, size
        self._entries: deque[Entry] = deque()
        self.generation = 0
        self.reset()

    def append(self, record: Record, token: str, answered: int) -> int:
        """Add a record, answered when so many requests had arrived; its number."""
        number = self._dropped + len(self._entries) + 1
        weight = weigh(record)
        self._entries.append((number, token, answered, record, weight))
        self._size += weight
        while self._size > self._max_size:
            self._make_room()
        if len(self._entries) > self._max_records:
            self._forget()
        return number

    def amend(self, number: int, token: str, answered: int, change: Callable[[Record], Record]) -> None:
        """Change a record, if it is still there, which is answered now that so many requests have arrived."""
        index = number - self._dropped - 1
        if 0 <= index < len(self._entries) and self._entries[index][1] == token:
            *_, record, weight = self._entries[index]
            self._entries[index] = number, token, answered, record, weight
            self._replace(index, change(record))

    def page(self, after: int, limit: int) -> list[Record]:
        """Up to so many records behind a number."""
        entries = list(self._entries)
        start = max(0, after + 1 - entries[0][0]) if entries else 0
        page = entries[start : start + limit]
        return [record._replace(number=number, answered=answered) for number, _, answered, record, _ in page]

    @property
    def counts(self) -> JournalCounts:
        """How many records there are, and how many have gone."""
        return JournalCounts(len(self._entries), self._dropped, tuple(sorted(self._dropped_findings.items())))

    def reset(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._size = self._dropped = 0
        self._packed = self._bare = 0  # how many of the oldest are compressed, and how many have no bodies
        self._dropped_findings: Counter[str] = Counter()
        self.generation += 1

    def _make_room(self) -> None:
        if self._packed < len(self._entries):
            index = self._packed
            self._packed += 1
            self._replace(index, packed(self._entries[index][3]))
        elif self._bare < len(self._entries):
            index = self._bare
            self._bare += 1
            self._replace(index, without_bodies(self._entries[index][3]))
        else:
            self._forget()

    def _replace(self, index: int, record: Record) -> None:
        number, token, answered, _, before = self._entries[index]
        weight = weigh(record)
        self._entries[index] = number, token, answered, record, weight
        self._size += weight - before

    def _forget(self) -> None:
        *_, record, weight = self._entries.popleft()
        self._size -= weight
        if self._packed:
            self._packed -= 1
        if self._bare:
            self._bare -= 1
        self._dropped += 1
        for finding in record.findings:
            self._dropped_findings[finding.severity] += 1


def weigh(record: Record) -> int:
    """The bytes, or characters, of what a client can make as large as it likes."""
    weight = len(record.request or b"") + len(record.response or b"") + len(record.path) + len(record.query)
    if record.findings:
        weight += sum([len(finding.place) + len(finding.hint) for finding in record.findings])
    return weight


def packed(record: Record) -> Record:
    """The record with its bodies compressed, but for small ones and those that would not get smaller."""
    changed: dict[str, Any] = {}
    for name in BODIES:
        body = getattr(record, name)
        if body is not None and len(body) > SMALL:
            smaller = compress_body(body)
            if len(smaller) < len(body):
                changed[name] = smaller
    return record._replace(compressed=tuple(changed), **changed) if changed else record


def without_bodies(record: Record) -> Record:
    """The record without its bodies, but for small ones."""
    changed: dict[str, Any] = {name: None for name in BODIES if len(getattr(record, name) or b"") > SMALL}
    return record._replace(**changed)
