"""Keys: whose they are, what they may see, how often they may ask (AUTH-1…3, RL-2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from hmac import compare_digest
from typing import Literal

from labs_mock.clock import parse_instant
from labs_mock.contract.limits import PLANS
from labs_mock.contract.wording import NO_SUBSCRIPTION, UNAUTHORIZED
from labs_mock.errors import Forbidden, Unauthorized
from labs_mock.scenario.server_file import AccountFile

ScoreAccess = Literal["full", "scores", "reward"]


@dataclass(frozen=True, slots=True)
class Account:
    """One key. `subscriptions` None means all collections; `expires` is in unix seconds, 0 for never."""

    key: str = field(repr=False)
    organisation: str = "local"
    requests_per_minute: int = PLANS["enterprise"]
    subscriptions: frozenset[str] | None = None
    score_access: ScoreAccess = "full"
    expires: float = 0
    revoked: bool = False

    @classmethod
    def of(cls, file: AccountFile) -> "Account":
        """The account of an entry of `server.yaml`."""
        return cls(
            key=file.key,
            organisation=file.organisation,
            requests_per_minute=file.requests_per_minute or PLANS[file.plan or "enterprise"],
            subscriptions=None if file.subscriptions == "*" else frozenset(file.subscriptions),
            score_access=file.score_access,
            expires=0 if file.expires is None else parse_instant(file.expires),
            revoked=file.revoked,
        )

    def valid(self, now: float) -> bool:
        """Neither revoked nor expired."""
        return not self.revoked and (not self.expires or now < self.expires)

    def require(self, collection: str) -> None:
        """Raises `Forbidden` without a subscription for the collection (AUTH-2)."""
        if not self.may_use(collection):
            raise Forbidden(NO_SUBSCRIPTION)

    def may_use(self, collection: str) -> bool:
        """Whether there is a subscription for the collection."""
        return self.subscriptions is None or collection in self.subscriptions


class Accounts:
    """The keys of the server, found by their digests, so that no comparison stops at the first difference."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._by_digest = {_digest(account.key.encode()): account for account in accounts}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_digest.values())

    def find(self, authorization: bytes | None, now: float) -> Account | None:
        """The account of an `Authorization` header; None without a valid key (AUTH-1)."""
        scheme, _, key = (authorization or b"").partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        key = key.strip(b" ")
        account = self._by_digest.get(_digest(key))
        if account is None or not compare_digest(account.key.encode(), key) or not account.valid(now):
            return None
        return account


def require_account(account: Account | None) -> Account:
    """The account itself. Raises `Unauthorized` if there is none (AUTH-1)."""
    if account is None:
        raise Unauthorized(UNAUTHORIZED)
    return account


def _digest(key: bytes) -> bytes:
    return blake2b(key, digest_size=16).digest()
