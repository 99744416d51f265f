"""The journal: what was asked and answered, bounded in number and bytes."""

import zlib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from labs_mock.contract.findings import Finding
from labs_mock.state.accounts import Account

MAX_RECORDS = 10_000
MAX_BYTES = 64 * 1024 * 1024
MAX_BODY = 16 * 1024 * 1024  # a larger one is not kept
SMALL = 4 * 1024  # up to here a body stays with its record as it is: to compress it would gain little
BODIES = ("request", "response")


class Packed(bytes):
    """A body, compressed."""

    __slots__ = ()


@dataclass(slots=True)
class Record:
    """A request and its answer. `received` is in unix seconds and `duration_ms` in milliseconds on the server's clock.

    `request` and `response` are whole bodies, perhaps compressed, and None where there was no room for one: `body` reads
    them. The answer of a stream is empty. `size` is that of the whole request body. `credentials` are what it offered instead
    of a valid key, which is never shown. `run` and `skipped` count scorers (RC-2). `rewards` has None for an item of a batch
    that failed. `delivery` says how the answer went out where that was not at once and whole; it may still grow.
    """

    received: float
    method: str
    path: str
    query: str
    account: Account | None
    credentials: tuple[str, ...]
    request_id: str
    size: int
    request: bytes | None
    status: int
    response: bytes | None
    duration_ms: int
    findings: list[Finding]
    faults: list[str]
    rewards: Sequence[float | None]
    run: int
    skipped: int
    episode: str | None
    turn: int | None
    delivery: Sequence[str] = ()
    number: int = 0
    weight: int = field(default=0, compare=False)

    def body(self, name: str) -> bytes | None:
        """The `request` or the `response`; None if it was dropped."""
        kept: bytes | None = getattr(self, name)
        return zlib.decompress(kept) if isinstance(kept, Packed) else kept

    @property
    def dropped(self) -> list[str]:
        """Which of its bodies were dropped."""
        return [name for name in BODIES if getattr(self, name) is None]

    def weigh(self) -> int:
        """The bytes, or characters, of what a client can make as large as it likes."""
        weight = len(self.request or b"") + len(self.response or b"") + len(self.path) + len(self.query)
        if self.findings:
            weight += sum([len(finding.place) + len(finding.hint) for finding in self.findings])
        return weight

    def pack(self) -> None:
        """Compress its bodies, but for small ones."""
        for name in BODIES:
            kept = getattr(self, name)
            if kept is not None and len(kept) > SMALL:
                packed = Packed(zlib.compress(kept, 1))
                if len(packed) < len(kept):
                    setattr(self, name, packed)

    def drop(self) -> None:
        """Drop its bodies, but for small ones."""
        for name in BODIES:
            kept = getattr(self, name)
            if kept is not None and len(kept) > SMALL:
                setattr(self, name, None)


class Journal:
    """The newest records. `dropped` says how many have gone, and `dropped_findings` how many findings of each severity with them.

    Where bytes are short, bodies are compressed first, then dropped, and only then records go; always the oldest first, and each
    is touched once, so that a record costs the same however many there are.

    Whoever looks through them sees those of one moment: a test may do so while requests go on coming.
    """

    def __init__(self, records: int = MAX_RECORDS, size: int = MAX_BYTES) -> None:
        self._max_records, self._max_size = records, size
        self._records: deque[Record] = deque()
        self.reset()

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._records))

    def __len__(self) -> int:
        return len(self._records)

    def append(self, record: Record) -> None:
        """Add a record, under the next number."""
        record.number = self.dropped + len(self._records) + 1
        record.weight = record.weigh()
        self._records.append(record)
        self._size += record.weight
        while self._size > self._max_size:
            self._make_room()
        if len(self._records) > self._max_records:
            self._forget()

    def reset(self) -> None:
        """Forget everything."""
        self._records.clear()
        self._size = self.dropped = 0
        self._packed = self._bare = 0  # how many of the oldest are compressed, and how many have no bodies
        self.dropped_findings: Counter[str] = Counter()

    def _make_room(self) -> None:
        if self._packed < len(self._records):
            record = self._records[self._packed]
            self._packed += 1
            record.pack()
        elif self._bare < len(self._records):
            record = self._records[self._bare]
            self._bare += 1
            record.drop()
        else:
            self._forget()
            return
        before, record.weight = record.weight, record.weigh()
        self._size += record.weight - before

    def _forget(self) -> None:
        record = self._records.popleft()
        self._size -= record.weight
        self._packed, self._bare = max(0, self._packed - 1), max(0, self._bare - 1)
        self.dropped += 1
        for finding in record.findings:
            self.dropped_findings[finding.severity] += 1
