import tracemalloc
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.limits import MAX_LOG
from labs_mock.contract.windows import Window
from labs_mock.state.memory.normalisation import LOG_BYTES, REWARD_BYTES, Log, NormalisationLogs
from labs_mock.state.store import Store
from labs_mock.state.sums import LogKey, NormalisationEntry, Sums, units_of, z_score
from tests.state.samples import Make, arrived, bounds, run, token

DAYS = {"d": 1, "w": 7, "m": 30}
KEY = ("acme", "run-1", "coaching", "weekly")
OTHER = ("acme", "run-2", "coaching", "weekly")

rewards = st.integers(0, 10**6).map(lambda units: units / 10**6)
histories = st.lists(st.tuples(st.floats(0, 5 * 86_400), rewards), max_size=30)
windows = st.tuples(st.integers(1, 40), st.sampled_from("dwmn")).map(lambda pair: f"{pair[0]}{pair[1]}")


def naive(history: list[tuple[float, float]], reward: float, window: str, now: float) -> float | None:
    """The definition read aloud, over the whole history each time."""
    number, unit = int(window[:-1]), window[-1]
    kept = history[-MAX_LOG:]
    values = [one for when, one in kept if unit == "n" or when >= now - number * DAYS[unit] * 86_400]
    values = values[-number:] if unit == "n" else values
    if len(values) < 2 or len(set(values)) == 1:
        return None
    return (reward - fmean(values)) / pstdev(values)


def entry(reward: float, *texts: str, key: LogKey = KEY) -> NormalisationEntry:
    """A reward with its windows."""
    return NormalisationEntry(key, units_of(reward), tuple(map(Window.parse, texts)))


async def normalise(store: Store, *entries: NormalisationEntry, now: float = 0) -> tuple[tuple[Sums, ...], ...]:
    """The sums for some entries of one request."""
    return await store.normalise((await arrived(store)).epoch, token(), now, entries)


def close(found: float | None, expected: float | None) -> bool:
    """Whether a z-score is that of the reference."""
    return found == expected if expected is None else found == pytest.approx(expected, rel=1e-6, abs=1e-5)


@given(steps=histories, reward=rewards, window=windows)
def test_a_z_score_is_what_the_definition_says(
    make: Make, steps: list[tuple[float, float]], reward: float, window: str
) -> None:
    """Over any history and window the sums give the naive score (NORM-2)."""

    async def check() -> None:
        store, history, now = make(), list[tuple[float, float]](), 0.0
        for pause, value in steps:
            now += pause
            await normalise(store, entry(value), now=now)
            history.append((now, value))
        ((sums,),) = await normalise(store, entry(reward, window), now=now)
        assert close(z_score(units_of(reward), sums), naive(history, reward, window, now))

    run(check())


def test_the_log_keeps_the_newest_ten_thousand() -> None:
    """Older rewards count no more, and the memory is bounded (NORM-2)."""
    log, history = Log(), []
    for index in range(3 * MAX_LOG + 7):
        value = (index * 7_919 % 1_000) / 1_000 if index > MAX_LOG else 1.0
        log.append(units_of(value), float(index))
        history.append((float(index), value))
        assert len(log) < 2 * MAX_LOG
    for window in ("10000n", "50n", "366d"):
        sums = log.sums(Window.parse(window), 3.0 * MAX_LOG)
        assert close(z_score(units_of(0.25), sums), naive(history, 0.25, window, 3.0 * MAX_LOG))


def naive_sums(history: list[tuple[float, int]], window: Window, now: float) -> Sums:
    """Number, sum and sum of squares in a window, of all that is left of a log, added up anew."""
    kept = [units for when, units in history[-MAX_LOG:] if window.seconds is None or when >= now - window.seconds]
    kept = kept[-window.number :] if window.seconds is None else kept
    return Sums(len(kept), sum(kept), sum([units**2 for units in kept]))


def test_a_store_keeps_the_newest_ten_thousand_of_each_log(make: Make) -> None:
    """Before, at and behind each overflow its sums are those of the newest ones; what has gone leaves room for other logs (NORM-2)."""
    names = 2 * (LOG_BYTES + 4 * len(KEY[1]))
    texts = "10000n", "9000n", "50n", "1d", "366d"

    async def check() -> None:
        store = make(bounds=bounds(normalisation=names + 2 * MAX_LOG * REWARD_BYTES))
        epoch, history, now = (await arrived(store)).epoch, list[tuple[float, int]](), 0.0

        async def log(rewards: list[int], key: LogKey) -> tuple[Sums, ...]:
            entries = [NormalisationEntry(key, rewards[0], tuple(map(Window.parse, texts)))]
            entries += [NormalisationEntry(key, units, ()) for units in rewards[1:]]
            return (await store.normalise(epoch, token(), now, tuple(entries)))[0]

        for size in (*[997] * 10, 29, 1, 1, *[997] * 9, 990, 6, 1, 1, 1, 997):
            now += 10_000
            found = await log(made := [(len(history) + n) * 7_919 % 1_000_003 for n in range(size)], KEY)
            assert found == tuple([naive_sums(history, Window.parse(text), now) for text in texts])
            history += [(now, units) for units in made]
        assert len(history) > 2 * MAX_LOG
        for size in (*[1_000] * 8, 900):
            await log([1] * size, OTHER)
        assert [one.number for one in await log([1], OTHER)] == [8_900, 8_900, 50, 8_900, 8_900]
        assert (await log([1], KEY))[0].number == MAX_LOG
        await log([1] * 1_000, OTHER)
        assert (await log([1], KEY))[0].number == 0

    run(check())


