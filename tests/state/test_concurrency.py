import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from labs_mock.config.fault_entry import FaultEntry
from labs_mock.contract.windows import Window
from labs_mock.errors import Conflict, StaleEpoch
from labs_mock.scenario.compiled.datasets import Stage
from labs_mock.state.account import Account
from labs_mock.state.commit import Commit
from labs_mock.state.store import Store
from labs_mock.state.sums import NormalisationEntry
from tests.state.samples import (
    ID,
    LIBRARY,
    READY,
    START,
    Make,
    arrival,
    arrived,
    commit,
    dataset,
    episode,
    initial,
    record,
    run,
    token,
    turn,
)

Result = TypeVar("Result")
TASKS = 64


async def at_once(work: Callable[[int], Coroutine[Any, Any, Result]]) -> list[Result]:
    """What 64 tasks return that run at once."""
    return await asyncio.gather(*[work(number) for number in range(TASKS)])


async def take_turn(store: Store, epoch: str, content: str) -> int:
    """Take a turn at an episode, however often another one was faster; which turn it is."""
    while True:
        seen = await store.load_episode(epoch, "a", START)
        assert seen is not None
        try:
            await store.commit(Commit(epoch, token(), record(turn=seen.turns + 1), turn=turn("a", seen.turns, content)))
        except Conflict:
            continue
        return seen.turns + 1


def test_every_acknowledged_turn_is_there_once(make: Make) -> None:
    """64 clients at one episode: turns 1 to 64, each with its text, and one record each (EP-15)."""

    async def check() -> None:
        store = make()
        await commit(store, created=episode("a"))
        epoch = (await arrived(store)).epoch
        turns = await at_once(lambda number: take_turn(store, epoch, f"{number}"))
        assert sorted(turns) == list(range(1, TASKS + 1))
        (found,) = await store.episodes(9)
        texts = [line.content for line in found.transcript if line.operator]
        assert [texts[number - 1] for number in turns] == [f"{number}" for number in range(TASKS)]
        assert [one.turn for one in await store.records(0, TASKS + 1)] == list(range(1, TASKS + 1))

    run(check())


def test_one_of_many_gets_an_id(make: Make) -> None:
    """The others are refused, and nothing of them is logged (DET-3)."""

    async def check() -> None:
        store = make()

        async def create(_: int) -> int | None:
            try:
                return await commit(store, created=episode("a"), record=record())
            except Conflict:
                return None

        assert [one for one in await at_once(create) if one is not None] == [1]
        assert (await store.journal_counts()).stored == 1

    run(check())


def test_attempts_and_quotas_are_counted_once(make: Make) -> None:
    """64 equal requests are the attempts 0 to 63, and of 40 in a minute 40 are allowed (DET-3, RL-2)."""

    async def check() -> None:
        store = make(initial(accounts=(Account.from_key("lab_one", requests_per_minute=40),)))
        found = await at_once(lambda _: store.arrive(arrival()))
        assert sorted(one.attempt for one in found) == list(range(TASKS))
        quotas = [one.quota for one in found if one.quota is not None]
        assert sorted(quota.remaining for quota in quotas if quota.allowed) == list(range(40))
        assert sum(not quota.allowed for quota in quotas) == TASKS - 40

    run(check())


def test_faults_are_counted_once(make: Make) -> None:
    """Every third of 64 requests triggers its fault, and one of them is the fifth (section 7)."""

    async def check() -> None:
        faults = [FaultEntry.model_validate({"delay": 1, **when}) for when in ({"every": 3}, {"nth": 5})]
        store = make(initial(*faults))
        found = await at_once(lambda number: store.arrive(arrival(b"%d" % number)))
        triggered = [fault.id for one in found for fault in one.faults]
        assert (triggered.count("fault-1"), triggered.count("fault-2")) == (TASKS // 3, 1)
        assert [(one.matched, one.applied) for one in await store.faults()] == [(TASKS, TASKS // 3), (TASKS, 1)]

    run(check())


def test_each_reward_is_normalised_against_those_before_it(make: Make) -> None:
    """Of 64 rewards at once each sees another number of earlier ones, in both entries of its batch the same (NORM-2)."""

    async def check() -> None:
        store = make()
        epoch = (await arrived(store)).epoch
        entry = NormalisationEntry(("acme", "a", "coaching", "weekly"), 1, (Window.parse("200n"),))
        found = await at_once(lambda _: store.normalise(epoch, token(), START, (entry, entry)))
        assert all(one == other for (one,), (other,) in found)
        assert sorted(one.number for (one,), _ in found) == list(range(0, 2 * TASKS, 2))

    run(check())


def test_polls_are_counted_once(make: Make) -> None:
    """A stage of forty polls is seen by forty of 64 (DS-7)."""

    async def check() -> None:
        store = make(initial(library=LIBRARY._replace(datasets=(dataset(Stage("pending", "", polls=40), READY),))))
        epoch = (await arrived(store)).epoch
        polls = await at_once(lambda _: store.poll_dataset(epoch, ID, START))
        assert sorted(poll.stage.status for poll in polls if poll is not None) == ["pending"] * 40 + ["ready"] * 24

    run(check())


def test_keys_are_changed_one_after_the_other(make: Make) -> None:
    """Each change is made of what the one before it left, so that none is lost (AUTH-1)."""

    async def check() -> None:
        store = make()
        (one, *_) = await store.accounts()

        async def change(_: int) -> None:
            while True:
                before = await store.find_account(one.key_digest)
                assert before is not None
                after = Account.from_key("lab_one", requests_per_minute=before.requests_per_minute + 1)
                if await store.change_account(after, before):
                    return

        await at_once(change)
        (changed, *_) = await store.accounts()
        assert changed.requests_per_minute == one.requests_per_minute + TASKS

    run(check())


def test_a_reset_among_requests_leaves_no_half_of_one(make: Make) -> None:
    """What is acknowledged in the new epoch is there, and nothing of the old one (EP-15)."""

    async def check() -> None:
        store = make()

        async def request(number: int) -> tuple[str, int] | None:
            if number == TASKS // 2:
                await store.reset()
                return None
            found = await store.arrive(arrival(b"%d" % number))
            try:
                made = Commit(found.epoch, token(), record(rewards=(0.5,)), (number,), created=episode(f"{number}"))
                return found.epoch, await store.commit(made)
            except StaleEpoch:
                return None

        made = [one for one in await at_once(request) if one is not None]
        epoch = (await arrived(store)).epoch
        kept = sorted(number for one, number in made if one == epoch)
        assert [one.number for one in await store.records(0, TASKS)] == kept == list(range(1, len(kept) + 1))
        assert len(await store.episodes(TASKS)) == (await store.rewards(0, TASKS)).stored == len(kept)

    run(check())
