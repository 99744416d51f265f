import io
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.engine.generated_rows import RowLine
from labs_mock.state import spool
from labs_mock.state.spool import CHUNK, Budget, Spool

PLENTY = 1 << 30
Rows = list[tuple[int, bool]]
LEAVES = 0
Plan = list[tuple[int, int]]
"""Which of four exports takes how many steps; one that takes `LEAVES` is abandoned."""


@dataclass
class Source:
    """Rows of given sizes, of which some passed the keep-filter; `made` counts how often each was made."""

    rows: Rows
    made: Counter[int] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.rows)

    def line(self, index: int) -> RowLine:
        """A row with its number in it."""
        self.made[index] += 1
        size, kept = self.rows[index]
        return RowLine(b"%d:" % index + b"." * size + b"\n", kept)

    @property
    def whole(self) -> bytes:
        """What every export has to be: the reference."""
        return beginning(self, len(self))


def beginning(source: Source, count: int) -> bytes:
    """The first so many rows, one behind the other; they do not count as made."""
    return b"".join(Source(source.rows).line(index).text for index in range(count))


sizes = st.sampled_from([20_000, 30_000, 100, 0, CHUNK - 3, CHUNK, 70_000])
rows = st.lists(st.tuples(sizes, st.booleans()), min_size=3, max_size=14)
budgets = st.integers(0, 3 * CHUNK) | st.just(PLENTY)
plans = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([1, 2, 3, LEAVES, 5, 8])), min_size=4, max_size=24)
patient_plans = plans.map(lambda plan: [(client, steps) for client, steps in plan if steps != LEAVES])


@dataclass
class Client:
    """One export, driven by hand, and what it has given so far."""

    chunks: Generator[bytes, None, None]
    got: bytes = b""
    done: bool = False
    left: bool = False

    def leave(self) -> None:
        """Abandon it."""
        self.chunks.close()
        self.left = True

    def step(self) -> None:
        """The next chunk, if there is one."""
        try:
            self.got += next(self.chunks)
        except StopIteration:
            self.done = True


def play(made: Spool, plan: Plan) -> list[Client]:
    """Four exports that take steps by a plan; then those that have not left take turns until all are done."""
    clients = [Client(made.export()) for _ in range(4)]
    for number, steps in plan:
        if steps == LEAVES:
            clients[number].leave()
        for _ in range(steps):
            clients[number].step()
    going = [client for client in clients if not client.left]
    for _ in range(1_000):
        for client in going:
            client.step()
        if all(client.done for client in going):
            return clients
    raise AssertionError("the exports wait for each other")


@given(rows, plans, budgets)
def test_exports_at_a_time_give_the_same_bytes(given_rows: Rows, plan: Plan, limit: int) -> None:
    """In any order of turns, whoever leaves and wherever the budget ends, each export is whole (DS-6, DET-2)."""
    source = Source(given_rows)
    for client in play(Spool(source, Budget(limit)), plan):
        assert client.got == source.whole or (client.left and source.whole.startswith(client.got))


@given(rows, patient_plans)
def test_rows_are_made_once_within_the_budget(given_rows: Rows, plan: Plan) -> None:
    """A budget of exactly the size of an export suffices for four at a time and one more later."""
    source = Source(given_rows)
    made = Spool(source, Budget(len(source.whole)))
    play(made, plan)
    assert b"".join(made.export()) == source.whole
    assert source.made == Counter(range(len(source)))
    assert (made.rows, made.size) == (len(source), len(source.whole))


@given(rows, plans)
def test_who_leaves_takes_no_more_than_an_unfinished_chunk_along(given_rows: Rows, plan: Plan) -> None:
    """Of the rows that an abandoned export made, only those of a chunk that was not full are made again."""
    source = Source(given_rows)
    leaving = sum(client.left for client in play(Spool(source, Budget(PLENTY)), plan))
    again = sum((times - 1) * given_rows[index][0] for index, times in source.made.items())
    assert again <= leaving * (CHUNK + max((size for size, _ in given_rows), default=0))
    assert leaving or not again


