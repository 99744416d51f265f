"""The journal: what was asked and answered, bounded in number and bytes."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from labs_mock.contract.findings import Finding
from labs_mock.world.accounts import Account

MAX_RECORDS = 10_000
MAX_BYTES = 64 * 1024 * 1024
MAX_BODY = 64 * 1024  # of a body that is kept


@dataclass(slots=True)
class Record:
    """A request and its answer. `received` is in unix seconds and `duration_ms` in milliseconds on the server's clock.

    Bodies are cut at 64 KiB, `size` is that of the whole request body. `credentials` are what it offered instead of a
    valid key, which is never shown. `run` and `skipped` count scorers (RC-2). The answer of a
    stream is empty.
    """

    received: float
    method: str
    path: str
    query: str
    account: Account | None
    credentials: tuple[str, ...]
    request_id: str
    size: int
    request: bytes
    status: int
    response: bytes
    duration_ms: int
    findings: list[Finding]
    faults: list[str]
    rewards: list[float]
    run: int
    skipped: int
    episode: str | None
    turn: int | None
    number: int = 0

    @property
    def weight(self) -> int:
        """The bytes, or characters, of what a client can make as large as it likes."""
        noticed = sum([len(finding.place) + len(finding.hint) for finding in self.findings])
        return len(self.request) + len(self.response) + len(self.path) + len(self.query) + noticed


class Journal:
    """The newest records; the oldest go first. `dropped` says how many have gone.

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
        self._records.append(record)
        self._size += record.weight
        while len(self._records) > self._max_records or self._size > self._max_size:
            self._size -= self._records.popleft().weight
            self.dropped += 1

    def reset(self) -> None:
        """Forget everything."""
        self._records.clear()
        self._size = self.dropped = 0
