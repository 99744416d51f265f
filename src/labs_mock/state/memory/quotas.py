"""How many requests each key has made in the present minute (RL-2)."""

from labs_mock.contract.limits import WINDOW
from labs_mock.state.account import Account
from labs_mock.state.quota import Quota, left

_UNUSED = -1, 0


class Quotas:
    """The window of each key's last request, and how many it has made in that."""

    def __init__(self) -> None:
        self._used: dict[bytes, tuple[int, int]] = {}

    def take(self, account: Account, now: float) -> Quota:
        """Use one request of the quota, if there is one."""
        key, limit, window = account.key_digest, account.requests_per_minute, int(now // WINDOW)
        started, used = self._used.get(key, _UNUSED)
        if started != window:
            used = 0
        allowed = used < limit
        used += allowed
        self._used[key] = window, used
        return Quota(limit, limit - used, (window + 1) * WINDOW, allowed)

    def left(self, account: Account, now: float) -> Quota:
        """What a key has left; nothing is used by it."""
        return left(account, *self._used.get(account.key_digest, _UNUSED), now)

    def reset(self) -> None:
        """Forget all windows."""
        self._used.clear()
