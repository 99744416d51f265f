"""The store in Redis: what the process knows goes into a script, which does the whole operation."""

# ruff: noqa: D102 - what each operation does is written at `Store`

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from secrets import token_hex
from typing import Any

from redis.exceptions import ResponseError

from labs_mock.clock import END, Clock
from labs_mock.config.fault_entry import FaultEntry
from labs_mock.contract.findings import Finding
from labs_mock.contract.limits import EPISODE_LIFETIME
from labs_mock.errors import SettingsError, StartError, StoreUnavailable
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.state.account import Account
from labs_mock.state.arrival import Arrival, Arrived
from labs_mock.state.bounds import Bounds
from labs_mock.state.commit import Commit
from labs_mock.state.dataset_progress import Poll, StoredDataset
from labs_mock.state.episode import Episode
from labs_mock.state.library_source import LibrarySource, ScenarioSource
from labs_mock.state.planned_fault import PlannedFault
from labs_mock.state.posted_verdict import PostedVerdict
from labs_mock.state.quota import Quota, left
from labs_mock.state.record import JournalCounts, Record, RewardColumns
from labs_mock.state.redis.arrivals import Arrivals
from labs_mock.state.redis.connection import Pipe, connection_of
from labs_mock.state.redis.connection_failures import start_error
from labs_mock.state.redis.control_document import ControlDocument
from labs_mock.state.redis.control_plane import ControlChange, ControlPlane
from labs_mock.state.redis.fault_plan import StoredFaultPlan
from labs_mock.state.redis.journal import RedisJournal
from labs_mock.state.redis.lease import Lease
from labs_mock.state.redis.namespace import FORMAT, KEYS, MADE, check_same, contents_of, made_with
from labs_mock.state.redis.packing import (
    pack,
    unpack,
    unpack_episode,
    unpack_rewards,
)
from labs_mock.state.redis.script_words import amend_words, commit_words, normalise_words
from labs_mock.state.redis.scripts import DEADLINE, Operations, done
from labs_mock.state.redis.shelf import Shelf
from labs_mock.state.redis.stored_library import StoredLibrary
from labs_mock.state.store import InitialState, parts_to_reset
from labs_mock.state.sums import UNIT, NormalisationEntry, Sums

LARGE = 256 * 1024  # bytes of bodies, to compress which takes milliseconds
WEEK = 7 * 24 * 60 * 60


