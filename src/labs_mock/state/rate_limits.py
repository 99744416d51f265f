"""Rate limits: fixed windows of one minute that start on the whole minute (RL-1, RL-2)."""

from typing import NamedTuple

from labs_mock.contract.limits import WINDOW
from labs_mock.state.accounts import Account


class Quota(NamedTuple):
    """What a key has left; `reset` is in unix seconds."""

    limit: int
    remaining: int
    reset: int
    allowed: bool


class RateLimits:
    """How many requests each key has made in the present window."""

    def __init__(self) -> None:
        self._used: dict[str, tuple[int, int]] = {}

    def take(self, account: Account, now: float) -> Quota:
        """Use one request of the quota, if there is one."""
        window = int(now // WINDOW)
        started, used = self._used.get(account.key, (window, 0))
        if started != window:
            used = 0
        limit = account.requests_per_minute
        allowed = used < limit
        used += allowed
        self._used[account.key] = (window, used)
        return Quota(limit, limit - used, (window + 1) * WINDOW, allowed)

    def spent(self, account: Account, now: float) -> Quota:
        """What a key is told when it has used everything, whether it has or not."""
        return Quota(account.requests_per_minute, 0, (int(now // WINDOW) + 1) * WINDOW, False)

    def reset(self) -> None:
        """Forget all windows."""
        self._used.clear()
