import asyncio
from collections.abc import AsyncIterator
from itertools import islice

from labs_mock.state.record import Record
from labs_mock.state.store import Store
from tests.state.samples import Make, bounds, commit, record, run


async def first(records: AsyncIterator[Record], count: int) -> list[int]:
    """The numbers of the next so many records, which come in time."""
    return [(await asyncio.wait_for(anext(records), 5)).number for _ in range(count)]


async def rest(records: AsyncIterator[Record]) -> list[Record]:
    """All that come until it ends."""
    return [record async for record in records]


async def fill(store: Store, count: int) -> None:
    """Commit so many records."""
    for _ in islice(iter(int, 1), count):
        await commit(store, record=record())


def test_records_are_followed_as_they_come(make: Make) -> None:
    """First those behind a number that are there, then each that comes, to every follower."""

    async def check() -> None:
        store = make()
        await fill(store, 3)
        one, other = store.follow(0), store.follow(2)
        assert (await first(one, 3), await first(other, 1)) == ([1, 2, 3], [3])
        waiting = asyncio.create_task(first(one, 2))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        await fill(store, 2)
        assert (await waiting, await first(other, 2)) == ([4, 5], [4, 5])

    run(check())


def test_a_follower_begins_with_all_that_there_is(make: Make) -> None:
    """However many records a store reads at a time."""

    async def check() -> None:
        store = make()
        await fill(store, 1_003)
        assert await first(store.follow(0), 1_003) == list(range(1, 1_004))

    run(check())


def test_a_follower_that_is_slow_misses_what_has_gone(make: Make) -> None:
    """The numbers show it."""

    async def check() -> None:
        store = make(bounds=bounds(records=3))
        following = store.follow(0)
        await fill(store, 1)
        assert await first(following, 1) == [1]
        await fill(store, 9)
        assert await first(following, 3) == [8, 9, 10]

    run(check())


def test_following_ends_when_the_journal_is_reset(make: Make) -> None:
    """Numbers begin anew then, and whoever goes on following does so, too."""

    async def check() -> None:
        store = make()
        await fill(store, 2)
        for parts in ((), ("journal",)):
            following = store.follow(1)
            await fill(store, 1)
            await first(following, 2)
            waiting = asyncio.ensure_future(rest(following))
            await asyncio.sleep(0.01)
            await store.reset(parts)
            assert await asyncio.wait_for(waiting, 5) == []
            await fill(store, 2)

    run(check())


def test_a_commit_of_another_thread_wakes_followers(make: Make) -> None:
    """A test may change a server's store from its own thread."""

    async def check() -> None:
        store = make()
        following = store.follow(0)
        waiting = asyncio.create_task(first(following, 1))
        await asyncio.sleep(0.01)
        await asyncio.to_thread(lambda: asyncio.run(fill(store, 1)))
        assert await waiting == [1]

    run(check())
