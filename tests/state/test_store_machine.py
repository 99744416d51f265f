import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from labs_mock.contract.windows import Window
from labs_mock.errors import Conflict, StaleEpoch
from labs_mock.scenario.compiled.datasets import Stage
from labs_mock.state.account import Account
from labs_mock.state.arrival import Arrived
from labs_mock.state.commit import Commit
from labs_mock.state.sums import NormalisationEntry, Sums
from tests.state.samples import (
    ID,
    LIBRARY,
    READY,
    START,
    Make,
    arrival,
    bounds,
    dataset,
    episode,
    initial,
    record,
    token,
    turn,
)

Result = TypeVar("Result")
BOUNDS = bounds(attempts=2, episodes=2, records=3, rewards=2)
QUOTA, POLLS, DAY = 5, 2, 86_400
KEYS = {"lab_one": "acme", "lab_other": "other"}
STATE = initial(
    accounts=tuple(Account.from_key(key, organisation, QUOTA) for key, organisation in KEYS.items()),
    library=LIBRARY._replace(datasets=(dataset(Stage("pending", "", polls=POLLS), READY),)),
)

clients = st.integers(0, 2)
names = st.sampled_from(["a", "b", "c"])
contents = st.sampled_from(["", "x", "yy"])
PARTS = ["episodes", "journal", "attempts", "normalisation", "limits", "datasets", "clock"]


@dataclass
class Reference:
    """What a store has to have, in the plainest form; nothing ever goes but by its bound or a reset."""

    now: float = START
    epoch: int = 0
    attempts: list[tuple[str, bytes, int]] = field(default_factory=list)
    used: dict[tuple[str, int], int] = field(default_factory=dict)
    episodes: dict[str, tuple[float, list[str], str | None]] = field(default_factory=dict)
    records: list[str] = field(default_factory=list)
    rewards: list[tuple[int, float]] = field(default_factory=list)
    logged: list[int] = field(default_factory=list)
    polls: int = 0

    def count(self, key: str, body: bytes) -> int:
        """The attempt of a request, of those that were made last."""
        before = next((number for *name, number in self.attempts if name == [key, body]), 0)
        others = [one for one in self.attempts if one[:2] != (key, body)]
        self.attempts = [*others, (key, body, before + 1)][-BOUNDS.attempts :]
        return before

    def put(self, name: str, touched: float, texts: list[str], ended: str | None) -> None:
        """Store an episode as the one with the newest turn."""
        self.episodes.pop(name, None)
        self.episodes[name] = touched, texts, ended
        while len(self.episodes) > BOUNDS.episodes:
            del self.episodes[next(iter(self.episodes))]

    def log(self, text: str, reward: float) -> int:
        """Log a record and its reward; its number."""
        self.records.append(text)
        self.rewards.append((len(self.records), reward))
        return len(self.records)

    def present(self) -> dict[str, tuple[float, list[str], str | None]]:
        """Episodes that have not expired."""
        return {name: one for name, one in self.episodes.items() if self.now - one[0] < DAY}

    def reset(self, parts: tuple[str, ...]) -> None:
        """Forget parts, or everything."""
        everything = not parts
        chosen = {*(parts or PARTS)}
        if "clock" in chosen:
            self.now = START
            chosen |= {"episodes", "normalisation", "limits", "datasets"}
        self.epoch += everything
        fresh = Reference()
        fields = {
            "episodes": ["episodes"],
            "journal": ["records", "rewards"],
            "attempts": ["attempts"],
            "normalisation": ["logged"],
            "limits": ["used"],
            "datasets": ["polls"],
            "clock": [],
        }
        for part in chosen:
            for name in fields[part]:
                setattr(self, name, getattr(fresh, name))


@dataclass
class Client:
    """What a client has of the store: its last request, the epoch of that, and an episode as it saw it."""

    arrived: Arrived
    epoch: int
    seen: tuple[str, int] | None = None
    last: tuple[Commit, int] | None = None


