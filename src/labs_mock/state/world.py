"""The world: one server's settings, library, store and caches."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from itertools import count
from typing import NamedTuple

from labs_mock.clock import Clock
from labs_mock.config.library import Library
from labs_mock.config.settings import Settings
from labs_mock.contract.limits import PLANS
from labs_mock.contract.wording import DATASET_NOT_FOUND, EPISODE_NOT_FOUND, unknown_collection, unknown_scenario
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player
from labs_mock.engine.replay import replay
from labs_mock.engine.transcript import TranscriptLine
from labs_mock.errors import NotFound
from labs_mock.ids import fingerprint
from labs_mock.redaction import Redactor
from labs_mock.scenario.compiled.datasets import Dataset
from labs_mock.scenario.compiled.scenario import Scenario, scenario_from_content
from labs_mock.scenario.files.loader import Collection
from labs_mock.state.account import Account, key_digest
from labs_mock.state.arrival import Arrival, Arrived
from labs_mock.state.caches import Caches, Export, KnownPlay
from labs_mock.state.episode import Episode
from labs_mock.state.library_source import CollectionSource, LibrarySource, ScenarioSource
from labs_mock.state.memory.store import MemoryStore
from labs_mock.state.store import InitialState, Store

PAGE = 1_000  # episodes that are read at a time


class Replayed(NamedTuple):
    """An episode's player, its state, and the 64-bit hash of its turns."""

    player: Player
    play: Play
    conversation: int


