"""Plain data for the tests of stores: requests, records, episodes, datasets, and stores with them."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, TypeVar

from labs_mock.config.fault_entry import FaultEntry
from labs_mock.engine.transcript import TranscriptLine
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.state.account import Account, key_digest
from labs_mock.state.arrival import Arrival, Arrived
from labs_mock.state.bounds import Bounds
from labs_mock.state.commit import Commit
from labs_mock.state.episode import AppendedTurn, Episode
from labs_mock.state.library_source import CollectionSource, LibrarySource, ScenarioSource
from labs_mock.state.record import Record
from labs_mock.state.store import InitialState, Store

Result = TypeVar("Result")
Make = Callable[..., Store]
"""Makes a store, of `initial()` and no other bounds than the usual ones if nothing else is named."""

START = 1_767_225_600.0  # where a frozen clock stands, in unix seconds
ID = "3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d"
READY = Stage("ready", "Ready to export", row_count=2)
ONE, OTHER = Account.from_key("lab_one", "acme"), Account.from_key("lab_other", "other")
LIBRARY = LibrarySource(
    (CollectionSource("coaching", "Coaching", "About it."),), (ScenarioSource("coaching", "weekly", "v1", b"{}"),)
)
EMPTY = Record(0.0, "GET", "", "", None, None, (), "", 0, b"", 200, b"", 0, (), (), (), 0, 0, None, None)
_tokens = count()


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """What a coroutine returns, in a loop of its own."""
    return asyncio.run(coroutine)


def initial(*faults: FaultEntry, **changes: Any) -> InitialState:
    """What a store begins with: two accounts, one scenario, and a frozen clock."""
    return InitialState(0, "frozen", (ONE, OTHER), faults, LIBRARY)._replace(**changes)


def token() -> str:
    """Another one each time."""
    return f"token-{next(_tokens)}"


def arrival(body: bytes = b"", key: str | None = "lab_one", **changes: Any) -> Arrival:
    """A valid request for an evaluation."""
    digest = None if key is None else key_digest(key.encode("latin-1"))
    return Arrival("POST", "/api/v1/evaluate", "", body, digest, api=True, valid=True)._replace(**changes)


def dataset(*stages: Stage, name: str = ID) -> Dataset:
    """A dataset of two lines in some stages, or ready."""
    return Dataset(name, "check-ins", "Check-ins", stages or (READY,), (b'{"row":0}\n', b'{"row":1}\n'))


def record(**fields: Any) -> Record:
    """A record that is empty but for some fields."""
    return EMPTY._replace(**fields)


def episode(name: str, now: float = START, **fields: Any) -> Episode:
    """An episode in which nothing but the opening was heard."""
    opening = (TranscriptLine("Hello.", operator=False),)
    return Episode(name, name, "acme", "coaching", "weekly", "v1", False, opening, 0, None, now)._replace(**fields)


def turn(name: str, expected: int, content: str = "", now: float = START, **fields: Any) -> AppendedTurn:
    """A turn for an episode with so many of them."""
    lines = TranscriptLine(content, operator=True), TranscriptLine("I see.", operator=False)
    return AppendedTurn(name, expected, lines, None, now)._replace(**fields)


async def arrived(store: Store) -> Arrived:
    """A request that has arrived."""
    return await store.arrive(arrival())


async def commit(store: Store, **changes: Any) -> int:
    """A commit in the present epoch, with a token of its own if none is named."""
    epoch = changes.pop("epoch", None) or (await arrived(store)).epoch
    return await store.commit(Commit(epoch, changes.pop("token", None) or token(), **changes))


async def numbers(store: Store) -> list[int]:
    """The numbers of all records."""
    return [one.number for one in await store.records(0, 1_000_000)]


def bounds(**changes: int) -> Bounds:
    """The usual ones, but for some."""
    return Bounds()._replace(**changes)
