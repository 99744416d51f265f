"""The library as it is stored: the content of each scenario under its version, and a list of all of them."""

from typing import NamedTuple

from pydantic import TypeAdapter

from labs_mock.scenario.compiled.datasets import Dataset
from labs_mock.state.library_source import CollectionSource, LibrarySource, ScenarioSource
from labs_mock.state.redis.namespace import JSON

SOURCE: TypeAdapter[ScenarioSource] = TypeAdapter(ScenarioSource, config=JSON)


class Volume(NamedTuple):
    """A scenario without its content, of which it has the bytes."""

    collection: str
    slug: str
    version: str
    size: int


class Shelf(NamedTuple):
    """The library of now, added datasets, and of earlier scenarios those that are kept, the one that was replaced first in front."""

    collections: tuple[CollectionSource, ...] = ()
    volumes: tuple[Volume, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    added: tuple[Dataset, ...] = ()
    earlier: tuple[tuple[str, int], ...] = ()
    in_use: tuple[str, ...] = ()

    @property
    def all_datasets(self) -> tuple[Dataset, ...]:
        """Those of the library in its order, then added ones."""
        return self.datasets + self.added

    @property
    def versions(self) -> set[str]:
        """All scenarios that are kept."""
        return {*[one.version for one in self.volumes], *[version for version, _ in self.earlier], *self.in_use}

    def with_library(self, library: LibrarySource) -> "Shelf":
        """Another library; the scenarios that are no longer in it are earlier ones, and added datasets go."""
        volumes = tuple([Volume(*one[:3], len(one.content)) for one in library.scenarios])
        return self._with_volumes(library.collections, volumes)._replace(datasets=library.datasets, added=())

    def with_scenario(self, scenario: ScenarioSource) -> "Shelf":
        """A scenario added or replaced."""
        sizes = {one.version: one.size for one in self.volumes} | {scenario.version: len(scenario.content)}
        library = LibrarySource(self.collections, tuple([ScenarioSource(*one[:3], b"") for one in self.volumes]))
        changed = library.with_scenario(scenario)
        volumes = tuple([Volume(*one[:3], sizes[one.version]) for one in changed.scenarios])
        return self._with_volumes(changed.collections, volumes)

    def _with_volumes(self, collections: tuple[CollectionSource, ...], volumes: tuple[Volume, ...]) -> "Shelf":
        present = {one.version for one in volumes}
        earlier = dict(self.earlier) | {one.version: one.size for one in self.volumes}
        kept = tuple([(version, size) for version, size in earlier.items() if version not in present])
        return self._replace(collections=collections, volumes=volumes, earlier=kept)

    def trimmed(self, limit: int) -> "Shelf":
        """Without earlier scenarios for which there is no room, but for those that rows are generated from."""
        known = self.versions
        wanted = {one.scenario.version for one in self.all_datasets if one.scenario is not None}
        in_use = tuple(sorted(wanted & known))
        earlier = list(self.earlier)
        while sum([size for _, size in earlier]) > limit:
            earlier.pop(0)
        return self._replace(earlier=tuple(earlier), in_use=in_use)


SHELF: TypeAdapter[Shelf] = TypeAdapter(Shelf, config=JSON)
