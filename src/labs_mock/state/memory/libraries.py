"""The library of now, and scenarios of earlier ones that something still needs."""

from collections import OrderedDict

from labs_mock.state.library_source import LibrarySource, ScenarioSource


class Libraries:
    """The library of now with its revision. Of earlier scenarios those in use stay, and of the others the newest."""

    def __init__(self, library: LibrarySource, limit: int) -> None:
        self._limit = limit
        self.revision = 1
        self._earlier: OrderedDict[str, ScenarioSource] = OrderedDict()
        self._size = 0  # of what is in `_earlier`, in bytes
        self._in_use: dict[str, ScenarioSource] = {}
        self._set(library)

    def scenario(self, version: str) -> ScenarioSource | None:
        """A scenario by its version."""
        return self._present.get(version) or self._in_use.get(version) or self._earlier.get(version)

    def publish(self, library: LibrarySource) -> int:
        """Replace the library; the new revision."""
        before = self._present
        self._set(library)
        for version, scenario in before.items():
            if version not in self._present:
                self._earlier[version] = scenario
                self._size += len(scenario.content)
        for version in self._present:
            again = self._earlier.pop(version, None)
            self._size -= len(again.content) if again is not None else 0
        self.revision += 1
        return self.revision

    def forget_all_but(self, in_use: set[str]) -> None:
        """Keep what is in use, and of other earlier scenarios as many as there is room for."""
        self._in_use = {name: found for name in sorted(in_use) if (found := self.scenario(name)) is not None}
        while self._size > self._limit:
            _, gone = self._earlier.popitem(last=False)
            self._size -= len(gone.content)

    def _set(self, library: LibrarySource) -> None:
        self.source = library
        self._present = {scenario.version: scenario for scenario in library.scenarios}
