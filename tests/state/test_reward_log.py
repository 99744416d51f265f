from hypothesis import given
from hypothesis import strategies as st

from labs_mock.state.reward_log import MAX_REWARDS, Rewards, Served

NUMBERS = st.integers(0, 2**64 - 1)
requests = st.lists(
    st.tuples(st.integers(1, 2**40), st.lists(st.tuples(st.none() | st.floats(0, 1), NUMBERS), max_size=5)), max_size=12
)


@given(requests, st.integers(1, 12), st.integers(0, 80), st.integers(0, 20))
def test_the_newest_rewards_are_kept_with_their_places(
    made: list[tuple[int, list[tuple[float | None, int]]]], limit: int, after: int, most: int
) -> None:
    """As a list of all would have them: items that failed have none and keep their places, and what has gone is counted."""
    rewards, every = Rewards(limit), list[Served]()
    for request, items in made:
        rewards.append(request, [reward for reward, _ in items], [conversation for _, conversation in items])
        every += [Served(request, item, other, one) for item, (one, other) in enumerate(items) if one is not None]
        kept = every[-limit:]
        assert list(rewards.after(0, len(every))) == kept
        assert (len(rewards), rewards.dropped) == (len(kept), len(every) - len(kept))
    assert list(rewards.after(after, most)) == every[max(after, rewards.dropped) :][:most]
    rewards.reset()
    assert (len(rewards), rewards.dropped, list(rewards.after(0, 1))) == (0, 0, [])


def test_an_entry_takes_at_most_forty_bytes() -> None:
    """A million of them are kept, in columns."""
    rewards = Rewards()
    for number in range(100_000):
        rewards.append(number, [0.5], [number])
    assert sum(column.buffer_info()[1] * column.itemsize for column in rewards.columns) <= 40 * 100_000
    assert sum(column.__sizeof__() for column in rewards.columns) <= 40 * 100_000
    assert MAX_REWARDS == 1_000_000
