"""A library as it is stored: the files it is made of, so that every process can compile it."""

from typing import NamedTuple

from labs_mock.scenario.compiled.datasets import Dataset


class CollectionSource(NamedTuple):
    """A collection without its scenarios."""

    slug: str
    name: str
    description: str


class ScenarioSource(NamedTuple):
    """A scenario: `content` is the JSON of its file, and `version` names collection, slug and content."""

    collection: str
    slug: str
    version: str
    content: bytes


class LibrarySource(NamedTuple):
    """Collections sorted by slug, scenarios by collection and slug, and the datasets of the folder in its order."""

    collections: tuple[CollectionSource, ...]
    scenarios: tuple[ScenarioSource, ...]
    datasets: tuple[Dataset, ...] = ()

    def with_scenario(self, scenario: ScenarioSource) -> "LibrarySource":
        """The same library with a scenario added or replaced; a collection that is new is named by its slug."""
        names = [collection.slug for collection in self.collections]
        added = [] if scenario.collection in names else [CollectionSource(scenario.collection, scenario.collection, "")]
        by_name = {(one.collection, one.slug): one for one in (*self.scenarios, scenario)}
        return self._replace(
            collections=tuple(sorted((*self.collections, *added))),
            scenarios=tuple(by_name[name] for name in sorted(by_name)),
        )
