import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.errors import Conflict
from labs_mock.state.store import Store
from tests.state.samples import START, Make, arrived, bounds, commit, episode, numbers, record, run, turn


async def ids(store: Store) -> list[str]:
    """The ids of all episodes, the one with the newest turn first."""
    return [one.id for one in await store.episodes(100)]


def test_an_id_that_is_taken_is_a_conflict(make: Make) -> None:
    """Nothing of such a commit is done, by an expired episode too; the caller takes the next id (DET-3)."""

    async def check() -> None:
        store = make()
        await commit(store, created=episode("a", START - 86_400))
        assert await ids(store) == []
        with pytest.raises(Conflict):
            await commit(store, created=episode("a"), record=record())
        await commit(store, created=episode("b"), record=record())
        assert await ids(store) == ["b"]
        assert await numbers(store) == [1]

    run(check())


def test_an_episode_expires_a_day_after_its_last_turn(make: Make) -> None:
    """Unknown and expired are the same (EP-13)."""

    async def check() -> None:
        store = make()
        await commit(store, created=episode("a"))
        epoch = (await arrived(store)).epoch
        found = [
            await store.load_episode(epoch, name, START + age)
            for name, age in (("a", 86_399.9), ("a", 86_400), ("b", 0))
        ]
        assert found == [episode("a"), None, None]
        await store.advance_clock(86_400)
        assert await store.episodes(10) == []
        assert await store.end_episode("a") is None

    run(check())


def test_a_turn_is_added_to_what_its_caller_saw(make: Make) -> None:
    """The second of two turns that saw the same episode is refused, and changes nothing (EP-15)."""

    async def check() -> None:
        store = make()
        await commit(store, created=episode("a"))
        await commit(store, turn=turn("a", 0, "one"))
        with pytest.raises(Conflict):
            await commit(store, turn=turn("a", 0, "two"), record=record())
        await commit(store, turn=turn("a", 1, "two", START + 5))
        found = await store.load_episode((await arrived(store)).epoch, "a", START)
        assert found is not None
        assert [line.content for line in found.transcript if line.operator] == ["one", "two"]
        assert (found.turns, found.touched, await numbers(store)) == (2, START + 5, [])

    run(check())


def test_an_equal_copy_of_an_episode_is_as_good_as_itself(make: Make) -> None:
    """What is expected is a number of turns, not an object (EP-15)."""

    async def check() -> None:
        store = make()
        await commit(store, created=episode("a"))
        (seen,) = await store.episodes(10)
        await commit(store, turn=turn(seen.id, seen.turns))
        with pytest.raises(Conflict):
            await commit(store, turn=turn(seen.id, seen.turns))

    run(check())


@pytest.mark.parametrize("expected", [1, -1])
def test_a_turn_for_an_episode_that_is_not_there_is_a_conflict(make: Make, expected: int) -> None:
    """An episode that is gone has no turns at all (EP-15)."""
    with pytest.raises(Conflict):
        run(commit(make(), turn=turn("gone", expected)))


def test_an_episode_that_ended_takes_no_turn(make: Make) -> None:
    """Whether a turn ended it or the control plane did, between the load and the commit of another one (EP-11, EP-14)."""

    async def check() -> None:
        store = make()
        for name in ("a", "b"):
            await commit(store, created=episode(name))
        await commit(store, turn=turn("a", 0, ended="completed"))
        ended = await store.end_episode("b")
        assert ended is not None
        assert (ended.ended, ended.turns, ended.touched) == ("client_terminated", 0, START)
        for name, turns in (("a", 1), ("b", 0)):
            with pytest.raises(Conflict):
                await commit(store, turn=turn(name, turns))
            with pytest.raises(Conflict):
                await store.end_episode(name)
        assert await store.end_episode("c") is None
        assert [one.ended for one in await store.episodes(10)] == ["completed", "client_terminated"]

    run(check())


@given(
    steps=st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 30)), max_size=40),
    limit=st.integers(1, 4),
    characters=st.integers(5, 120),
)
def test_the_one_without_a_turn_for_longest_goes_first(
    make: Make, steps: list[tuple[str, int]], limit: int, characters: int
) -> None:
    """Episodes are bounded by number and by characters, never the newest itself; to end one is no turn."""

    async def check() -> None:
        store = make(bounds=bounds(episodes=limit, characters=characters))
        kept: dict[str, list[int]] = {}  # the characters of each turn, in the order of the newest ones
        for name, length in steps:
            if name in kept:
                await commit(store, turn=turn(name, len(kept[name]) - 1, "x" * length))
                kept[name] = [*kept.pop(name), length + len("I see.")]
            else:
                await commit(store, created=episode(name))
                kept[name] = [len("Hello.")]
            while len(kept) > limit or (sum(map(sum, kept.values())) > characters and len(kept) > 1):
                del kept[next(iter(kept))]
            assert await ids(store) == [*kept][::-1]

    run(check())


def test_to_end_an_episode_does_not_keep_it(make: Make) -> None:
    """It is no turn: the episode goes when it would have gone."""

    async def check() -> None:
        store = make(bounds=bounds(episodes=2))
        for name in ("a", "b"):
            await commit(store, created=episode(name))
        await store.end_episode("a")
        await commit(store, created=episode("c"))
        assert await ids(store) == ["c", "b"]

    run(check())


def test_a_list_of_episodes_is_whole_however_long(make: Make) -> None:
    """Also where many that have expired stand between the others (EP-13)."""

    async def check() -> None:
        store = make()
        epoch = (await arrived(store)).epoch
        for number in range(450):
            touched = START - 86_400 * (100 <= number < 340)
            await commit(store, epoch=epoch, created=episode(f"{number}", touched))
        present = [f"{number}" for number in range(450) if not 100 <= number < 340][::-1]
        assert [one.id for one in await store.episodes(1_000)] == present
        assert [one.id for one in await store.episodes(150)] == present[:150]
        assert [one.id for one in await store.episodes(1_000, before=present[105])] == present[106:]

    run(check())


def test_episodes_are_listed_page_by_page(make: Make) -> None:
    """The one with the newest turn first; behind one that is not there comes nothing."""

    async def check() -> None:
        store = make()
        for name in ("a", "b", "c", "d"):
            await commit(store, created=episode(name))
        await commit(store, turn=turn("b", 0))
        assert await ids(store) == ["b", "d", "c", "a"]
        assert [one.id for one in await store.episodes(2)] == ["b", "d"]
        assert [one.id for one in await store.episodes(2, before="d")] == ["c", "a"]
        assert await store.episodes(2, before="a") == await store.episodes(2, before="z") == []

    run(check())
