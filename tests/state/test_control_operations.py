import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.clock import END, Clock, sleep
from labs_mock.config.server_file import KeyTerms
from labs_mock.errors import SettingsError
from labs_mock.scenario.compiled.datasets import Stage
from labs_mock.scenario.compiled.scenario import ScenarioName
from labs_mock.state.account import key_digest
from labs_mock.state.library_source import CollectionSource, ScenarioSource
from labs_mock.state.quota import Quota
from labs_mock.state.store import Store
from tests.state.samples import LIBRARY, ONE, OTHER, READY, START, Make, arrived, bounds, dataset, initial, run


def test_the_clock_is_set_and_advanced(make: Make) -> None:
    """To a time that is not past, and not beyond its end; what is refused changes nothing."""

    async def check() -> None:
        store = make()
        assert (await store.clock()).now() == START
        moved = await store.set_clock(START + 10, None)
        assert moved == await store.clock()
        assert moved is not None
        assert (moved.now(), moved.mode) == (START + 10, "frozen")
        assert await store.set_clock(START + 9, "real") is None
        moved = await store.advance_clock(5)
        assert moved is not None
        assert moved.now() == (await arrived(store)).now == START + 15
        assert await store.advance_clock(END) is None
        assert await store.clock() == moved
        with pytest.raises(SettingsError):
            await store.set_clock(None, "frozen:2026-01-01")
        running = await store.set_clock(START + 20, "x2")
        assert running is not None
        assert (running.mode, running.runs, running.now() >= START + 20) == ("x2", True, True)
        await store.reset(("clock",))
        assert (await store.clock()).now() == START

    run(check())


@pytest.mark.parametrize("mode", [None, "x1000"])
def test_one_waits_on_a_clock_that_others_change(make: Make, mode: str | None) -> None:
    """On a frozen clock until somebody advances it or lets it run."""

    async def check() -> None:
        store = make()
        waiting = asyncio.create_task(sleep(store.clock, 20))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        if mode is None:
            await store.advance_clock(19)
            await asyncio.sleep(0.01)
            assert not waiting.done()
            await store.advance_clock(1)
        else:
            await store.set_clock(None, mode)
        await asyncio.wait_for(waiting, 5)

    run(check())


def test_keys_are_added_and_changed(make: Make) -> None:
    """A key is added once; a change expects the account as it was, so that none is lost; a reset forgets both (AUTH-1)."""

    async def check() -> None:
        store = make()
        added = ONE.with_key("lab_added")
        assert [await store.add_account(added) for _ in range(2)] == [True, False]
        changed = added.with_terms(KeyTerms(revoked=True))
        assert [await store.change_account(changed, added) for _ in range(2)] == [True, False]
        assert not await store.change_account(added.with_key("lab_nobody"), added)
        assert await store.find_account(key_digest(b"lab_added")) == changed
        assert await store.find_account(key_digest(b"lab_nobody")) is None
        assert [store.knows_key(key_digest(key)) for key in (b"lab_added", b"lab_nobody")] == [True, False]
        assert await store.accounts() == [ONE, OTHER, changed]
        await store.reset(("keys",))
        assert await store.accounts() == [ONE, OTHER]

    run(check())


async def versions(store: Store) -> list[str]:
    """The versions of the library of now."""
    _, library = await store.library()
    return [one.version for one in library.scenarios]


def source(slug: str, version: str, size: int = 2, collection: str = "coaching") -> ScenarioSource:
    """A scenario whose content has so many bytes."""
    return ScenarioSource(collection, slug, version, b" " * size)


def test_a_scenario_is_added_or_replaces_the_one_with_its_slugs(make: Make) -> None:
    """Sorted by slugs, in a collection that is new if need be; the earlier version stays known; a reset changes nothing of it."""

    async def check() -> None:
        store = make()
        revision, library = await store.library()
        assert (library, (await arrived(store)).revision) == (LIBRARY, revision)
        assert await store.put_scenario(source("daily", "v2")) == revision + 1
        assert await store.put_scenario(source("weekly", "v3")) == revision + 2
        assert await store.put_scenario(source("a", "v4", collection="ab")) == revision + 3
        await store.reset()
        assert await versions(store) == ["v4", "v2", "v3"]
        _, library = await store.library()
        assert library.collections == (CollectionSource("ab", "ab", ""), *LIBRARY.collections)
        assert (await arrived(store)).revision == revision + 3
        assert [await store.scenario(name) for name in ("v1", "v3", "v9")] == [
            LIBRARY.scenarios[0],
            source("weekly", "v3"),
            None,
        ]

    run(check())


