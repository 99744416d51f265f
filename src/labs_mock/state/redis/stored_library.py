"""Training datasets: what they are is with the library, where each stands is counted in a script (DS-1…7)."""

from collections.abc import Callable, Iterable

import orjson

from labs_mock.contract.limits import MAX_POLLS
from labs_mock.errors import StaleEpoch
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.state.bounds import Bounds
from labs_mock.state.dataset_progress import Poll, Progress, StoredDataset
from labs_mock.state.library_source import LibrarySource, ScenarioSource
from labs_mock.state.redis.control_document import ControlDocument
from labs_mock.state.redis.control_plane import DATASET_FIELDS, ControlChange, ControlPlane, begun, contents, forgotten
from labs_mock.state.redis.scripts import Operations
from labs_mock.state.redis.shelf import SOURCE, Shelf


class StoredLibrary:
    """Scenarios and datasets, which are published together."""

    def __init__(self, operations: Operations, plane: ControlPlane, bounds: Bounds) -> None:
        self._operations, self._plane, self._limit = operations, plane, bounds.scenarios

    # Scenarios

    async def library(self) -> tuple[int, LibrarySource]:
        """The library of now and its revision."""
        while True:
            control, shelf = await self._plane.both()
            versions = [one.version for one in shelf.volumes]
            found = await self._contents(versions)
            if None not in found:  # else it has been replaced since
                scenarios = tuple([one for one in found if one is not None])
                return control.document.library, LibrarySource(shelf.collections, scenarios, shelf.datasets)

    async def scenario(self, version: str) -> ScenarioSource | None:
        """A scenario by its version."""
        return (await self._contents([version]))[0]

    async def _contents(self, versions: list[str]) -> list[ScenarioSource | None]:
        if not versions:
            return []
        _, found = await self._operations.run("read", "HMGET", "scenarios", *versions, again=True)
        return [None if one is None else SOURCE.validate_json(one) for one in found]

    async def put_scenario(self, scenario: ScenarioSource) -> int:
        """Add or replace a scenario; the new revision."""

        def make(document: ControlDocument, shelf: Shelf) -> ControlChange:
            changed = shelf.with_scenario(scenario).trimmed(self._limit)
            document = document._replace(library=document.library + 1)
            return ControlChange(document, changed, tuple(contents([scenario])), document.library)

        return await self._published(make)

    async def publish(self, library: LibrarySource) -> int:
        """Replace the library; the new revision. Datasets that have not changed stay as they are (DS-6)."""

        def make(document: ControlDocument, shelf: Shelf) -> ControlChange:
            before = {one.id: one for one in shelf.all_datasets}
            changed = shelf.with_library(library).trimmed(self._limit)
            new = [one for one in library.datasets if before.get(one.id) != one]
            kept = {one.id for one in library.datasets} - {one.id for one in new}
            commands = [*contents(library.scenarios), *[forgotten(name) for name in before if name not in kept]]
            document = document._replace(
                library=document.library + 1, forced=tuple([one for one in document.forced if one[0] in kept])
            )
            return ControlChange(document, changed, (*commands, *begun(new, document.clock.now())), document.library)

        return await self._published(make)

    async def _published(self, make: Callable[[ControlDocument, Shelf], ControlChange]) -> int:
        made = await self._plane.change(make)
        assert made is not None
        return made.document.library

    # Datasets

    async def datasets(self) -> list[StoredDataset]:
        """All of them as they stand."""
        control, shelf = await self._plane.both()
        return await self._standing(control.document, shelf.all_datasets)

    async def add(self, dataset: Dataset) -> StoredDataset | None:
        """One more, until the next reset or library; None if its id is taken."""

        def make(document: ControlDocument, shelf: Shelf) -> ControlChange | None:
            if dataset.id in [one.id for one in shelf.all_datasets]:
                return None
            changed = shelf._replace(added=(*shelf.added, dataset)).trimmed(self._limit)
            return ControlChange(document, changed, tuple(begun([dataset], document.clock.now())))

        made = await self._plane.change(make)
        return None if made is None else (await self._standing(made.document, [dataset]))[0]

    async def force(self, name: str, stage: Stage) -> StoredDataset | None:
        """Let one stay in a stage; None for an unknown dataset (DS-3)."""
        name = name.lower()

        def make(document: ControlDocument, shelf: Shelf) -> ControlChange | None:
            found = next((one for one in shelf.all_datasets if one.id == name), None)
            if found is None:
                return None
            forced = tuple((dict(document.forced) | {name: stage}).items())
            return ControlChange(
                document._replace(forced=forced), shelf, (("HSET", "datasets", f"{name}:position", 0),), found
            )

        made = await self._plane.change(make)
        return None if made is None else (await self._standing(made.document, [made.result]))[0]

    async def poll(self, epoch: str, name: str, now: float) -> Poll | None:
        """One poll; None for an unknown dataset. Raises `StaleEpoch`."""
        name = name.lower()
        while True:
            control = await self._plane.known()
            shelf = await self._plane.shelf(control)
            if shelf is None:
                control, shelf = await self._plane.both()
            if control.document.epoch != epoch:
                raise StaleEpoch("there was a reset of everything since the request arrived")
            dataset = next((one for one in shelf.all_datasets if one.id == name), None)
            if dataset is None:
                return None
            stages = stages_of(dataset, control.document)
            limits = [
                {key: getattr(stage, key) for key in ("polls", "seconds") if getattr(stage, key) is not None}
                for stage in stages
            ]
            status, *rest = await self._operations.run(
                "poll_dataset", epoch, control.revision, name, repr(now), orjson.dumps(limits), MAX_POLLS, again=False
            )
            if status == b"stale":
                raise StaleEpoch("there was a reset of everything since the request arrived")
            if status == b"done":
                position, polled = rest
                progress = Progress(stages, 0.0, position, polled=tuple(map(float, polled.split())))
                return Poll(dataset, progress.stage, progress.too_often(now))
            self._plane.take(*rest)

    async def finish_export(self, epoch: str, name: str, keep_exhausted: int | None) -> None:
        """Note what a whole export of generated rows left; of other rows there is nothing to note."""
        shelf = await self._plane.shelf(await self._plane.known())
        if shelf is not None and name.lower() in [one.id for one in shelf.all_datasets if one.generate is None]:
            return
        exhausted = "" if keep_exhausted is None else keep_exhausted
        await self._operations.run("finish_export", epoch, name.lower(), exhausted, again=True)

    async def _standing(self, document: ControlDocument, datasets: Iterable[Dataset]) -> list[StoredDataset]:
        now, listed = document.clock.now(), list(datasets)
        fields = [f"{one.id}:{field}" for one in listed for field in DATASET_FIELDS]
        if not fields:
            return []
        _, values = await self._operations.run("read", "HMGET", "datasets", *fields, again=True)
        width = len(DATASET_FIELDS)
        rows = [values[place : place + width] for place in range(0, len(values), width)]
        return [_stored(one, document, now, row) for one, row in zip(listed, rows, strict=True)]


def stages_of(dataset: Dataset, document: ControlDocument) -> tuple[Stage, ...]:
    """The stages of a dataset, or the one in which it was forced to stay."""
    forced = dict(document.forced).get(dataset.id)
    return dataset.stages if forced is None else (forced,)


def _stored(dataset: Dataset, document: ControlDocument, now: float, fields: list[bytes | None]) -> StoredDataset:
    since, position, polls, polled, exhausted = fields
    moments = tuple(map(float, (polled or b"").split()))
    stages, began = stages_of(dataset, document), float(since or now)
    progress = Progress(stages, began, int(position or 0), int(polls or 0), moments).at(now)
    left = int(exhausted) if exhausted else None
    return StoredDataset(dataset, progress, 0 if dataset.generate is None else left)
