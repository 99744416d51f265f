"""The store in this process' memory: each operation runs to its end without suspending, and so is atomic."""

# ruff: noqa: D102 - what each operation does is written at `Store`

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable

from labs_mock.clock import END, Clock
from labs_mock.config.fault_entry import FaultEntry
from labs_mock.contract.findings import Finding
from labs_mock.errors import StaleEpoch
from labs_mock.ids import fingerprint
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.state.account import Account
from labs_mock.state.arrival import Arrival, Arrived
from labs_mock.state.bounds import Bounds
from labs_mock.state.commit import Commit
from labs_mock.state.dataset_progress import Poll, StoredDataset
from labs_mock.state.episode import Episode
from labs_mock.state.fault_target import FaultTarget
from labs_mock.state.library_source import LibrarySource, ScenarioSource
from labs_mock.state.memory.accounts import Accounts
from labs_mock.state.memory.attempts import Attempts
from labs_mock.state.memory.commit_tokens import Tokens
from labs_mock.state.memory.datasets import Datasets
from labs_mock.state.memory.episodes import Episodes
from labs_mock.state.memory.fault_plan import FaultPlan
from labs_mock.state.memory.journal import Journal
from labs_mock.state.memory.libraries import Libraries
from labs_mock.state.memory.normalisation import NormalisationLogs
from labs_mock.state.memory.quotas import Quotas
from labs_mock.state.memory.rewards import RewardLog
from labs_mock.state.planned_fault import PlannedFault, TriggeredFault
from labs_mock.state.posted_verdict import PostedVerdict
from labs_mock.state.quota import Quota
from labs_mock.state.record import JournalCounts, Record, RewardColumns
from labs_mock.state.store import PARTS, InitialState, parts_to_reset
from labs_mock.state.sums import NormalisationEntry, Sums

PAGE = 500  # records that a follower reads at a time