class StoreMachine(RuleBasedStateMachine):
    """Three clients and a control plane, whose operations come in any order, against a naive reference."""

    make: Make

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.store = type(self).make(STATE, BOUNDS)
        self.reference = Reference()
        self.clients: dict[int, Client] = {}

    def teardown(self) -> None:
        """Close the loop."""
        self.loop.close()

    def run(self, operation: Coroutine[Any, Any, Result]) -> Result:
        """What an operation returns."""
        return self.loop.run_until_complete(operation)

    def refused(self, operation: Coroutine[Any, Any, object], error: type[Exception]) -> None:
        """An operation has to be refused."""
        with pytest.raises(error):
            self.run(operation)

    def commit(self, client: int, conflict: bool, **changes: Any) -> int | None:
        """A client's commit with a record and a reward; its number, None if it was refused, as it must be."""
        one, reference = self.clients[client], self.reference
        text = f"record {len(reference.records)}"
        made = Commit(one.arrived.epoch, token(), record(path=text, rewards=(None, 0.25)), (0, 7), **changes)
        if one.epoch != reference.epoch or conflict:
            self.refused(self.store.commit(made), StaleEpoch if one.epoch != reference.epoch else Conflict)
            return None
        number = self.run(self.store.commit(made))
        assert number == reference.log(text, 0.25)
        one.last = made, number
        return number

    @initialize()
    def begin(self) -> None:
        """Three clients have the same episode before them."""
        for client in range(3):
            self.arrive(client, "lab_one", b"1")
        self.commit(0, conflict=False, created=episode("a", START))
        self.reference.put("a", START, [], None)
        for one in self.clients.values():
            one.seen = "a", 0

    @rule(client=clients, key=st.sampled_from(sorted(KEYS)), body=st.sampled_from([b"1", b"2"]))
    def arrive(self, client: int, key: str, body: bytes) -> None:
        """A request arrives: its attempt and its quota are counted."""
        reference = self.reference
        found = self.run(self.store.arrive(arrival(body, key)))
        minute = int(reference.now) // 60
        used = reference.used.get((key, minute), 0)
        assert (found.now, found.attempt) == (reference.now, reference.count(key, body))
        assert found.quota is not None
        assert (found.quota.allowed, found.quota.remaining) == (used < QUOTA, max(0, QUOTA - used - 1))
        reference.used[key, minute] = min(QUOTA, used + 1)
        before = self.clients.get(client)
        self.clients[client] = Client(found, reference.epoch, None if before is None else before.seen)

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), name=names)
    def create(self, data: st.DataObject, name: str) -> None:
        """A client begins an episode, unless its id is taken."""
        client = data.draw(st.sampled_from(sorted(self.clients)))
        now = self.reference.now
        if self.commit(client, name in self.reference.episodes, created=episode(name, now)) is not None:
            self.clients[client].seen = name, 0
            self.reference.put(name, now, [], None)

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), name=names)
    def load(self, data: st.DataObject, name: str) -> None:
        """A client loads an episode, and keeps what it saw."""
        one, reference = self.clients[data.draw(st.sampled_from(sorted(self.clients)))], self.reference
        operation = self.store.load_episode(one.arrived.epoch, name, reference.now)
        if one.epoch != reference.epoch:
            self.refused(operation, StaleEpoch)
            return
        found, expected = self.run(operation), reference.present().get(name)
        assert (found is None) == (expected is None)
        if found is not None and expected is not None:
            texts = [line.content for line in found.transcript if line.operator]
            assert (found.touched, texts, found.ended, found.turns) == (*expected, len(texts))
            one.seen = name, found.turns

    @precondition(lambda self: any(client.seen for client in self.clients.values()))
    @rule(data=st.data(), content=contents, ends=st.booleans())
    def take_turn(self, data: st.DataObject, content: str, ends: bool) -> None:
        """A client takes a turn on what it saw, which may be long ago."""
        client = data.draw(st.sampled_from([number for number, one in self.clients.items() if one.seen]))
        seen, reference = self.clients[client].seen, self.reference
        assert seen is not None
        name, turns = seen
        known, ended = reference.episodes.get(name), "completed" if ends else None
        conflict = known is None or len(known[1]) != turns or known[2] is not None
        made = turn(name, turns, content, reference.now, ended=ended)
        if self.commit(client, conflict, turn=made) is not None and known is not None:
            self.clients[client].seen = name, turns + 1
            reference.put(name, reference.now, [*known[1], content], ended)

    @precondition(lambda self: any(client.last for client in self.clients.values()))
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """A commit is sent again, since its result was lost: nothing is done twice."""
        one = data.draw(st.sampled_from([one for one in self.clients.values() if one.last]))
        assert one.last is not None
        made, number = one.last
        if one.epoch != self.reference.epoch:
            self.refused(self.store.commit(made), StaleEpoch)
        else:
            assert self.run(self.store.commit(made)) == number

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), units=st.lists(st.integers(0, 10**6), max_size=3))
    def normalise(self, data: st.DataObject, units: list[int]) -> None:
        """A client's rewards are compared with those before its request."""
        one, reference = self.clients[data.draw(st.sampled_from(sorted(self.clients)))], self.reference
        entries = tuple([NormalisationEntry(("a", "b", "c", "d"), value, (Window.parse("2n"),)) for value in units])
        operation = self.store.normalise(one.arrived.epoch, token(), reference.now, entries)
        if one.epoch != reference.epoch:
            self.refused(operation, StaleEpoch)
            return
        last = reference.logged[-2:]
        assert self.run(operation) == ((Sums(len(last), sum(last), sum(value**2 for value in last)),),) * len(units)
        reference.logged += units

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def poll(self, data: st.DataObject) -> None:
        """A client polls the dataset, which gets ready behind so many polls."""
        one, reference = self.clients[data.draw(st.sampled_from(sorted(self.clients)))], self.reference
        operation = self.store.poll_dataset(one.arrived.epoch, ID, reference.now)
        if one.epoch != reference.epoch:
            self.refused(operation, StaleEpoch)
            return
        found = self.run(operation)
        assert found is not None
        assert (found.stage == READY) == (reference.polls >= POLLS)
        reference.polls += 1

    @rule(name=names)
    def end(self, name: str) -> None:
        """The control plane ends an episode."""
        known = self.reference.present().get(name)
        if known is not None and known[2] is not None:
            self.refused(self.store.end_episode(name), Conflict)
            return
        assert (self.run(self.store.end_episode(name)) is None) == (known is None)
        if known is not None:
            self.reference.episodes[name] = known[0], known[1], "client_terminated"

    @rule(seconds=st.sampled_from([1, 59, 60, DAY / 2]))
    def advance(self, seconds: float) -> None:
        """The clock moves."""
        assert self.run(self.store.advance_clock(seconds)) is not None
        self.reference.now += seconds

    @precondition(lambda self: len(self.reference.records) > BOUNDS.records)
    @rule(parts=st.lists(st.sampled_from(PARTS), max_size=1).map(tuple))
    def reset(self, parts: tuple[str, ...]) -> None:
        """Everything or a part begins anew."""
        self.run(self.store.reset(parts))
        self.reference.reset(parts)

    @invariant()
    def lists_are_those_of_the_reference(self) -> None:
        """Episodes by their newest turn, the newest records and rewards, and how many have gone."""
        reference = self.reference
        assert [one.id for one in self.run(self.store.episodes(9))] == [*reference.present()][::-1]
        stored = self.run(self.store.records(0, 9))
        numbered = list(enumerate(reference.records, 1))[-BOUNDS.records :]
        assert [(one.number, one.path) for one in stored] == numbered
        page = self.run(self.store.rewards(0, 9))
        assert list(zip(page.requests, page.rewards, strict=True)) == reference.rewards[-BOUNDS.rewards :]
        assert page.stored + page.dropped == len(reference.rewards)
        assert self.run(self.store.journal_counts()).last == len(reference.records)


def test_interleaved_clients_see_what_a_naive_store_would_show(make: Make) -> None:
    """In any order of operations, over every bound and reset (DET-3, EP-13, EP-15, NORM-2, RL-2, DS-7)."""

    class Machine(StoreMachine):
        pass

    Machine.make = staticmethod(make)
    run_state_machine_as_test(Machine, settings=settings(max_examples=100, stateful_step_count=50))
