"""The store of a test's world, which notes the refusals that nothing asked for, and the faults that were applied."""

# ruff: noqa: D102 - what each operation does is written at `Store`

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from labs_mock.clock import Clock
from labs_mock.config.fault_entry import FaultEntry
from labs_mock.contract.findings import Finding
from labs_mock.errors import StaleEpoch
from labs_mock.http.sending import BROKEN
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.state.account import Account, key_digest
from labs_mock.state.arrival import Arrival, Arrived
from labs_mock.state.commit import Commit
from labs_mock.state.dataset_progress import StoredDataset
from labs_mock.state.episode import Episode
from labs_mock.state.planned_fault import PlannedFault
from labs_mock.state.record import Record
from labs_mock.state.store import Store
from labs_mock.testing.asked_for import ASKED_FOR, Refused, Writes, digests_of, episode_in

MAX_REFUSALS = 10_000  # that are kept; of the others only their number
MAX_EPISODES = 100_000  # of which it is known that there were such


@dataclass(slots=True)
class AddedFault:
    """A fault that was added, and whether it was applied to a request since."""

    fault: PlannedFault
    applied: bool = False


class WatchedStore:
    """Another store as one test uses it, with the test's key, whose plan may be its own. What is not here is as in the other one.

    `refusals` are the records of requests with an error status or a broken response that nothing had asked for when they were
    made, without their bodies but for the response of those. They go with the journal, and `more` counts those beyond the
    first 10,000. `added_faults` are all that were added, in their order, also those that are no longer in the plan.
    """

    def __init__(self, store: Store, *, key: str, own_plan: bool) -> None:
        self._store = store
        self._keys = {key_digest(key.encode())}
        self.writes = Writes(limits=set(self._keys) if own_plan else set())
        self.refusals: list[Record] = []
        self.more = 0
        self.added_faults: list[AddedFault] = []
        self._planned: dict[str, AddedFault] = {}
        self._statuses: dict[str, int | None] = {}
        self._created: OrderedDict[str, None] = OrderedDict()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    # One request

    async def arrive(self, arrival: Arrival) -> Arrived:
        arrived = await self._store.arrive(arrival)
        for fault in arrived.faults:
            self._statuses[fault.id] = fault.entry.status
            if fault.id in self._planned:
                self._planned[fault.id].applied = True
        return arrived

    async def commit(self, commit: Commit) -> int:
        number = await self._store.commit(commit)
        if commit.created is not None:
            self._created[commit.created.id] = None
            if len(self._created) > MAX_EPISODES:
                self._created.popitem(last=False)
        record = commit.record
        if record is not None and record.status >= 400 and not await self._asked_for(record, commit.epoch):
            self._refuse(record._replace(number=number, request=None))
        return number

    async def amend_record(
        self, epoch: str, token: str, number: int, delivery: tuple[str, ...], findings: tuple[Finding, ...]
    ) -> None:
        await self._store.amend_record(epoch, token, number, delivery, findings)
        if any(note.startswith(BROKEN) for note in delivery):
            for record in await self._store.records(number - 1, 1):
                if record.number == number:
                    self._refuse(record._replace(request=None))

    async def _asked_for(self, record: Record, epoch: str) -> bool:
        """Whether a refusal was asked for, or is none of this test's business."""
        if any(self._statuses.get(name) == record.status for name in record.faults):
            return True
        digests = digests_of(record)
        if record.key is not None and digests.isdisjoint(self._keys):
            return True
        is_asked_for = ASKED_FOR.get(record.status)
        if is_asked_for is None:
            return False
        name, episode = episode_in(record.path), None
        with suppress(StaleEpoch):  # then a reset has removed it
            episode = await self._store.load_episode(epoch, name, record.received)
        accounts = {digest: await self._store.find_account(digest) for digest in digests}
        return is_asked_for(Refused(record, accounts, episode, name in self._created), self.writes)

    def _refuse(self, record: Record) -> None:
        if len(self.refusals) < MAX_REFUSALS:
            self.refusals.append(record)
        else:
            self.more += 1

    # The control plane

    async def set_clock(self, instant: float | None, mode: str | None) -> Clock | None:
        clock = await self._store.set_clock(instant, mode)
        self.writes.clock |= clock is not None
        return clock

    async def advance_clock(self, seconds: float) -> Clock | None:
        clock = await self._store.advance_clock(seconds)
        self.writes.clock |= clock is not None
        return clock

    async def sleep_until(self, instant: float) -> None:
        """Move the clock to where a sleep of the test ends, unless it is there: nobody writes to it, a client waits."""
        await self._store.set_clock(instant, None)

    async def add_account(self, account: Account) -> bool:
        added = await self._store.add_account(account)
        if added:
            self._keys.add(account.key_digest)
            self.writes.keys.add(account.key_digest)
            self.writes.limits.add(account.key_digest)
        return added

    async def change_account(self, account: Account, expected: Account) -> bool:
        changed = await self._store.change_account(account, expected)
        if changed:
            self.writes.keys.add(account.key_digest)
            if account.requests_per_minute != expected.requests_per_minute:
                self.writes.limits.add(account.key_digest)
        return changed

    async def add_dataset(self, dataset: Dataset) -> StoredDataset | None:
        return self._own(await self._store.add_dataset(dataset))

    async def force_dataset(self, name: str, stage: Stage) -> StoredDataset | None:
        return self._own(await self._store.force_dataset(name, stage))

    def _own(self, stored: StoredDataset | None) -> StoredDataset | None:
        if stored is not None:
            self.writes.datasets.add(stored.dataset.id.lower())
        return stored

    async def end_episode(self, name: str) -> Episode | None:
        episode = await self._store.end_episode(name)
        if episode is not None:
            self.writes.ended.add(name)
        return episode

    async def add_fault(self, entry: FaultEntry) -> PlannedFault:
        fault = await self._store.add_fault(entry)
        self._planned[fault.id] = AddedFault(fault)
        self.added_faults.append(self._planned[fault.id])
        return fault

    async def remove_faults(self, name: str | None = None) -> bool:
        for removed in [name] if name is not None else list(self._planned):
            self._planned.pop(removed, None)
        return await self._store.remove_faults(name)

    async def matched(self, added: AddedFault) -> int | None:
        """How many requests a fault matched; None if it is no longer in the plan."""
        if self._planned.get(added.fault.id) is not added:
            return None
        return next((one.matched for one in await self._store.faults() if one.id == added.fault.id), None)

    async def reset(self, parts: tuple[str, ...] = ()) -> list[str]:
        names = await self._store.reset(parts)
        if "journal" in names:
            self.refusals.clear()
            self.more = 0
        if "faults" in names:
            self._planned.clear()
        if "episodes" in names:
            self.writes.forgotten.update(self._created)
        if "keys" in names:
            self.writes.keys |= self._keys
        if "clock" in names:
            self.writes.clock = True
        return names
