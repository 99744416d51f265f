"""What a key has left of its requests in this minute: fixed windows that start on the whole minute (RL-1, RL-2)."""

from typing import NamedTuple

from labs_mock.contract.limits import WINDOW
from labs_mock.state.account import Account


class Quota(NamedTuple):
    """What a key has left; `reset` is in unix seconds, `allowed` False for a request beyond the limit."""

    limit: int
    remaining: int
    reset: int
    allowed: bool


def quota_of(account: Account, used: int, window: int, allowed: bool = True) -> Quota:
    """The quota of an account that has used so many requests in a window, which is numbered in minutes since 1970."""
    limit = account.requests_per_minute
    return Quota(limit, limit - used, (window + 1) * WINDOW, allowed)


def window_of(now: float) -> int:
    """The number of the window of a moment in unix seconds."""
    return int(now // WINDOW)


def spent(account: Account, now: float) -> Quota:
    """That of a key which has used everything, whether it has or not."""
    return quota_of(account, account.requests_per_minute, window_of(now), allowed=False)
