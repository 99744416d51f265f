"""The fault plan: which faults befall a request."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hmac import compare_digest
from math import exp
from statistics import NormalDist

from labs_mock.config.fault_entry import FaultEntry, LogNormal, Uniform
from labs_mock.ids import seeded_number

Slugs = tuple[str, str]
"""A collection and a scenario."""


@dataclass(frozen=True, slots=True)
class Target:
    """What of a request decides whether a fault is for it.

    `scenarios` and `items` (ids) are of its body, and asked only where a fault names one.
    """

    method: str
    path: str
    organisation: str
    key: str = field(repr=False)
    dataset: str
    asked: bytes
    attempt: int
    scenarios: Callable[[], Collection[Slugs]]
    items: Callable[[], Collection[str]]


@dataclass(slots=True)
class Fault:
    """A fault of the plan; `fitting` counts requests that it is for, `applied` those that it befell."""

    id: str
    file: FaultEntry
    fitting: int = 0
    applied: int = 0

    def fits(self, target: Target) -> bool:
        """Whether it is for a request, by its filters."""
        file = self.file
        return (
            file.method in (None, target.method)
            and (file.path is None or fnmatchcase(target.path, file.path))
            and file.organisation in (None, target.organisation)
            and (file.key is None or compare_digest(file.key.encode(), target.key.encode()))
            and (file.dataset is None or file.dataset.lower() == target.dataset)
            and (file.item is None or file.item in target.items())
            and (
                (file.collection_slug is None and file.scenario_slug is None)
                or any(
                    file.collection_slug in (None, collection) and file.scenario_slug in (None, scenario)
                    for collection, scenario in target.scenarios()
                )
            )
        )

    def due(self, target: Target, seed: int) -> bool:
        """Whether it befalls a request that it is for, which has been counted."""
        file = self.file
        if file.share is not None:
            return seeded_number(seed, f"fault {self.id}", target.asked, target.attempt) < file.share
        return (
            (file.nth is None or self.fitting == file.nth)
            and (file.every is None or self.fitting % file.every == 0)
            and (file.first is None or self.fitting <= file.first)
            and (file.attempts is None or target.attempt < file.attempts)
        )

    def seconds(self, target: Target, seed: int) -> float:
        """How long its delay is for a request: the same whenever that arrives."""
        delay = self.file.delay
        draw = seeded_number(seed, f"delay {self.id}", target.asked, target.attempt)
        if isinstance(delay, Uniform):
            return delay.low + draw * (delay.high - delay.low)
        if isinstance(delay, LogNormal):
            return delay.median * exp(delay.sigma * NormalDist().inv_cdf(draw or 0.5))
        return delay or 0.0


class Faults:
    """All faults, in the order in which they were added."""

    def __init__(self, files: Iterable[FaultEntry], seed: int) -> None:
        self._first = tuple(files)
        self._seed = seed
        self.reset()

    def __bool__(self) -> bool:
        return bool(self._faults)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults.values())

    def reset(self) -> None:
        """Only the faults of the start, with nothing counted."""
        self._faults: dict[str, Fault] = {}
        self._added = 0
        for file in self._first:
            self.add(file)

    def add(self, file: FaultEntry) -> Fault:
        """Add a fault, or replace the one with its id; one without an id replaces none."""
        self._added += 1
        while file.id is None and f"fault-{self._added}" in self._faults:
            self._added += 1
        fault = Fault(file.id or f"fault-{self._added}", file)
        self._faults[fault.id] = fault
        return fault

    def remove(self, name: str | None = None) -> bool:
        """Remove a fault, or all of them; whether there was one."""
        if name is None:
            self._faults.clear()
            return True
        return self._faults.pop(name, None) is not None

    def due(self, target: Target) -> list[tuple[Fault, float]]:
        """The faults that befall a request, each with the seconds of its delay."""
        found = []
        for fault in self:
            if fault.fits(target):
                fault.fitting += 1
                if fault.due(target, self._seed):
                    fault.applied += 1
                    found.append((fault, fault.seconds(target, self._seed)))
        return found