class World:
    """A library that is served under some settings.

    All that can change is in its `store`, by default one in memory that begins with the library, the settings and `accounts`
    by their keys (default: `accounts_of` both). `instance` tells one server from another; it is random, the same for all processes
    of a server, and only the control plane shows it. `redactor` masks all keys, also those that another process has added, the token of
    the control plane and the store's password.
    """

    def __init__(
        self,
        settings: Settings,
        library: Library,
        *,
        accounts: Mapping[str, Account] | None = None,
        store: Store | None = None,
        instance: str = "",
    ) -> None:
        self.settings = settings
        self._process = secrets.token_hex(8)
        self.instance = instance or self._process
        self._accounts = accounts_of(settings, library) if accounts is None else dict(accounts)
        self._keys = set(self._accounts)
        self.store: Store = store or MemoryStore(initial_state(settings, library, self._accounts.values()))
        self.redactor = Redactor(self._keys, [settings.control_token, settings.state_password], self._is_key)
        self.caches = Caches(settings.seed, settings.spool)
        self.caches.add(library.scenarios)
        self._server = library.server
        self._first_library = library
        self._library, self._revision = library, 0  # which is none: it is read from the store before it is used
        self._players: dict[tuple[str, str], Player] = {}  # those of the library that were looked for
        self._tokens, self._alone = count(), count()

    def as_new(self) -> "World":
        """Another world of the same settings, library and accounts, as this one began."""
        return World(self.settings, self._first_library, accounts=self._accounts)

    @property
    def first_key(self) -> str:
        """The key to name to people and tests: the first of the start that is neither revoked nor expired, else the first of all."""
        now = Clock.parse(self.settings.clock).now()
        return min(self._accounts, key=lambda key: not self._accounts[key].is_valid(now))

    def token(self) -> str:
        """A text that no other request has, of this server or another."""
        return f"{self._process}-{next(self._tokens)}"

    def arrived_alone(self, arrival: Arrival, epoch: str = "", clock: Clock | None = None) -> Arrived:
        """A request that the store could not count, with a number of this process in place of its attempt (GEN-2).

        Epoch and clock are those of the store, where it is known what they are.
        """
        clock = clock or Clock.parse(self.settings.clock)
        path = f"{arrival.path}?{arrival.query}" if arrival.query else arrival.path
        name = fingerprint(self._process, arrival.method, path, arrival.body)
        return Arrived(epoch, 0, clock, clock.now(), 0, None, name, next(self._alone), None, ())

    # The library

    async def library(self, revision: int | None = None) -> Library:
        """The library of now, compiled; without asking the store if its revision is known to be a certain one."""
        if revision is None or revision != self._revision:
            await self._load_library()
        return self._library

    async def known_library(self) -> Library:
        """The library as this process knows it, which may be old where other processes change it, too: without asking them."""
        return self._library if self.settings.state else await self.library()

    async def player(self, revision: int, account: Account | None, collection: str, slug: str) -> Player:
        """The player of a scenario of the library.

        Raises `NotFound` for an unknown collection or scenario (EP-1), and between the two `Forbidden`
        without a subscription (AUTH-2); without an account everything may be played.
        """
        if revision != self._revision:
            await self._load_library()
        player = self._players.get((collection, slug))
        if player is not None and (account is None or account.may_use(collection)):
            return player
        found = self._library.collections.get(collection)
        if found is None:
            raise NotFound(unknown_collection(collection))
        if account is not None:
            account.require(collection)
        scenario = found.scenarios.get(slug)
        if scenario is None:
            raise NotFound(unknown_scenario(collection, slug))
        self._players[collection, slug] = self.caches.player(scenario)
        return self._players[collection, slug]

    async def add_scenario(self, scenario: Scenario) -> None:
        """Add a scenario, or replace the one with its slugs; episodes and datasets that have begun keep the old one."""
        self.caches.add([scenario])
        await self.store.put_scenario(scenario_source(scenario))

    async def publish(self, library: Library) -> None:
        """Serve the scenarios and datasets of another library from now on; what has begun keeps the old ones (DS-6)."""
        self.caches.add(library.scenarios)
        await self.store.publish(source_of(library))

    async def _load_library(self) -> None:
        """Take the library of now from the store, and compile what is not here."""
        revision, source = await self.store.library()
        if revision == self._revision:
            return
        scenarios = [self.caches.scenario(one.version) or await _compiled(one) for one in source.scenarios]
        self.caches.add(scenarios)
        groups: dict[str, dict[str, Scenario]] = {collection.slug: {} for collection in source.collections}
        for scenario in scenarios:
            groups[scenario.collection][scenario.slug] = scenario
        collections = {one.slug: Collection(*one, groups[one.slug]) for one in source.collections}
        datasets = {dataset.id: dataset for dataset in source.datasets}
        self._library, self._revision, self._players = Library(collections, datasets, self._server), revision, {}

    async def _load_player(self, version: str, missing: str) -> Player:
        """The player of a scenario that is not here. Raises `NotFound` with a message if the store has it no longer."""
        source = await self.store.scenario(version)
        if source is None:
            raise NotFound(missing)
        return self.caches.player(await _compiled(source))

    # Episodes

    async def episodes(self, before: str | None = None) -> AsyncIterator[Episode]:
        """All episodes that have not expired, the one with the newest turn first, or those behind one; read in pages."""
        while page := await self.store.episodes(PAGE, before):
            for episode in page:
                yield episode
            before = page[-1].id

    async def replayed(self, episode: Episode) -> Replayed:
        """What the engine knows of an episode. Raises `NotFound` if the store has its scenario no longer."""
        player = self.caches.player_of(episode.version) or await self._load_player(episode.version, EPISODE_NOT_FOUND)
        # The number of turns would not do: a store that fails over may have lost some, and have taken others since.
        known = self.caches.plays.get(episode.origin)
        if known is None or known.transcript != episode.transcript:
            known = KnownPlay(episode.transcript, *replay(player, episode.transcript))
            self.caches.plays.put(episode.origin, known)
        play = known.play
        if play.terminal != episode.ended:  # its client has ended it, or the control plane
            play = play.copy()
            play.terminal = episode.ended
        return Replayed(player, play, known.conversation)

    def remember(self, episode: Episode, lines: tuple[TranscriptLine, ...], play: Play, conversation: int) -> None:
        """Keep the state of an episode behind some more lines, so that it need not be folded again."""
        self.caches.plays.put(episode.origin, KnownPlay(episode.transcript + lines, play, conversation))

    # Datasets

    async def export(self, dataset: Dataset) -> Export:
        """All rows of a dataset, which are made once and kept as far as there is room (DS-4, DS-6)."""
        if dataset.scenario is None:
            return Export(dataset, None)
        spool = self.caches.spool(dataset)
        if spool is None:
            version = dataset.scenario.version
            player = self.caches.player_of(version) or await self._load_player(version, DATASET_NOT_FOUND)
            present = [state.dataset.id for state in await self.store.datasets()]
            spool = self.caches.spool(dataset) or self.caches.add_spool(dataset, player.scenario, present)
        return Export(dataset, spool)

    # Keys and resets

    def add_key(self, key: str) -> None:
        """Mask a key from now on, until the keys are reset."""
        self._keys.add(key)

    def knows_key(self, key: str) -> bool:
        """Whether a key is masked also where it is cut short; one that another process has added is not."""
        return key in self._keys

    def _is_key(self, word: str) -> bool:
        return self.store.knows_key(key_digest(word.encode()))

    async def reset(self, *parts: str) -> list[str]:
        """Those parts, or else everything but scenarios and settings, back to the start; the names of what was reset."""
        names = await self.store.reset(parts)
        if "keys" in names:
            self._keys.clear()
            self._keys.update(self._accounts)
        return names


def accounts_of(settings: Settings, library: Library) -> dict[str, Account]:
    """The accounts that `server.yaml` lists, by their keys, or else the one of the settings."""
    if library.server.keys is not None:
        return {entry.key: Account.from_entry(entry) for entry in library.server.keys}
    return {settings.api_key: Account.from_key(settings.api_key, requests_per_minute=PLANS[settings.plan])}


def initial_state(settings: Settings, library: Library, accounts: Iterable[Account]) -> InitialState:
    """What a store of a server begins with."""
    return InitialState(
        settings.seed, settings.clock, tuple(accounts), tuple(library.server.faults), source_of(library)
    )


def source_of(library: Library) -> LibrarySource:
    """A library as it is stored."""
    return LibrarySource(
        tuple(CollectionSource(one.slug, one.name, one.description) for one in library.collections.values()),
        tuple(scenario_source(scenario) for scenario in library.scenarios),
        tuple(library.datasets.values()),
    )


def scenario_source(scenario: Scenario) -> ScenarioSource:
    """A scenario as it is stored."""
    return ScenarioSource(*scenario.full_name, scenario.content)


async def _compiled(source: ScenarioSource) -> Scenario:
    """Compile a stored scenario, in a thread: a large one takes seconds, in which others want responses."""
    return await asyncio.to_thread(scenario_from_content, source.collection, source.slug, source.content)