class RedisStore:
    """A `Store` whose state is in a namespace of a Redis server; what each operation does is written there.

    `open` makes one. It belongs to the event loop in which it was opened. Every operation raises `StoreUnavailable` if Redis does
    not answer within 1.5 s of real time, or is full. `operations` counts the scripts that were run, but for those that renew the lease.
    """

    def __init__(
        self, pipes: tuple[Pipe, Pipe], name: str, initial: InitialState, bounds: Bounds, lifetime: int, *, server: str
    ) -> None:
        tag = f"{{{name}}}:"
        self._pipe, following = pipes
        self._bounds, self._initial, self._name = bounds, initial, name
        self.operations = Operations(self._pipe, f"{tag}meta", lifetime)
        self._plane = ControlPlane(self.operations, initial, bounds, lifetime)
        self._arrivals = Arrivals(self.operations, self._plane, bounds, initial.seed)
        self._faults = StoredFaultPlan(self.operations, self._plane)
        self._uncounted = Operations(self._pipe, f"{tag}meta", lifetime)
        self._lease = Lease(self._uncounted, server)
        self._library = StoredLibrary(self.operations, self._plane, bounds)
        self._journal = RedisJournal(self.operations, following, f"{tag}journal")

    @classmethod
    async def open(
        cls,
        url: str,
        name: str,
        initial: InitialState,
        bounds: Bounds = Bounds(),  # noqa: B008 - a tuple, which cannot change
        *,
        password: str | None = None,
        ca: str | None = None,
        lifetime: int = WEEK,
        server: str = "",
        checked: bool = False,
    ) -> "RedisStore":
        """The store in a namespace, which is made with `initial` if it is new; it goes `lifetime` seconds of real time after its last use.

        Raises `SettingsError` for an address, a name or a file of certificates that cannot be used, `StartError` if Redis does not answer
        or refuses, for a namespace in which a server of another data format lives, and if it was made with another initial
        state, naming the first difference. The processes of a `server` have one name for it (default: another one each time); where one of them has
        `checked` the namespace, and keeps the lease, the others ask for nothing before their first operation.
        """
        if not name or "{" in name or "}" in name:
            raise SettingsError("state_name: expected a name without braces")
        connect = partial(connection_of, url, password, ca, DEADLINE)
        connect()  # raises what is wrong with the address
        store = cls((Pipe(connect), Pipe(connect)), name, initial, bounds, lifetime, server=server or token_hex(8))
        try:
            if not checked:
                await store._check_namespace()
            store._plane.opened = True
        except BaseException as error:
            await store.close()
            if isinstance(error, StoreUnavailable | ResponseError):
                raise start_error(url, store._pipe.failure or error) from None
            raise
        return store

    async def close(self) -> None:
        """End the connections; the state stays."""
        await self._journal.close()
        await self._lease.close()
        await self._pipe.close()

    async def drop(self) -> None:
        """Remove all of the namespace. Nothing comes after it: every other operation raises `StoreUnavailable` from now on."""
        self.operations.end()
        try:
            await self._uncounted.run("drop", "", *KEYS, again=True)
        finally:
            self._uncounted.end()

    async def _check_namespace(self) -> None:
        _, found = await self.operations.run("read", "HGET", "meta", "format", again=True)
        if found is not None and int(found) != FORMAT:
            await self._replace_format(int(found))
        await self._plane.fresh()
        _, made = await self.operations.run("read", "GET", "initial", again=True)
        own = made_with(self._initial)
        stored = own if made is None else MADE.validate_json(made)
        if stored != own:
            _, library = await self._library.library()
            check_same(self._name, stored, own, contents_of(library))
        await self._lease.begin()

    async def _replace_format(self, found: int) -> None:
        """Remove data of another format, unless a server lives that uses it."""
        _, lease = await self.operations.run("read", "GET", "lease", again=True)
        if lease is not None:
            raise StartError(
                f"state: a server that is running has data of format {found} in the namespace {self._name!r}, and this version "
                f"of labs-mock has {FORMAT}: stop that one, or give another state name"
            )
        await self.operations.run("drop", "", *KEYS, again=True)

    # One request

    async def arrive(self, arrival: Arrival) -> Arrived:
        return await self._arrivals.count(arrival)

    async def load_episode(self, epoch: str, name: str, now: float) -> Episode | None:
        reply = await self.operations.run("load_episode", epoch, name, repr(now), EPISODE_LIFETIME, again=True)
        found = done(reply)
        return None if found is None else unpack_episode(found)

    async def poll_dataset(self, epoch: str, name: str, now: float) -> Poll | None:
        return await self._library.poll(epoch, name, now)

    async def normalise(
        self, epoch: str, token: str, now: float, entries: tuple[NormalisationEntry, ...]
    ) -> tuple[tuple[Sums, ...], ...]:
        words = normalise_words(entries, self._bounds)
        found = done(await self.operations.run("normalise", epoch, token, repr(now), *words, again=True))
        return tuple(
            [tuple([Sums(number, total, UNIT * high + low) for number, total, high, low in one]) for one in found]
        )

    async def commit(self, commit: Commit) -> int:
        record = commit.record
        if record is not None and len(record.request or b"") + len(record.response or b"") > LARGE:
            words = await asyncio.to_thread(commit_words, commit, self._bounds)  # which compresses both
        else:
            words = commit_words(commit, self._bounds)
        reply = await self.operations.run("commit", *words, again=True)
        number: int = done(reply)
        self._journal.wake()
        return number

    async def amend_record(
        self, epoch: str, token: str, number: int, delivery: tuple[str, ...], findings: tuple[Finding, ...]
    ) -> None:
        now = (await self._plane.known()).document.clock.now()
        words = amend_words(delivery, findings)
        await self.operations.run("amend", epoch, token, number, repr(now), *words, again=False)

    async def finish_export(self, epoch: str, name: str, keep_exhausted: int | None) -> None:
        await self._library.finish_export(epoch, name, keep_exhausted)

    # The control plane: its clock

    async def clock(self) -> Clock:
        return (await self._plane.fresh()).document.clock

    async def known_clock(self) -> Clock:
        known = self._plane.control
        return Clock.parse(self._initial.clock) if known is None else known.document.clock

    async def set_clock(self, instant: float | None, mode: str | None) -> Clock | None:
        def make(document: ControlDocument, shelf: Shelf) -> ControlChange | None:
            clock = document.clock
            ahead = 0.0 if instant is None else instant - clock.now()
            if ahead < 0:
                return None
            clock = (clock if mode is None else clock.running(mode)).advanced(ahead)
            return ControlChange(document._replace(clock=clock), shelf)

        return await self._changed_clock(make)

    async def advance_clock(self, seconds: float) -> Clock | None:
        def make(document: ControlDocument, shelf: Shelf) -> ControlChange | None:
            if seconds > END - document.clock.now():
                return None
            return ControlChange(document._replace(clock=document.clock.advanced(seconds)), shelf)

        return await self._changed_clock(make)

    async def _changed_clock(self, make: Any) -> Clock | None:
        made = await self._plane.change(make)
        return None if made is None else made.document.clock

    # Keys

    async def accounts(self) -> list[Account]:
        return list((await self._plane.fresh()).document.accounts)

    async def find_account(self, digest: bytes) -> Account | None:
        return (await self._plane.fresh()).accounts.get(digest)

    def knows_key(self, digest: bytes) -> bool:
        return self._plane.control is not None and digest in self._plane.control.accounts

    async def add_account(self, account: Account) -> bool:
        def make(document: ControlDocument, shelf: Shelf) -> ControlChange | None:
            if document.account(account.key_digest) is not None:
                return None
            return ControlChange(document._replace(accounts=(*document.accounts, account)), shelf)

        return await self._plane.change(make) is not None

    async def change_account(self, account: Account, expected: Account) -> bool:
        def make(document: ControlDocument, shelf: Shelf) -> ControlChange | None:
            if document.account(account.key_digest) != expected:
                return None
            changed = tuple([account if one == expected else one for one in document.accounts])
            return ControlChange(document._replace(accounts=changed), shelf)

        return await self._plane.change(make) is not None

    async def quotas(self) -> list[Quota]:
        document = (await self._plane.fresh()).document
        now, accounts = document.clock.now(), document.accounts
        if not accounts:
            return []
        digests = [one.key_digest for one in accounts]
        _, found = await self.operations.run("read", "HMGET", "quotas", *digests, again=True)
        used = [(one or b"-1:0").split(b":") for one in found]
        return [left(account, int(one[0]), int(one[1]), now) for account, one in zip(accounts, used, strict=True)]

    # Faults

    async def faults(self) -> list[PlannedFault]:
        return await self._faults.all()

    async def add_fault(self, entry: FaultEntry) -> PlannedFault:
        return await self._faults.add(entry)

    async def remove_faults(self, name: str | None = None) -> bool:
        return await self._faults.remove(name)

    # The library

    async def library(self) -> tuple[int, LibrarySource]:
        return await self._library.library()

    async def scenario(self, version: str) -> ScenarioSource | None:
        return await self._library.scenario(version)

    async def put_scenario(self, scenario: ScenarioSource) -> int:
        return await self._library.put_scenario(scenario)

    async def publish(self, library: LibrarySource) -> int:
        return await self._library.publish(library)

    # Datasets

    async def datasets(self) -> list[StoredDataset]:
        return await self._library.datasets()

    async def add_dataset(self, dataset: Dataset) -> StoredDataset | None:
        return await self._library.add(dataset)

    async def force_dataset(self, name: str, stage: Stage) -> StoredDataset | None:
        return await self._library.force(name, stage)

    # Episodes

    async def episodes(self, limit: int, before: str | None = None) -> list[Episode]:
        now = (await self._plane.fresh()).document.clock.now()
        reply = await self.operations.run("list_episodes", limit, before or "", repr(now), EPISODE_LIFETIME, again=True)
        return [unpack_episode(one) for one in done(reply)]

    async def end_episode(self, name: str) -> Episode | None:
        now = (await self._plane.fresh()).document.clock.now()
        reply = await self.operations.run(
            "end_episode", name, "client_terminated", repr(now), EPISODE_LIFETIME, again=False
        )
        found = done(reply, f"episode {name}: ")
        return None if found is None else unpack_episode(found)

    # The journal

    async def records(self, after: int, limit: int) -> list[Record]:
        return await self._journal.records(after, limit)

    async def journal_counts(self) -> JournalCounts:
        return await self._journal.counts()

    async def rewards(self, after: int, limit: int) -> RewardColumns:
        bound = self._bounds.rewards
        _, total, first, one, other = await self.operations.run("rewards", after, limit, bound, again=True)
        stored = min(total, bound)
        return unpack_rewards(first, one + other, stored, total - stored)

    async def add_verdict(self, verdict: PostedVerdict) -> None:
        await self.operations.run("add_verdict", pack(tuple(verdict)), self._bounds.verdicts, again=False)

    async def verdicts(self) -> list[PostedVerdict]:
        _, found = await self.operations.run("read", "LRANGE", "verdicts", 0, -1, again=True)
        return [PostedVerdict(*unpack(one)) for one in found]

    def follow(self, after: int) -> AsyncIterator[Record]:
        return self._journal.follow(after)

    # All of it

    async def epoch(self) -> str:
        return (await self._plane.fresh()).document.epoch

    async def other_servers(self) -> int:
        return max(0, await self._lease.renew() - 1)

    async def reset(self, parts: tuple[str, ...] = ()) -> list[str]:
        names = parts_to_reset(parts)
        await self._plane.reset(names)
        self._journal.wake()
        return names
