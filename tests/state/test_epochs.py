from typing import Any

import pytest

from labs_mock.config.fault_entry import FaultEntry
from labs_mock.contract.findings import Finding
from labs_mock.contract.windows import Window
from labs_mock.errors import Conflict, StaleEpoch
from labs_mock.scenario.compiled.datasets import Stage
from labs_mock.state.commit import Commit
from labs_mock.state.store import PARTS, Store, parts_to_reset
from labs_mock.state.sums import NormalisationEntry, Sums
from tests.state.samples import (
    ID,
    LIBRARY,
    ONE,
    START,
    Make,
    arrival,
    arrived,
    bounds,
    commit,
    dataset,
    episode,
    initial,
    record,
    run,
    token,
    turn,
)

ENTRY = NormalisationEntry(("acme", "a", "coaching", "weekly"), 500_000, (Window.parse("9n"),))


async def contents(store: Store) -> dict[str, Any]:
    """What can be seen of each part; to look is one more request."""
    found = await store.arrive(arrival())
    return {
        "clock": found.now,
        "keys": await store.accounts(),
        "limits": found.quota,
        "attempts": found.attempt,
        "episodes": await store.episodes(9),
        "normalisation": await store.normalise(found.epoch, token(), found.now, (ENTRY,)),
        "datasets": [(one.dataset, one.stage, one.keep_exhausted) for one in await store.datasets()],
        "faults": await store.faults(),
        "journal": await store.records(0, 9),
        "rewards": await store.rewards(0, 9),
    }


async def use(store: Store) -> None:
    """Change every part."""
    await store.advance_clock(7)
    await store.add_account(ONE.with_key("lab_added"))
    await commit(store, created=episode("a"), record=record(rewards=(0.5,)), conversations=(1,))
    await store.force_dataset(ID, Stage("failed", "Failed", error="no"))
    await store.remove_faults()


NEVER = FaultEntry.model_validate({"status": 503, "path": "/never"})
START_STATE = initial(NEVER, library=LIBRARY._replace(datasets=(dataset(),)))


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_reset_with_those_that_go_with_it(make: Make, part: str) -> None:
    """With the clock goes what remembers times, with the journal what names requests by their numbers; the others stay."""

    async def check() -> None:
        store, untouched = make(START_STATE), make(START_STATE)
        fresh = await contents(untouched)
        await contents(store)
        await use(store)
        names = await store.reset((part,))
        assert names == parts_to_reset((part,))
        after = await contents(store)
        assert {name for name in PARTS if after[name] == fresh[name]} == set(names)

    run(check())


def test_a_store_that_was_reset_is_like_a_new_one(make: Make) -> None:
    """Everything but the library is as it began, and the epoch is another."""

    async def check() -> None:
        used, fresh = make(START_STATE), make(START_STATE)
        await contents(used)
        await use(used)
        before = await arrived(used)
        assert await used.reset() == list(PARTS)
        assert await contents(used) == await contents(fresh)
        assert (await arrived(used)).epoch != before.epoch

    run(check())


def test_the_epoch_is_known_without_a_request(make: Make) -> None:
    """It is that with which requests arrive, and to ask for it counts none."""

    async def check() -> None:
        store = make()
        before = await arrived(store)
        assert await store.epoch() == before.epoch
        await store.reset()
        after = await arrived(store)
        assert await store.epoch() == after.epoch != before.epoch
        assert after.order == before.order + 1

    run(check())


def test_all_parts_by_name_are_everything() -> None:
    """A reset of all parts that are named is that of everything."""
    assert parts_to_reset(PARTS) == parts_to_reset(()) == list(PARTS)
    assert parts_to_reset(("clock",)) == ["clock", "limits", "episodes", "normalisation", "datasets"]
    assert parts_to_reset(("journal",)) == ["journal", "rewards"]


