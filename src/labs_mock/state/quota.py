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


def left(account: Account, window: int, used: int, now: float) -> Quota:
    """That of a key whose last request was in a window, in minutes since 1970, and the `used`-th in it."""
    present = int(now // WINDOW)
    remaining = max(0, account.requests_per_minute - (used if window == present else 0))
    return Quota(account.requests_per_minute, remaining, (present + 1) * WINDOW, remaining > 0)


def spent(account: Account, now: float) -> Quota:
    """That of a key which has used everything, whether it has or not."""
    return Quota(account.requests_per_minute, 0, (int(now // WINDOW) + 1) * WINDOW, False)
