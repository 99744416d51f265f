"""What a process may lose at any time: compiled scenarios, their players, states of episodes, and rows that were made."""

from collections import OrderedDict
from collections.abc import Generator, Hashable, Iterable
from typing import Generic, NamedTuple, TypeVar

from labs_mock.engine.generated_rows import GeneratedRows
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player
from labs_mock.engine.transcript import TranscriptLine
from labs_mock.scenario.compiled.datasets import Dataset
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.state.spool import CHUNK, Budget, Spool

Name = TypeVar("Name", bound=Hashable)
Value = TypeVar("Value")

EARLIER = 64  # scenarios that are kept beside those of the library
MAX_PLAYS = 20_000


class Recent(Generic[Name, Value]):
    """The values that were used last."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._values: OrderedDict[Name, Value] = OrderedDict()

    def get(self, name: Name) -> Value | None:
        """A value, which is then the last that was used."""
        value = self._values.get(name)
        if value is not None:
            self._values.move_to_end(name)
        return value

    def put(self, name: Name, value: Value) -> Value:
        """Keep a value, and return it."""
        self._values[name] = value
        self._values.move_to_end(name)
        while len(self._values) > self.limit:
            self._values.popitem(last=False)
        return value


class KnownPlay(NamedTuple):
    """The state of an episode after a transcript, and the 64-bit hash of the turns in it."""

    transcript: tuple[TranscriptLine, ...]
    play: Play
    conversation: int


class Export:
    """The rows of a dataset in `chunks`; b"" between them means that others may run (DS-4)."""

    def __init__(self, dataset: Dataset, spool: Spool | None) -> None:
        self._dataset, self._spool = dataset, spool
        self.chunks = joined(dataset.lines) if spool is None else spool.export()

    @property
    def keep_exhausted(self) -> int | None:
        """Once all chunks were made: how many rows passed the keep-filter in no attempt, None if not all rows were kept."""
        spool = self._spool
        if spool is None:
            return 0
        return spool.below if spool.rows == self._dataset.row_count else None


class Caches:
    """Scenarios and players by version, states by the origin of their episode, made rows by their dataset."""

    def __init__(self, seed: int, spool: int) -> None:
        self._seed, self._budget = seed, Budget(spool)
        self._scenarios: Recent[str, Scenario] = Recent(EARLIER)
        self._players: Recent[str, Player] = Recent(EARLIER)
        self.plays: Recent[str, KnownPlay] = Recent(MAX_PLAYS)
        self._spools: dict[str, tuple[Dataset, Spool]] = {}

    def add(self, scenarios: Iterable[Scenario]) -> None:
        """Keep compiled scenarios, and room for earlier ones beside them."""
        added = list(scenarios)
        self._scenarios.limit = self._players.limit = max(self._scenarios.limit, len(added) + EARLIER)
        for scenario in added:
            self._scenarios.put(scenario.version, scenario)

    def scenario(self, version: str) -> Scenario | None:
        """A compiled scenario, if it is here."""
        return self._scenarios.get(version)

    def player(self, scenario: Scenario) -> Player:
        """The player of a scenario, the same each time, so that what it remembers serves every request."""
        return self._players.get(scenario.version) or self._players.put(scenario.version, Player(scenario))

    def player_of(self, version: str) -> Player | None:
        """The player of a scenario by its version, if that is here."""
        player = self._players.get(version)
        if player is None:
            scenario = self._scenarios.get(version)
            return None if scenario is None else self.player(scenario)
        return player

    def spool(self, dataset: Dataset) -> Spool | None:
        """The generated rows of a dataset as far as they have been made, if they are here."""
        known = self._spools.get(dataset.id)
        return known[1] if known is not None and known[0] == dataset else None

    def add_spool(self, dataset: Dataset, scenario: Scenario, datasets: Iterable[str]) -> Spool:
        """A new spool for the rows of a dataset; those of datasets that are no more, by their ids, leave their share."""
        here = set(datasets)
        self._spools = {name: known for name, known in self._spools.items() if name in here}
        spool = Spool(GeneratedRows(dataset, scenario, self._seed), self._budget)
        self._spools[dataset.id] = dataset, spool
        return spool


def joined(lines: Iterable[bytes]) -> Generator[bytes, None, None]:
    """Lines in chunks of about 64 KiB."""
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        chunk.append(line)
        size += len(line)
        if size >= CHUNK:
            yield b"".join(chunk)
            chunk, size = [], 0
    yield b"".join(chunk)