@given(steps=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5)), max_size=30), limit=st.integers(0, 60))
def test_earlier_scenarios_are_bounded(make: Make, steps: list[tuple[str, int]], limit: int) -> None:
    """Of those that were replaced the one that was replaced first goes first; what is in the library is always there."""

    async def check() -> None:
        store = make(initial(library=LIBRARY._replace(scenarios=())), bounds(scenarios=limit))
        present: dict[str, str] = {}
        earlier: dict[str, int] = {}
        for slug, number in steps:
            version, size = f"{slug}{number}", 10 + number
            before = present.get(slug)
            if before not in (None, version):
                earlier[before or ""] = 10 + int((before or "")[1:])
            earlier.pop(version, None)
            present[slug] = version
            while sum(earlier.values()) > limit:
                del earlier[next(iter(earlier))]
            await store.put_scenario(source(slug, version, size))
            for name in [f"{slug}{number}" for slug in "ab" for number in range(6)]:
                known = await store.scenario(name) is not None
                assert known == (name in earlier or name in present.values())

    run(check())


def test_a_scenario_that_rows_are_generated_from_stays(make: Make) -> None:
    """As long as there is such a dataset, however many other scenarios were replaced since (DS-6)."""

    async def check() -> None:
        generated = replace(dataset(), scenario=ScenarioName("coaching", "weekly", "v1"))
        store = make(bounds=bounds(scenarios=0))
        await store.add_dataset(generated)
        await store.put_scenario(source("weekly", "v2"))
        await store.put_scenario(source("weekly", "v3"))
        assert [await store.scenario(name) is not None for name in ("v1", "v2", "v3")] == [True, False, True]
        await store.publish(LIBRARY._replace(scenarios=()))
        assert [await store.scenario(name) is not None for name in ("v1", "v2", "v3")] == [False, False, False]

    run(check())


def test_a_clock_is_a_value() -> None:
    """Equal clocks show the same time; to advance one or let it run makes another."""
    clock = Clock.parse("frozen:2026-01-01")
    later = clock.advanced(5)
    assert (clock.now(), later.now(), later.restarted().now()) == (START, START + 5, START)
    assert later.running("real").now() >= START + 5


def test_what_is_left_of_quotas_is_read(make: Make) -> None:
    """For each key in the order of the accounts, in the present minute, and nothing is used by it (RL-1)."""

    async def check() -> None:
        store = make(initial(accounts=(replace(ONE, requests_per_minute=3), OTHER)))
        end = int(START) // 60 * 60 + 60
        full = Quota(OTHER.requests_per_minute, OTHER.requests_per_minute, end, allowed=True)
        for left in (3, 2, 1, 0, 0):
            assert await store.quotas() == [Quota(3, left, end, allowed=left > 0), full]
            await arrived(store)
        await store.advance_clock(60)
        assert await store.quotas() == [
            Quota(3, 3, end + 60, allowed=True),
            full._replace(reset=end + 60),
        ]

    run(check())


def test_where_a_dataset_stands_is_read(make: Make) -> None:
    """The stage by its position, its polls, when it began, and the moments of the polls (DS-1, DS-7)."""

    async def check() -> None:
        pending = Stage("pending", "Waiting", polls=2)
        running = Stage("running", "Running", seconds=30)
        store = make()
        added = dataset(pending, running, READY, name="0a9d5c7e-3e21-4b6f-b8f0-62d4e1a7c999")
        await store.add_dataset(added)
        epoch = (await arrived(store)).epoch

        async def standing() -> tuple[str, int, int, float]:
            progress = (await store.datasets())[-1].progress
            assert progress.stages == added.stages
            return progress.stage.status, progress.position, progress.polls, progress.since

        assert await standing() == ("pending", 0, 0, START)
        await store.poll_dataset(epoch, added.id, START)
        assert await standing() == ("pending", 0, 1, START)
        await store.poll_dataset(epoch, added.id, START)
        assert await standing() == ("running", 1, 0, START)
        assert (await store.datasets())[-1].progress.polled == (START, START)
        await store.advance_clock(31)
        assert await standing() == ("ready", 2, 0, START + 30)

    run(check())
