"""The beginning of an export in an unlinked file, so that rows are made once (section 5)."""

from collections.abc import Generator
from tempfile import TemporaryFile
from typing import IO, Protocol
from weakref import WeakSet, finalize

from labs_mock.engine.generated_rows import RowLine

CHUNK = 64 * 1024


class RowSource(Protocol):
    """Rows that can be made one by one."""

    def __len__(self) -> int: ...

    def line(self, index: int) -> RowLine:
        """The row at an index."""


class Budget:
    """How many bytes all spools of a world may hold together; one that nobody has any more leaves its share."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._spools: WeakSet[Spool] = WeakSet()

    def share(self, spool: "Spool") -> None:
        """Count a spool from now on."""
        self._spools.add(spool)

    def allows(self, size: int) -> bool:
        """Whether so many bytes more are left."""
        return sum(spool.size for spool in self._spools) + size <= self._limit


class Spool:
    """What an export begins with: `rows` whole rows in `size` bytes; `below` of them did not pass the keep-filter."""

    def __init__(self, source: RowSource, budget: Budget) -> None:
        self.rows = self.size = self.below = 0
        self._source = source
        self._budget = budget
        budget.share(self)
        self._file: IO[bytes] | None = None
        self._growing = self._full = False

    def export(self) -> Generator[bytes, None, None]:
        """The whole export in chunks of about 64 KiB. Between rows that are made it gives b"", so that others may run.

        Exports at a time share what each of them makes. What is beyond the budget is made again for each.
        """
        position = row = 0
        while True:
            if position == self.size:
                row = self.rows
            if position < self.size:
                chunk = self._read(position)
            elif row == len(self._source):
                return
            elif self._growing:
                yield b""  # another export is making what comes next
                continue
            else:
                chunk, row = yield from self._make(row, position == self.size and not self._full)
            position += len(chunk)
            yield chunk

    def _make(self, first: int, keep: bool) -> Generator[bytes, None, tuple[bytes, int]]:
        """Make rows until a chunk is full; gives the chunk and the index of the row behind it."""
        lines: list[RowLine] = []
        size = 0
        self._growing = self._growing or keep
        try:
            while size < CHUNK and first + len(lines) < len(self._source):
                lines.append(self._source.line(first + len(lines)))
                size += len(lines[-1].text)
                yield b""
        finally:
            self._growing = self._growing and not keep
        chunk = b"".join([line.text for line in lines])
        if keep:
            self._append(chunk, lines)
        return chunk, first + len(lines)

    def _read(self, position: int) -> bytes:
        assert self._file is not None
        self._file.seek(position)
        return self._file.read(min(CHUNK, self.size - position))

    def _append(self, chunk: bytes, lines: list[RowLine]) -> None:
        """Keep a chunk; a full budget or disk only means that its rows will be made again."""
        if not (self._budget.allows(len(chunk)) and self._written(chunk)):
            self._full = True
            return
        self.size += len(chunk)
        self.rows += len(lines)
        self.below += sum(not line.kept for line in lines)

    def _written(self, chunk: bytes) -> bool:
        try:
            if self._file is None:
                self._file = TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as the spool
                finalize(self, self._file.close)
            self._file.seek(self.size)
            return self._file.write(chunk) == len(chunk)
        except OSError:
            return False