@given(rows, st.integers(1, 4))
def test_rows_are_made_for_each_export_without_a_budget(given_rows: Rows, exports: int) -> None:
    """With a budget of 0 nothing is kept, and every export makes all rows."""
    source = Source(given_rows)
    made = Spool(source, Budget(0))
    assert {b"".join(made.export()) for _ in range(exports)} == {source.whole}
    assert source.made == Counter(dict.fromkeys(range(len(source)), exports))
    assert (made.rows, made.size) == (0, 0)


@given(rows, budgets, patient_plans)
def test_what_is_kept_is_the_beginning_of_the_export(given_rows: Rows, limit: int, plan: Plan) -> None:
    """It is as many whole chunks as fit; `below` counts those of its rows that did not pass (`keep_exhausted`)."""
    source = Source(given_rows)
    made = Spool(source, Budget(limit))
    play(made, plan)
    assert made.size == len(beginning(source, made.rows)) <= limit
    assert made.below == sum(not passed for _, passed in given_rows[: made.rows])
    assert made.rows == len(source) or made.size + CHUNK + max(given_rows)[0] + len("11:\n") > limit


def test_a_spool_that_nobody_has_leaves_its_share() -> None:
    """Datasets that come and go do not use the budget up."""
    source = Source([(60, True)] * 100)
    budget = Budget(len(source.whole))
    for _ in range(5):
        made = Spool(source, budget)
        assert b"".join(made.export()) == source.whole
        assert made.rows == 100


@given(rows, rows, budgets)
def test_spools_share_a_budget(given_rows: Rows, other_rows: Rows, limit: int) -> None:
    """All spools of a world together stay within it; each export is whole all the same."""
    budget, sources = Budget(limit), (Source(given_rows), Source(other_rows))
    spools = [Spool(source, budget) for source in sources]
    for made, source in zip(spools * 2, sources * 2, strict=True):
        assert b"".join(made.export()) == source.whole
    assert sum(made.size for made in spools) <= limit


@given(rows, st.integers(0, 3 * CHUNK), st.integers(1, 30))
def test_behind_a_full_spool_nobody_waits(given_rows: Rows, limit: int, steps: int) -> None:
    """Once the budget is used up, an export that rests in the middle of a chunk holds no other one up (DET-2)."""
    source = Source(given_rows)
    made = Spool(source, Budget(limit))
    assert b"".join(made.export()) == source.whole
    resting = Client(made.export())
    for _ in range(steps):
        resting.step()
    assert b"".join(islice(made.export(), 1_000)) == source.whole


@given(rows, budgets)
def test_chunks_are_small(given_rows: Rows, limit: int) -> None:
    """No chunk is larger than 64 KiB and one row, the first export's and the next one's, so that memory stays small."""
    made = Spool(Source(given_rows), Budget(limit))
    for _ in range(2):
        assert all(len(chunk) <= CHUNK + max(given_rows)[0] + len("11:\n") for chunk in made.export())


class Disk(io.BytesIO):
    """A file on a disk that is full from the n-th write on: then it raises, or takes only half of what it is given."""

    def __init__(self, writes: int, short: bool) -> None:
        super().__init__()
        self._left, self._short = writes, short

    def write(self, data: Any) -> int:
        """Write what there is room for."""
        self._left -= 1
        if self._left >= 0:
            return super().write(data)
        if not self._short:
            raise OSError(28, "No space left on device")
        return super().write(data[: len(data) // 2])


def no_file(**_: Any) -> io.BytesIO:
    """There is no folder for temporary files."""
    raise FileNotFoundError(2, "No usable temporary directory found")


disks: st.SearchStrategy[Callable[..., io.BytesIO]] = st.just(no_file) | st.builds(
    lambda writes, short: lambda **_: Disk(writes, short), st.integers(0, 8), st.booleans()
)


@given(rows, plans, disks)
def test_a_full_disk_changes_no_byte(given_rows: Rows, plan: Plan, disk: Callable[..., io.BytesIO]) -> None:
    """Writes that fail or stop short only mean that rows are made again (DS-6)."""
    source = Source(given_rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "TemporaryFile", disk)
        made = Spool(source, Budget(PLENTY))
        clients = play(made, plan)
        assert b"".join(made.export()) == source.whole
    assert all(client.got == source.whole for client in clients if not client.left)
    assert made.size == len(beginning(source, made.rows))
    assert made.below == sum(not passed for _, passed in given_rows[: made.rows])
