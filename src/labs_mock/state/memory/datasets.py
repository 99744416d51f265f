"""Training datasets and where each stands (DS-1…7)."""

from collections.abc import Iterable
from dataclasses import dataclass

from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.state.dataset_progress import Poll, Progress, StoredDataset


@dataclass(slots=True)
class _Stored:
    """A dataset, where it stands, and what its last whole export left."""

    dataset: Dataset
    progress: Progress
    keep_exhausted: int | None = None

    def state(self, now: float) -> StoredDataset:
        """It as it stands at a moment; to look at it is no poll."""
        self.progress = self.progress.at(now)
        exhausted = 0 if self.dataset.generate is None else self.keep_exhausted
        return StoredDataset(self.dataset, self.progress, exhausted)


class Datasets:
    """All datasets by id; every key sees them (DS-5)."""

    def __init__(self, datasets: Iterable[Dataset], now: float) -> None:
        self._stored: dict[str, _Stored] = {}
        self.publish(datasets, now)

    def publish(self, datasets: Iterable[Dataset], now: float) -> None:
        """Have these datasets from now on; those that have not changed stay as they are (DS-6)."""
        before = self._stored
        self._stored = {}
        for dataset in datasets:
            stored = before.get(dataset.id)
            same = stored is not None and stored.dataset == dataset
            self._stored[dataset.id] = stored if stored is not None and same else _new(dataset, now)
        self._first = tuple(self._stored)

    def all(self, now: float) -> list[StoredDataset]:
        """All of them as they stand."""
        return [stored.state(now) for stored in list(self._stored.values())]

    def add(self, dataset: Dataset, now: float) -> StoredDataset | None:
        """Have one more, until the next reset; None if its id is taken."""
        if dataset.id in self._stored:
            return None
        self._stored[dataset.id] = stored = _new(dataset, now)
        return stored.state(now)

    def poll(self, name: str, now: float) -> Poll | None:
        """The stage that a poll sees, and whether it is one too many; None for an unknown dataset."""
        stored = self._stored.get(name.lower())
        if stored is None:
            return None
        progress = stored.progress.at(now)
        stored.progress = progress.after_poll(now)
        return Poll(stored.dataset, progress.stage, progress.too_often(now))

    def force(self, name: str, stage: Stage, now: float) -> StoredDataset | None:
        """Let one stay in a stage; None for an unknown dataset (DS-3)."""
        stored = self._stored.get(name.lower())
        if stored is None:
            return None
        stored.progress = stored.progress.forced(stage)
        return stored.state(now)

    def finish_export(self, name: str, keep_exhausted: int | None) -> None:
        """Note what a whole export of generated rows left."""
        stored = self._stored.get(name.lower())
        if stored is not None:
            stored.keep_exhausted = keep_exhausted

    def reset(self, now: float) -> None:
        """Those of the library at their start; added ones go."""
        self._stored = {name: _new(self._stored[name].dataset, now) for name in self._first}

    @property
    def versions(self) -> set[str]:
        """The versions of the scenarios that rows are generated from."""
        stored = self._stored.values()
        return {one.dataset.scenario.version for one in stored if one.dataset.scenario is not None}


def _new(dataset: Dataset, now: float) -> _Stored:
    return _Stored(dataset, Progress(dataset.stages, now))