class MemoryStore:
    """A `Store` of tables, one for each part; what each operation does is written there."""

    def __init__(self, initial: InitialState, bounds: Bounds = Bounds()) -> None:  # noqa: B008 - a tuple, which cannot change
        self._clock = Clock.parse(initial.clock)
        self._accounts = Accounts(initial.accounts)
        self._quotas = Quotas()
        self._attempts = Attempts(bounds.attempts)
        self._episodes = Episodes(bounds.episodes, bounds.characters)
        self._logs = NormalisationLogs(bounds.normalisation)
        self._datasets = Datasets(initial.library.datasets, self._clock.now())
        self._faults = FaultPlan(initial.faults, initial.seed)
        self._journal = Journal(bounds.records, bounds.journal)
        self._rewards = RewardLog(bounds.rewards)
        self._verdicts = deque[PostedVerdict](maxlen=bounds.verdicts)
        self._libraries = Libraries(initial.library, bounds.scenarios)
        self._commits = Tokens[int](bounds.tokens)
        self._normalised = Tokens[tuple[tuple[Sums, ...], ...]](bounds.tokens)
        self._epoch = secrets.token_hex(8)
        self._arrivals = 0
        self._followers: list[Callable[[], object]] = []
        self._resets: dict[str, Callable[[], None]] = {
            "clock": self._restart_clock,
            "keys": self._accounts.reset,
            "limits": self._quotas.reset,
            "attempts": self._attempts.reset,
            "episodes": self._episodes.reset,
            "normalisation": self._logs.reset,
            "datasets": lambda: self._datasets.reset(self._clock.now()),
            "faults": self._faults.reset,
            "journal": self._reset_journal,
            "rewards": self._rewards.reset,
        }

    # One request

    async def arrive(self, arrival: Arrival) -> Arrived:
        method, path, query, body, key, api, valid = arrival
        now = self._clock.now()
        self._arrivals = order = self._arrivals + 1
        account = None if key is None else self._accounts.find_valid(key, now)
        organisation = "" if account is None else account.organisation
        name = fingerprint(organisation, method, f"{path}?{query}" if query else path, body)
        attempt = self._attempts.count(name)
        faults: tuple[TriggeredFault, ...] = ()
        if api and self._faults.by_id:
            target = FaultTarget(arrival, account, name, attempt, lambda episode: self._episodes.get(episode, now))
            faults = self._faults.trigger(target)
        quota = None
        if valid and account is not None and not (faults and _has_error(faults)):
            quota = self._quotas.take(account, now)
        return Arrived(
            self._epoch, self._libraries.revision, self._clock, now, order, account, name, attempt, quota, faults
        )

    async def load_episode(self, epoch: str, name: str, now: float) -> Episode | None:
        self._check(epoch)
        return self._episodes.get(name, now)

    async def poll_dataset(self, epoch: str, name: str, now: float) -> Poll | None:
        self._check(epoch)
        return self._datasets.poll(name, now)

    async def normalise(
        self, epoch: str, token: str, now: float, entries: tuple[NormalisationEntry, ...]
    ) -> tuple[tuple[Sums, ...], ...]:
        self._check(epoch)
        before = self._normalised.get(token)
        if before is not None:
            return before
        return self._normalised.put(token, self._logs.normalise(entries, now))

    async def commit(self, commit: Commit) -> int:
        epoch, token, record, conversations, created, turn = commit
        self._check(epoch)
        before = self._commits.get(token)
        if before is not None:
            return before
        if created is not None or turn is not None:  # which may be refused, and then nothing may have changed
            self._episodes.change(created, turn)
        return self._commits.put(token, 0 if record is None else self._log(record, token, conversations))

    def _log(self, record: Record, token: str, conversations: tuple[int, ...]) -> int:
        number = self._journal.append(record, token, self._arrivals)
        if conversations:
            self._rewards.append(number, record.rewards, conversations)
        if self._followers:
            self._wake()
        return number

    async def amend_record(
        self, epoch: str, token: str, number: int, delivery: tuple[str, ...], findings: tuple[Finding, ...]
    ) -> None:
        if epoch == self._epoch:
            now = self._clock.now()

            def amended(record: Record) -> Record:
                return record._replace(delivery=delivery, findings=record.findings + findings, amended=now)

            self._journal.amend(number, token, self._arrivals, amended)

    async def finish_export(self, epoch: str, name: str, keep_exhausted: int | None) -> None:
        if epoch == self._epoch:
            self._datasets.finish_export(name, keep_exhausted)

    # The control plane: its clock

    async def clock(self) -> Clock:
        return self._clock

    async def known_clock(self) -> Clock:
        return self._clock

    async def set_clock(self, instant: float | None, mode: str | None) -> Clock | None:
        clock = self._clock
        ahead = 0.0 if instant is None else instant - clock.now()
        if ahead < 0:
            return None
        if mode is not None:
            clock = clock.running(mode)
        self._clock = clock.advanced(ahead)
        return self._clock

    async def advance_clock(self, seconds: float) -> Clock | None:
        if seconds > END - self._clock.now():
            return None
        self._clock = self._clock.advanced(seconds)
        return self._clock

    # Keys

    async def accounts(self) -> list[Account]:
        return self._accounts.all()

    async def find_account(self, digest: bytes) -> Account | None:
        return self._accounts.get(digest)

    def knows_key(self, digest: bytes) -> bool:
        return self._accounts.get(digest) is not None

    async def add_account(self, account: Account) -> bool:
        return self._accounts.add(account)

    async def change_account(self, account: Account, expected: Account) -> bool:
        return self._accounts.change(account, expected)

    async def quotas(self) -> list[Quota]:
        now = self._clock.now()
        return [self._quotas.left(account, now) for account in self._accounts.all()]

    # Faults

    async def faults(self) -> list[PlannedFault]:
        return self._faults.all()

    async def add_fault(self, entry: FaultEntry) -> PlannedFault:
        return self._faults.add(entry)

    async def remove_faults(self, name: str | None = None) -> bool:
        return self._faults.remove(name)

    # The library

    async def library(self) -> tuple[int, LibrarySource]:
        return self._libraries.revision, self._libraries.source

    async def scenario(self, version: str) -> ScenarioSource | None:
        return self._libraries.scenario(version)

    async def put_scenario(self, scenario: ScenarioSource) -> int:
        revision = self._libraries.publish(self._libraries.source.with_scenario(scenario))
        self._libraries.forget_all_but(self._datasets.versions)
        return revision

    async def publish(self, library: LibrarySource) -> int:
        revision = self._libraries.publish(library)
        self._datasets.publish(library.datasets, self._clock.now())
        self._libraries.forget_all_but(self._datasets.versions)
        return revision

    # Datasets

    async def datasets(self) -> list[StoredDataset]:
        return self._datasets.all(self._clock.now())

    async def add_dataset(self, dataset: Dataset) -> StoredDataset | None:
        state = self._datasets.add(dataset, self._clock.now())
        self._libraries.forget_all_but(self._datasets.versions)
        return state

    async def force_dataset(self, name: str, stage: Stage) -> StoredDataset | None:
        return self._datasets.force(name, stage, self._clock.now())

    # Episodes

    async def episodes(self, limit: int, before: str | None = None) -> list[Episode]:
        return self._episodes.page(limit, before, self._clock.now())

    async def end_episode(self, name: str) -> Episode | None:
        return self._episodes.end(name, "client_terminated", self._clock.now())

    # The journal

    async def records(self, after: int, limit: int) -> list[Record]:
        return self._journal.page(after, limit)

    async def journal_counts(self) -> JournalCounts:
        return self._journal.counts

    async def rewards(self, after: int, limit: int) -> RewardColumns:
        return self._rewards.page(after, limit)

    async def add_verdict(self, verdict: PostedVerdict) -> None:
        self._verdicts.append(verdict)

    async def verdicts(self) -> list[PostedVerdict]:
        return list(self._verdicts)

    async def follow(self, after: int) -> AsyncIterator[Record]:
        generation, woken = self._journal.generation, asyncio.Event()
        loop = asyncio.get_running_loop()

        def wake() -> None:  # a commit may come from another thread
            loop.call_soon_threadsafe(woken.set)

        self._followers.append(wake)
        try:
            while True:
                woken.clear()
                for record in self._journal.page(after, PAGE):
                    if self._journal.generation != generation:
                        return
                    yield record
                    after = record.number
                    woken.set()
                if self._journal.generation != generation:
                    return
                await woken.wait()
        finally:
            self._followers.remove(wake)

    # All of it

    async def epoch(self) -> str:
        return self._epoch

    async def other_servers(self) -> int:
        return 0

    async def reset(self, parts: tuple[str, ...] = ()) -> list[str]:
        names = parts_to_reset(parts)
        for name in names:
            self._resets[name]()
        if len(names) == len(PARTS):
            self._commits.reset()
            self._normalised.reset()
            self._epoch = secrets.token_hex(8)
        self._wake()
        return names

    def _check(self, epoch: str) -> None:
        if epoch != self._epoch:
            raise StaleEpoch("there was a reset of everything since the request arrived")

    def _reset_journal(self) -> None:
        self._journal.reset()
        self._verdicts.clear()

    def _restart_clock(self) -> None:
        self._clock = self._clock.restarted()

    def _wake(self) -> None:
        for wake in list(self._followers):
            wake()


def _has_error(faults: tuple[TriggeredFault, ...]) -> bool:
    return any(fault.entry.status is not None for fault in faults)
