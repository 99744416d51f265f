import tracemalloc
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.limits import MAX_LOG
from labs_mock.contract.windows import Window
from labs_mock.state.normalisation import LOG_BYTES, REWARD_BYTES, Log, LogKey, Normalisation

DAYS = {"d": 1, "w": 7, "m": 30}
KEY = ("acme", "run-1", "coaching", "weekly")

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


@given(histories, rewards, windows)
def test_a_z_score_is_what_the_definition_says(steps: list[tuple[float, float]], reward: float, window: str) -> None:
    """Over any history and window the running sums give the naive score (NORM-2)."""
    log, history, now = Log(), [], 0.0
    for pause, value in steps:
        now += pause
        log.append(value, now)
        history.append((now, value))
    expected = naive(history, reward, window, now)
    found = log.z_score(reward, Window.parse(window), now)
    assert (found is None) == (expected is None)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-5) if expected is not None else found is None


def test_the_log_keeps_the_newest_ten_thousand() -> None:
    """Older rewards count no more, and the memory is bounded (NORM-2)."""
    log, history = Log(), []
    for index in range(3 * MAX_LOG + 7):
        value = (index * 7_919 % 1_000) / 1_000 if index > MAX_LOG else 1.0
        log.append(value, float(index))
        history.append((float(index), value))
        assert len(log) < 2 * MAX_LOG
    for window in ("10000n", "50n", "366d"):
        expected = naive(history, 0.25, window, 3.0 * MAX_LOG)
        assert log.z_score(0.25, Window.parse(window), 3.0 * MAX_LOG) == pytest.approx(expected, abs=1e-5)


def test_equal_rewards_have_no_deviation() -> None:
    """However many there are, and whatever their sum does in floating point (NORM-2)."""
    log = Log()
    for index in range(1_000):
        log.append(0.1, float(index))
    assert log.z_score(0.3, Window.parse("1000n"), 1_000.0) is None


def test_logs_are_apart_and_bounded_together() -> None:
    """Keys do not see each other, and the one that was not used for longest is forgotten first."""
    logs = Normalisation(limit=2 * (LOG_BYTES + 4 * len(KEY[1])) + 4 * REWARD_BYTES)
    other = ("acme", "run-2", "coaching", "weekly")
    for value in (0.1, 0.3):
        logs.append(KEY, value, 0.0)
        logs.append(other, value + 0.5, 0.0)
    assert logs.z_scores(KEY, 0.3, [Window.parse("2n"), Window.parse("1d")], 0.0) == {"2n": 1.0, "1d": 1.0}
    assert logs.z_scores(other, 0.3, [Window.parse("2n")], 0.0) == {"2n": -4.0}
    logs.append(other, 0.9, 0.0)
    assert logs.z_scores(KEY, 0.3, [Window.parse("2n")], 0.0) == {"2n": None}
    logs.reset()
    assert logs.z_scores(other, 0.3, [Window.parse("2n")], 0.0) == {"2n": None}


def naive_weight(logged: dict[LogKey, list[float]]) -> int:
    """The bytes of logs, added up anew each time."""
    return sum(LOG_BYTES + 4 * len(key[1]) + REWARD_BYTES * len(rewards) for key, rewards in logged.items())


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 10)), max_size=60), st.integers(0, 4_000))
def test_the_log_that_was_not_used_for_longest_goes_first(steps: list[tuple[str, int]], limit: int) -> None:
    """Whatever is logged in whichever order, the logs that are left are those of a naive table of the same bound."""
    logs, logged = Normalisation(limit), dict[LogKey, list[float]]()
    for name, tenths in steps:
        key = ("acme", name * 50, "coaching", "weekly")
        logs.append(key, tenths / 10, 0.0)
        logged[key] = [*logged.pop(key, []), tenths / 10]
        while naive_weight(logged) > limit and len(logged) > 1:
            del logged[next(iter(logged))]
    for name in "abcde":
        key = ("acme", name * 50, "coaching", "weekly")
        history = [(0.0, reward) for reward in logged.get(key, [])]
        expected = naive(history, 0.25, "100n", 0.0)
        assert logs.z_scores(key, 0.25, [Window.parse("100n")], 0.0)["100n"] == (
            None if expected is None else pytest.approx(expected, abs=1e-5)
        )


@pytest.mark.parametrize("name", ["{:06}", "{:0200}", "{:06}" + 194 * "\N{GRINNING FACE}"])
def test_logs_are_bounded_by_what_they_take(name: str) -> None:
    """Many keys of one reward each take no more memory than the bound, however long they are."""
    limit = 1_000_000
    tracemalloc.start()
    try:
        logs = Normalisation(limit)
        for number in range(4_000):
            logs.append(("acme", name.format(number), "coaching", "weekly"), 0.5, 0.0)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 1.3 * limit
