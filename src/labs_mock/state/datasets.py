"""Training datasets: the stage that each is in, and their rows (DS-1…7)."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from labs_mock.contract.limits import MAX_POLLS
from labs_mock.contract.wording import DATASET_NOT_FOUND
from labs_mock.engine.generated_rows import GeneratedRows
from labs_mock.errors import NotFound
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.scenario.compiled.scenario import Scenario, ScenarioName
from labs_mock.state.spool import CHUNK, Budget, Spool


class Lifecycle:
    """Where a dataset stands: a stage ends with its n-th poll, or so many seconds after it began (DS-7)."""

    def __init__(self, stages: tuple[Stage, ...], now: float) -> None:
        self._stages = stages
        self._index = 0
        self._polls = 0
        self._since = now

    def stage(self, now: float) -> Stage:
        """The stage at a time, in unix seconds."""
        stage = self._stages[self._index]
        while stage.seconds is not None and now - self._since >= stage.seconds:
            self._enter(self._index + 1, self._since + stage.seconds)
            stage = self._stages[self._index]
        return stage

    def poll(self, now: float) -> Stage:
        """The stage that a poll sees; the last poll of a stage ends it."""
        stage = self.stage(now)
        self._polls += 1
        if self._polls == stage.polls:
            self._enter(self._index + 1, now)
        return stage

    def force(self, stage: Stage) -> None:
        """Stay in a stage from now on, whatever the file says."""
        self._stages, self._index = (stage,), 0

    def _enter(self, index: int, now: float) -> None:
        self._index, self._polls, self._since = index, 0, now


@dataclass
class Held:
    """A dataset as a server has it. `polled` has the times of the last polls in unix seconds, and `exported` says whether all
    of it was exported.
    """

    dataset: Dataset
    lifecycle: Lifecycle
    seed: int
    budget: Budget
    scenarios: Mapping[ScenarioName, Scenario]
    polled: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_POLLS))
    exported: bool = False

    def poll(self, now: float) -> tuple[Stage, bool]:
        """The stage that a poll sees, and whether it is one too many within a second."""
        often = len(self.polled) == MAX_POLLS and now - self.polled[0] < 1
        self.polled.append(now)
        return self.lifecycle.poll(now), often

    @cached_property
    def spool(self) -> Spool:
        """Generated rows, as far as they have been made."""
        assert self.dataset.scenario is not None
        return Spool(GeneratedRows(self.dataset, self.scenarios[self.dataset.scenario], self.seed), self.budget)

    @property
    def keep_exhausted(self) -> int | None:
        """How many rows did not pass the keep-filter in any attempt; None before the first whole export."""
        if self.dataset.generate is None:
            return 0
        return self.spool.below if self.exported and self.spool.rows == self.dataset.row_count else None

    def export(self) -> Generator[bytes, None, None]:
        """All rows in chunks; b"" between them means that others may run (DS-4)."""
        return self._whole(self.spool.export() if self.dataset.generate else _joined(self.dataset.lines))

    def _whole(self, chunks: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
        yield from chunks
        self.exported = True


class Datasets:
    """All datasets by id; every key sees them (DS-5)."""

    def __init__(
        self, datasets: Iterable[Dataset], seed: int, spool: int, now: float, scenarios: Mapping[ScenarioName, Scenario]
    ) -> None:
        self._seed, self._budget = seed, Budget(spool)
        self._scenarios = scenarios
        self._held: dict[str, Held] = {}
        self.adopt(datasets, now)

    def __iter__(self) -> Iterator[Held]:
        return iter(self._held.values())

    def adopt(self, datasets: Iterable[Dataset], now: float) -> None:
        """Have these datasets from now on; those that have not changed stay as they are (DS-6)."""
        held, self._held = self._held, {}
        for dataset in datasets:
            old = held.get(dataset.id)
            same = old is not None and old.dataset == dataset
            self._held[dataset.id] = old if old is not None and same else self._new(dataset, now)
        self._first = tuple(self._held)

    def add(self, dataset: Dataset, now: float) -> Held:
        """Have one more, until the next reset."""
        self._held[dataset.id] = self._new(dataset, now)
        return self._held[dataset.id]

    def reset(self, now: float) -> None:
        """All lifecycles back to the start. Rows that were made stay, since they would be the same."""
        self._held = {name: self._held[name] for name in self._first}
        for held in self:
            held.lifecycle, held.exported = Lifecycle(held.dataset.stages, now), False
            held.polled.clear()

    def _new(self, dataset: Dataset, now: float) -> Held:
        return Held(dataset, Lifecycle(dataset.stages, now), self._seed, self._budget, self._scenarios)

    def get(self, name: str) -> Held:
        """A dataset by its id, in either case. Raises `NotFound` (DS-5)."""
        held = self._held.get(name.lower())
        if held is None:
            raise NotFound(DATASET_NOT_FOUND)
        return held


def _joined(lines: Iterable[bytes]) -> Generator[bytes, None, None]:
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        chunk.append(line)
        size += len(line)
        if size >= CHUNK:
            yield b"".join(chunk)
            chunk, size = [], 0
    yield b"".join(chunk)
