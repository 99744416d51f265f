"""Keys: whose they are, what they may see, how often they may ask (AUTH-1…3, KEY-1, RL-2)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from hmac import compare_digest
from typing import Any

from labs_mock.clock import instant_text, parse_instant
from labs_mock.config.server_file import LOCAL, KeyEntry, KeyTerms, ScoreAccess
from labs_mock.contract.limits import DEFAULT_PLAN, PLANS
from labs_mock.contract.wording import NO_SUBSCRIPTION, UNAUTHORIZED
from labs_mock.errors import Forbidden, Unauthorized
from labs_mock.ids import key_id
from labs_mock.redaction import masked


@dataclass(frozen=True, slots=True)
class Account:
    """One key. `subscriptions` None means all collections; `expires` is in unix seconds, None for never."""

    key: str = field(repr=False)
    organisation: str = LOCAL
    name: str | None = None
    requests_per_minute: int = PLANS[DEFAULT_PLAN]
    subscriptions: frozenset[str] | None = None
    score_access: ScoreAccess = "full"
    expires: float | None = None
    revoked: bool = False

    @classmethod
    def of(cls, file: KeyEntry) -> "Account":
        """The account of an entry of `server.yaml`."""
        return cls(key=file.key, organisation=file.organisation).under(file)

    def under(self, terms: KeyTerms) -> "Account":
        """The same account under those terms that are given; the others stay as they were."""
        changed = {name: getattr(terms, name) for name in KeyTerms.model_fields if name in terms.model_fields_set}
        return replace(self, **dict(_TERMS[name](value) for name, value in changed.items()))

    @property
    def shown(self) -> dict[str, Any]:
        """What may be shown of it: everything, with the key made unreadable."""
        return {
            "key": masked(self.key),
            "key_id": self.key_id,
            "name": self.name,
            "organisation": self.organisation,
            "requests_per_minute": self.requests_per_minute,
            "subscriptions": "*" if self.subscriptions is None else sorted(self.subscriptions),
            "score_access": self.score_access,
            "expires": None if self.expires is None else instant_text(self.expires),
            "revoked": self.revoked,
        }

    @property
    def key_id(self) -> str:
        """What the key is called where it must not be read (KEY-1)."""
        return key_id(self.key)

    def valid(self, now: float) -> bool:
        """Neither revoked nor expired."""
        return not self.revoked and (self.expires is None or now < self.expires)

    def require(self, collection: str) -> None:
        """Raises `Forbidden` without a subscription for the collection (AUTH-2)."""
        if not self.may_use(collection):
            raise Forbidden(NO_SUBSCRIPTION)

    def may_use(self, collection: str) -> bool:
        """Whether there is a subscription for the collection."""
        return self.subscriptions is None or collection in self.subscriptions


_TERMS: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "name": lambda name: ("name", name),
    "plan": lambda name: ("requests_per_minute", PLANS[name or DEFAULT_PLAN]),
    "requests_per_minute": lambda number: ("requests_per_minute", number or PLANS[DEFAULT_PLAN]),
    "subscriptions": lambda slugs: ("subscriptions", None if slugs == "*" else frozenset(slugs)),
    "score_access": lambda access: ("score_access", access),
    "expires": lambda text: ("expires", None if text is None else parse_instant(text)),
    "revoked": lambda revoked: ("revoked", revoked),
}


class Accounts:
    """The keys of the server, found by their digests, so that no comparison stops at the first difference.

    `keys` are for those who mask them.
    """

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._first = tuple(accounts)
        self.keys: set[str] = set()
        self.reset()

    def reset(self) -> None:
        """Only the keys that there were at the start, as they were."""
        self._by_digest = {_digest(account.key.encode()): account for account in self._first}
        self.keys.clear()
        self.keys.update(account.key for account in self._first)

    def put(self, account: Account) -> None:
        """Add an account, or replace the one with its key; from now on, that one counts (AUTH-1)."""
        self._by_digest[_digest(account.key.encode())] = account
        self.keys.add(account.key)

    def get(self, key: str) -> Account | None:
        """The account of a key, valid or not."""
        return self._by_digest.get(_digest(key.encode()))

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_digest.values())

    def find(self, key: bytes | None, now: float) -> Account | None:
        """The account of a key, compared byte for byte; None without a valid one (AUTH-1)."""
        if key is None:
            return None
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
