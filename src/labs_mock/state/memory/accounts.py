"""The keys of a server, found by their digests (AUTH-1)."""

from collections.abc import Iterable

from labs_mock.state.account import Account


class Accounts:
    """All accounts by the digests of their keys, in the order in which they were added."""

    def __init__(self, first: Iterable[Account]) -> None:
        self._first = tuple(first)
        self.reset()

    def reset(self) -> None:
        """Only those of the start, as they were."""
        self._by_digest = {account.key_digest: account for account in self._first}

    def get(self, digest: bytes) -> Account | None:
        """The account of a key, valid or not."""
        return self._by_digest.get(digest)

    def find_valid(self, digest: bytes, now: float) -> Account | None:
        """The account of a key that is neither revoked nor expired; None for any other (AUTH-1)."""
        account = self._by_digest.get(digest)
        return account if account is not None and account.is_valid(now) else None

    def add(self, account: Account) -> bool:
        """Add an account; False if there is one with its key."""
        if account.key_digest in self._by_digest:
            return False
        self._by_digest[account.key_digest] = account
        return True

    def change(self, account: Account, expected: Account) -> bool:
        """Replace an account by one with its key; False if it is not what is expected."""
        if self._by_digest.get(account.key_digest) != expected:
            return False
        self._by_digest[account.key_digest] = account
        return True

    def all(self) -> list[Account]:
        """All of them."""
        return list(self._by_digest.values())
