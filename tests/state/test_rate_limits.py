from hypothesis import given
from hypothesis import strategies as st

from labs_mock.state.accounts import Account
from labs_mock.state.rate_limits import RateLimits


@given(st.integers(1, 5), st.lists(st.floats(0, 400), min_size=1, max_size=40))
def test_windows_are_whole_minutes(limit: int, moments: list[float]) -> None:
    """In each whole minute the first n requests are allowed, and `remaining` counts down to 0 (RL-2)."""
    limits, account = RateLimits(), Account("lab_a", requests_per_minute=limit)
    asked: dict[int, int] = {}
    for now in sorted(moments):
        minute = int(now) // 60
        asked[minute] = asked.get(minute, 0) + 1
        quota = limits.take(account, now)
        assert quota.allowed == (asked[minute] <= limit)
        assert quota.remaining == max(0, limit - asked[minute])
        assert (quota.limit, quota.reset) == (limit, 60 * (minute + 1))


def test_keys_do_not_share_a_quota() -> None:
    """Each key has its own window, and a reset forgets them (RL-2)."""
    limits = RateLimits()
    one, other = Account("lab_a", requests_per_minute=1), Account("lab_b", requests_per_minute=1)
    assert limits.take(one, 0).allowed
    assert not limits.take(one, 1).allowed
    assert limits.take(other, 1).allowed
    limits.reset()
    assert limits.take(one, 1).allowed
