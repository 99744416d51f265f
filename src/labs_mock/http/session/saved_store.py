"""The store of a saved session: what it had can be read, and nothing in it changes."""

# ruff: noqa: D102, ARG002 - what each operation does is written at `Store`; what only writes use its arguments for nothing

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, NoReturn

from labs_mock.clock import Clock
from labs_mock.contract.limits import BASE_PATH
from labs_mock.errors import Forbidden, StoreUnavailable
from labs_mock.ids import fingerprint
from labs_mock.state.account import Account
from labs_mock.state.arrival import Arrival, Arrived
from labs_mock.state.dataset_progress import StoredDataset
from labs_mock.state.episode import Episode
from labs_mock.state.library_source import LibrarySource, ScenarioSource
from labs_mock.state.planned_fault import PlannedFault
from labs_mock.state.posted_verdict import PostedVerdict
from labs_mock.state.quota import Quota
from labs_mock.state.record import JournalCounts, Record, RewardColumns

EPOCH, REVISION = "saved", 1
READ_ONLY = "A saved session is shown: nothing in it can be changed; labs-mock serve starts a server that can be"
NOT_SERVED = f"A saved session is shown: {BASE_PATH} is not served; labs-mock serve starts a server that does"


@dataclass(frozen=True, slots=True)
class SavedState:
    """All that a store had, as plain data: what each operation of it returned.

    Episodes have the one with the newest turn first, records are sorted by number; `earlier` scenarios are no longer served.
    """

    clock: Clock
    accounts: tuple[Account, ...]
    quotas: tuple[Quota, ...]
    library: LibrarySource
    earlier: tuple[ScenarioSource, ...]
    datasets: tuple[StoredDataset, ...]
    faults: tuple[PlannedFault, ...]
    episodes: tuple[Episode, ...]
    records: tuple[Record, ...]
    counts: JournalCounts
    rewards: RewardColumns
    verdicts: tuple[PostedVerdict, ...]


class SavedStore:
    """A `Store` that only reads. What changes something raises `Forbidden`, and requests of the API `StoreUnavailable`."""

    def __init__(self, state: SavedState) -> None:
        self._state = state
        self._episodes = {episode.id: place for place, episode in enumerate(state.episodes)}
        self._numbers = [record.number for record in state.records]
        self._scenarios = {one.version: one for one in (*state.earlier, *state.library.scenarios)}

    # One request

    async def arrive(self, arrival: Arrival) -> Arrived:
        if arrival.path.startswith(BASE_PATH):
            raise StoreUnavailable(NOT_SERVED)
        clock = self._state.clock
        name = fingerprint("", arrival.method, arrival.path, arrival.body)
        return Arrived(EPOCH, REVISION, clock, clock.now(), 0, None, name, 0, None, ())

    async def load_episode(self, epoch: str, name: str, now: float) -> Episode | None:
        place = self._episodes.get(name)
        return None if place is None else self._state.episodes[place]

    async def commit(self, *_: Any) -> NoReturn:
        """Nothing is recorded: only requests of the API, which never arrive, would have to be."""
        raise StoreUnavailable(READ_ONLY)

    # What it had

    async def epoch(self) -> str:
        return EPOCH

    async def clock(self) -> Clock:
        return self._state.clock

    async def known_clock(self) -> Clock:
        return self._state.clock

    async def accounts(self) -> list[Account]:
        return list(self._state.accounts)

    def knows_key(self, digest: bytes) -> bool:
        return any(account.key_digest == digest for account in self._state.accounts)

    async def find_account(self, digest: bytes) -> Account | None:
        return None

    async def quotas(self) -> list[Quota]:
        return list(self._state.quotas)

    async def faults(self) -> list[PlannedFault]:
        return list(self._state.faults)

    async def library(self) -> tuple[int, LibrarySource]:
        return REVISION, self._state.library

    async def scenario(self, version: str) -> ScenarioSource | None:
        return self._scenarios.get(version)

    async def datasets(self) -> list[StoredDataset]:
        return list(self._state.datasets)

    async def episodes(self, limit: int, before: str | None = None) -> list[Episode]:
        start = 0 if before is None else self._episodes.get(before, len(self._episodes)) + 1
        return list(self._state.episodes[start : start + limit])

    async def records(self, after: int, limit: int) -> list[Record]:
        start = bisect_right(self._numbers, after)
        return list(self._state.records[start : start + limit])

    async def journal_counts(self) -> JournalCounts:
        return self._state.counts

    async def rewards(self, after: int, limit: int) -> RewardColumns:
        log = self._state.rewards
        first = max(after, log.dropped)
        part = slice(first - log.dropped, first - log.dropped + limit)
        return RewardColumns(
            first,
            log.requests[part],
            log.items[part],
            log.conversations[part],
            log.rewards[part],
            log.stored,
            log.dropped,
        )

    async def verdicts(self) -> list[PostedVerdict]:
        return list(self._state.verdicts)

    async def follow(self, after: int) -> AsyncIterator[Record]:
        for record in await self.records(after, len(self._numbers)):
            yield record
        await asyncio.Event().wait()  # no other one comes

    async def other_servers(self) -> int:
        return 0

    # What would change it

    async def _refuse(self, *_: Any) -> NoReturn:
        raise Forbidden(READ_ONLY)

    poll_dataset = normalise = amend_record = finish_export = _refuse
    set_clock = advance_clock = add_account = change_account = add_fault = remove_faults = _refuse
    put_scenario = publish = add_verdict = add_dataset = force_dataset = end_episode = reset = _refuse
