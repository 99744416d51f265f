"""The store: everything that a request or the control plane changes, behind one interface in the shape of a request.

A request loads in whole operations, computes with pure functions, and commits with an expectation. What goes in and comes out
is plain data: named tuples and frozen dataclasses of texts, bytes, numbers and tuples, and the frozen models of files, which are
JSON by nature. An operation is atomic; nothing outside may rely on one that does not suspend.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

from labs_mock.clock import Clock
from labs_mock.config.fault_entry import FaultEntry
from labs_mock.contract.findings import Finding
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.state.account import Account
from labs_mock.state.arrival import Arrival, Arrived
from labs_mock.state.commit import Commit
from labs_mock.state.dataset_progress import Poll, StoredDataset
from labs_mock.state.episode import Episode
from labs_mock.state.library_source import LibrarySource, ScenarioSource
from labs_mock.state.planned_fault import PlannedFault
from labs_mock.state.posted_verdict import PostedVerdict
from labs_mock.state.quota import Quota
from labs_mock.state.record import JournalCounts, Record, RewardColumns
from labs_mock.state.sums import NormalisationEntry, Sums

PARTS = "clock", "keys", "limits", "attempts", "episodes", "normalisation", "datasets", "faults", "journal", "rewards"
"""What can be reset, in the order in which it is."""

WITH = {"clock": ("limits", "episodes", "normalisation", "datasets"), "journal": ("rewards",)}
"""Parts that go with others: with the clock what remembers times, with the journal what names requests by their numbers."""


class InitialState(NamedTuple):
    """What a store begins with, and what a reset brings back but for the library. `clock` is a specification for `Clock.parse`."""

    seed: int
    clock: str
    accounts: tuple[Account, ...]
    faults: tuple[FaultEntry, ...]
    library: LibrarySource


class Store(Protocol):
    """All that can be changed.

    One request takes at most three operations: `arrive`, one of the loads, `commit`. Each of the latter raises `StaleEpoch`
    for another epoch than the present one. With the same token, `normalise` and `commit` change nothing again and return what
    they returned first; each remembers its newest tokens (at least `Bounds.tokens`), until a reset of everything. What they refuse is not remembered.

    Everything is bounded (`Bounds`), and an operation costs the same however much there is, but for lists and resets. What a client can
    observe expires by the mock's clock.
    """

    # One request

    async def arrive(self, arrival: Arrival) -> Arrived:
        """Count a request: its attempt, the faults that it matches and triggers, and one of its key's quota.

        Order and attempt are counted for every request; no reset begins the order anew. Faults are matched if it is one of the API. Quota is used only by a valid
        request with a valid account that triggers no fault with a status; one beyond the limit gets a quota that is not
        `allowed` (RL-1, RL-2). Filters by a request's scenarios and items read its body, or its episode's scenario.

        Attempts at so many different requests are remembered (`Bounds.attempts`, DET-3); the request that was not made for
        longest goes first.
        """

    async def load_episode(self, epoch: str, name: str, now: float) -> Episode | None:
        """An episode; None for one that is unknown or expired at a moment in unix seconds (EP-13). Whose it is the caller checks."""

    async def poll_dataset(self, epoch: str, name: str, now: float) -> Poll | None:
        """Poll a dataset by its id in either case, which is counted (DS-5, DS-7); None for one that is unknown."""

    async def normalise(
        self, epoch: str, token: str, now: float, entries: tuple[NormalisationEntry, ...]
    ) -> tuple[tuple[Sums, ...], ...]:
        """For each entry the sums of its log in each of its windows, and then each entry's reward in its log.

        All sums are read before any reward is added (NORM-2). A window has the newest 10,000 rewards of a log at most, and one
        of seconds those that were logged not longer ago. A log's times do not go back: an earlier `now` counts as the latest.
        All logs together take about `Bounds.normalisation` at most; the one to which nothing was added for longest goes first, never the only one.
        """

    async def commit(self, commit: Commit) -> int:
        """Change all that a request changes, or nothing; the number of its record, 0 without one.

        Raises `Conflict` for a turn if the episode has not exactly `expected_turns`, has ended or is not stored, and for a new
        episode whose id is taken, by an expired one too.

        Of episodes, bounded by their number and the characters of their transcripts, never the only one, that without a turn
        for longest goes first. The journal is bounded by its records and their bytes, in bodies, paths, queries and findings:
        where bytes are short, the bodies of the oldest are compressed first, then dropped, but for those up to 4 KiB, and only
        then records go. Of rewards the oldest go first.
        """

    async def amend_record(
        self, epoch: str, token: str, number: int, delivery: tuple[str, ...], findings: tuple[Finding, ...]
    ) -> None:
        """Replace the delivery of the record that a commit has made under a number, and add findings to it.

        It counts as answered at this moment. For a response that is still going out, before what is noted is done, so that
        whoever sees it break off finds it in the journal. A record that is gone, by a reset or by age, stays so.
        """

    async def finish_export(self, epoch: str, name: str, keep_exhausted: int | None) -> None:
        """All rows of a dataset were exported, of which so many passed the keep-filter in no attempt; None where that is not known.

        Nothing happens for a dataset or an epoch that is gone.
        """

    # The control plane: its clock

    async def clock(self) -> Clock:
        """The clock as it is."""

    async def known_clock(self) -> Clock:
        """The clock as this process knows it, without asking any other: never raises `StoreUnavailable`."""

    async def set_clock(self, instant: float | None, mode: str | None) -> Clock | None:
        """Let it run in another mode, show another time, or both; the clock as it then is.

        None for a time in the past: then nothing has changed. Raises `SettingsError` for what is no mode.
        """

    async def advance_clock(self, seconds: float) -> Clock | None:
        """Move it forward; the clock as it then is. None if it ends before: then nothing has changed."""

    # Keys

    async def accounts(self) -> list[Account]:
        """All accounts, in the order in which they were added."""

    async def find_account(self, digest: bytes) -> Account | None:
        """The account of a key by its digest, valid or not."""

    def knows_key(self, digest: bytes) -> bool:
        """Whether there is an account with the digest of a key, valid or not, as this process knows it: without asking any other."""

    async def add_account(self, account: Account) -> bool:
        """Add an account; False if there is one with its key."""

    async def change_account(self, account: Account, expected: Account) -> bool:
        """Replace an account by one with its key; False if the stored one is not what the caller expected (AUTH-1)."""

    async def quotas(self) -> list[Quota]:
        """What each key has left in the present minute, in the order of the accounts; nothing is used by it (RL-1)."""

    # Faults

    async def faults(self) -> list[PlannedFault]:
        """The plan, in the order in which faults were added."""

    async def add_fault(self, entry: FaultEntry) -> PlannedFault:
        """Add a fault, or replace the one with its id, in its place; one without an id gets the next `fault-N` that is free."""

    async def remove_faults(self, name: str | None = None) -> bool:
        """Remove a fault, or all of them; whether there was one, and for all of them always True."""

    # The library

    async def library(self) -> tuple[int, LibrarySource]:
        """The library of now and its revision."""

    async def scenario(self, version: str) -> ScenarioSource | None:
        """A scenario by its version: of the library of now or of an earlier one.

        Of earlier ones those that a dataset is generated from stay, and of the others so many bytes of content
        (`Bounds.scenarios`); the one that was replaced first goes first.
        """

    async def put_scenario(self, scenario: ScenarioSource) -> int:
        """Add a scenario to the library, or replace the one with its slugs; the new revision."""

    async def publish(self, library: LibrarySource) -> int:
        """Replace the library; the new revision. Datasets that have not changed stay as they are (DS-6), and added ones go."""

    # Datasets

    async def datasets(self) -> list[StoredDataset]:
        """All datasets: those of the library in its order, then added ones."""

    async def add_dataset(self, dataset: Dataset) -> StoredDataset | None:
        """Add a dataset, until the next reset or library; None if its id is taken."""

    async def force_dataset(self, name: str, stage: Stage) -> StoredDataset | None:
        """Let a dataset, by its id in either case, stay in a stage until the next change or reset; None for one that is unknown."""

    # Episodes

    async def episodes(self, limit: int, before: str | None = None) -> list[Episode]:
        """Up to so many episodes that have not expired, the one with the newest turn first.

        `before` is the id of one whose newest turn was later than that of all in the list; if it is unknown, the list is empty.
        """

    async def end_episode(self, name: str) -> Episode | None:
        """End an episode on its client's behalf, as `client_terminated` (EP-14); None for one that is unknown or expired.

        It is no turn, and does not keep it from going first. Raises `Conflict` if it has ended.
        """

    # The journal

    async def records(self, after: int, limit: int) -> list[Record]:
        """Up to so many records behind a number, by number."""

    async def journal_counts(self) -> JournalCounts:
        """How many records there are, and how many have gone."""

    async def rewards(self, after: int, limit: int) -> RewardColumns:
        """Up to so many rewards behind a number."""

    async def add_verdict(self, verdict: PostedVerdict) -> None:
        """Add a verdict; of more than `Bounds.verdicts` the oldest goes first, and all of them go with the journal."""

    async def verdicts(self) -> list[PostedVerdict]:
        """All verdicts, in the order in which they were added."""

    def follow(self, after: int) -> AsyncIterator[Record]:
        """The records behind a number, then those that come. It ends when the journal is reset.

        Records that have gone before they could be returned are left out, which their numbers show.
        """

    # All of it

    async def epoch(self) -> str:
        """The present epoch, without counting a request: a full store returns it, too."""

    async def other_servers(self) -> int:
        """How many other servers live that have this state; one that was killed does for 15 seconds more."""

    async def reset(self, parts: tuple[str, ...] = ()) -> list[str]:
        """Those of `PARTS`, or else everything but the library, back to the start; the names of what was reset.

        With some parts go others (`WITH`). A reset of everything begins a new epoch.
        """


def parts_to_reset(parts: tuple[str, ...]) -> list[str]:
    """Those parts and the ones that go with them, all of them for none, in the order of `PARTS`."""
    return [name for name in PARTS if not parts or name in parts or any(name in WITH.get(one, ()) for one in parts)]