def test_equal_rewards_have_no_deviation(make: Make) -> None:
    """However many there are, and whatever their sum does in floating point (NORM-2)."""

    async def check() -> None:
        store = make()
        await normalise(store, *[entry(0.1) for _ in range(1_000)])
        ((sums,),) = await normalise(store, entry(0.3, "1000n"))
        assert sums == Sums(1_000, 10**8, 10**13)
        assert z_score(units_of(0.3), sums) is None

    run(check())


def test_all_sums_of_a_batch_are_read_before_any_reward_is_added(make: Make) -> None:
    """Items of a batch are normalised against the history before it, in one operation (NORM-2)."""

    async def check() -> None:
        store = make()
        await normalise(store, entry(0.2))
        before = Sums(1, 200_000, 4 * 10**10)
        assert await normalise(store, entry(0.4, "9n"), entry(0.6, "9n", "1d"), entry(0.1, "9n", key=OTHER)) == (
            (before,),
            (before, before),
            (Sums(0, 0, 0),),
        )
        assert [one.number for (one,) in await normalise(store, entry(0, "9n"), entry(0, "9n", key=OTHER))] == [3, 1]

    run(check())


def test_times_of_a_log_do_not_go_back(make: Make) -> None:
    """Requests at once may arrive in another order than they are logged; an earlier moment counts as the latest (NORM-2)."""

    async def check() -> None:
        store = make()
        await normalise(store, entry(0.2), now=200_000)
        await normalise(store, entry(0.4), now=100_000)
        ((sums,),) = await normalise(store, entry(0.1, "1d"), now=200_000 + 86_400)
        assert sums.number == 2

    run(check())


def test_logs_are_apart_and_bounded_together(make: Make) -> None:
    """Keys do not see each other, and the one to which nothing was added for longest is forgotten first."""

    async def check() -> None:
        store = make(bounds=bounds(normalisation=2 * (LOG_BYTES + 4 * len(KEY[1])) + 6 * REWARD_BYTES))

        async def score(key: LogKey, reward: float, *texts: str) -> list[float | None]:
            ((*found,),) = await normalise(store, entry(reward, *texts, key=key))
            return [z_score(units_of(reward), sums) for sums in found]

        for value in (0.1, 0.3):
            await score(KEY, value)
            await score(OTHER, value + 0.5)
        assert await score(KEY, 0.3, "2n", "1d") == [1.0, 1.0]
        assert await score(OTHER, 0.3, "2n") == [-4.0]
        await score(OTHER, 0.9)
        assert await score(KEY, 0.3, "2n") == [None]
        await store.reset(("normalisation",))
        assert await score(OTHER, 0.3, "2n") == [None]

    run(check())


def naive_weight(logged: dict[LogKey, list[float]]) -> int:
    """The bytes of logs, added up anew each time."""
    return sum(LOG_BYTES + 4 * len(key[1]) + REWARD_BYTES * len(rewards) for key, rewards in logged.items())


@given(
    steps=st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 10)), max_size=60), limit=st.integers(0, 4_000)
)
def test_the_log_to_which_nothing_was_added_for_longest_goes_first(
    make: Make, steps: list[tuple[str, int]], limit: int
) -> None:
    """Whatever is logged in whichever order, the logs that are left are those of a naive table of the same bound."""

    async def check() -> None:
        store, logged = make(bounds=bounds(normalisation=limit)), dict[LogKey, list[float]]()
        for name, tenths in steps:
            key = ("acme", name * 50, "coaching", "weekly")
            ((sums,),) = await normalise(store, entry(tenths / 10, "100n", key=key))
            history = [(0.0, reward) for reward in logged.get(key, [])]
            assert close(z_score(units_of(tenths / 10), sums), naive(history, tenths / 10, "100n", 0.0))
            assert sums.number == len(history)
            logged[key] = [*logged.pop(key, []), tenths / 10]
            while naive_weight(logged) > limit and len(logged) > 1:
                del logged[next(iter(logged))]

    run(check())


@pytest.mark.parametrize("name", ["{:06}", "{:0200}", "{:06}" + 194 * "\N{GRINNING FACE}"])
def test_logs_are_bounded_by_what_they_take(name: str) -> None:
    """Many keys of one reward each take no more memory than the bound, however long they are."""
    limit = 1_000_000
    tracemalloc.start()
    try:
        logs = NormalisationLogs(limit)
        for number in range(4_000):
            logs.normalise((entry(0.5, key=("acme", name.format(number), "coaching", "weekly")),), 0.0)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 1.3 * limit