def test_an_old_epoch_is_refused(make: Make) -> None:
    """After a reset of everything no request that arrived before it changes or sees anything (EP-15)."""

    async def check() -> None:
        store = make(START_STATE)
        old = (await arrived(store)).epoch
        name = token()
        number = await store.commit(Commit(old, name, record()))
        await store.reset()
        await commit(store, created=episode("a"), record=record())
        for operation in (
            store.load_episode(old, "a", START),
            store.poll_dataset(old, ID, START),
            store.normalise(old, token(), START, (ENTRY,)),
            store.commit(Commit(old, token(), record())),
            store.commit(Commit(old, name, record())),
            store.commit(Commit(old, token(), turn=turn("a", 0))),
        ):
            with pytest.raises(StaleEpoch):
                await operation
        await store.amend_record(old, name, number, ("late",), (Finding("client_left", ""),))
        (kept,) = await store.records(0, 9)
        assert (kept.delivery, kept.findings) == ((), ())
        assert [one.turns for one in await store.episodes(9)] == [0]
        new = (await arrived(store)).epoch
        assert await store.normalise(new, token(), START, (ENTRY,)) == ((Sums(0, 0, 0),),)

    run(check())


def test_a_reset_of_parts_is_no_new_epoch(make: Make) -> None:
    """A request that arrived before it goes on; its episode may be gone."""

    async def check() -> None:
        store = make()
        epoch = (await arrived(store)).epoch
        await store.reset(("episodes", "journal", "attempts"))
        assert await store.commit(Commit(epoch, token(), record())) == 1

    run(check())


def test_the_same_token_is_done_once(make: Make) -> None:
    """A commit and a normalisation that are sent again change nothing and return what they returned first."""

    async def check() -> None:
        store = make()
        epoch, name = (await arrived(store)).epoch, token()
        await commit(store, created=episode("a"), record=record())
        once = Commit(epoch, name, record(rewards=(0.5,)), (1,), turn=turn("a", 0))
        assert [await store.commit(once) for _ in range(3)] == [2, 2, 2]
        assert [await store.normalise(epoch, name, START, (ENTRY,)) for _ in range(3)] == [((Sums(0, 0, 0),),)] * 3
        assert ((await store.journal_counts()).stored, (await store.rewards(0, 9)).stored) == (2, 1)
        assert [one.turns for one in await store.episodes(9)] == [1]
        ((sums,),) = await store.normalise(epoch, token(), START, (ENTRY,))
        assert sums.number == 1

    run(check())


def test_what_was_refused_is_not_remembered(make: Make) -> None:
    """A commit may come again under its token with what the episode then is."""

    async def check() -> None:
        store = make()
        epoch, name = (await arrived(store)).epoch, token()
        with pytest.raises(Conflict):
            await store.commit(Commit(epoch, name, record(), turn=turn("a", 0)))
        assert await store.commit(Commit(epoch, name, record(), created=episode("a"))) == 1

    run(check())


def test_tokens_are_bounded(make: Make) -> None:
    """At least so many of the newest are remembered, and not all of them."""

    async def check() -> None:
        store = make(bounds=bounds(tokens=3))
        epoch = (await arrived(store)).epoch
        for number in range(10):
            assert await store.commit(Commit(epoch, f"t{number}", record())) == number + 1
        assert [await store.commit(Commit(epoch, f"t{number}", record())) for number in (7, 8, 9)] == [8, 9, 10]
        assert await store.commit(Commit(epoch, "t0", record())) == 11

    run(check())


def test_tokens_of_normalisations_are_bounded(make: Make) -> None:
    """So are these, apart from those of commits."""

    async def check() -> None:
        store = make(bounds=bounds(tokens=3))
        epoch = (await arrived(store)).epoch

        async def normalise(number: int) -> int:
            return (await store.normalise(epoch, f"t{number}", START, (ENTRY,)))[0][0].number

        assert [await normalise(number) for number in range(9)] == list(range(9))
        await store.commit(Commit(epoch, "t0", record()))
        assert [await normalise(number) for number in (6, 7, 8)] == [6, 7, 8]
        assert await normalise(0) == 9

    run(check())
