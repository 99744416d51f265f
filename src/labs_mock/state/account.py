"""A key as it is stored: whose it is, what it may see, how often it may send requests (AUTH-1…3, KEY-1, RL-2)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import Any

from labs_mock.clock import parse_instant
from labs_mock.config.server_file import LOCAL, KeyEntry, KeyTerms, ScoreAccess
from labs_mock.contract.limits import PLANS
from labs_mock.contract.wording import NO_SUBSCRIPTION, UNAUTHORIZED
from labs_mock.errors import Forbidden, Unauthorized
from labs_mock.ids import key_id
from labs_mock.redaction import masked


@lru_cache(maxsize=128)  # of bytes that a client may choose: few, since a head may be long
def key_digest(key: bytes) -> bytes:
    """SHA-256 of a key, by which its account is found: no comparison of it stops at a byte that a client could find out."""
    return sha256(key).digest()


@dataclass(frozen=True, slots=True)
class Account:
    """One key's terms; the key itself is not in it, only its digest and stars in its place (`masked`).

    `subscriptions` None means all collections, else they are sorted; `expires` is in unix seconds, None for never.
    """

    key_digest: bytes
    key_id: str
    masked: str
    organisation: str = LOCAL
    name: str | None = None
    requests_per_minute: int = PLANS["enterprise"]
    subscriptions: tuple[str, ...] | None = None
    score_access: ScoreAccess = "full"
    expires: float | None = None
    revoked: bool = False

    @classmethod
    def from_key(cls, key: str, organisation: str = LOCAL, requests_per_minute: int = PLANS["enterprise"]) -> "Account":
        """The account of a key, with access to everything."""
        return cls(key_digest(key.encode()), key_id(key), masked(key), organisation, None, requests_per_minute)

    @classmethod
    def from_entry(cls, entry: KeyEntry) -> "Account":
        """The account of an entry of `server.yaml`."""
        return cls.from_key(entry.key, entry.organisation).with_terms(entry)

    def with_key(self, key: str) -> "Account":
        """The same terms for another key."""
        return replace(self, key_digest=key_digest(key.encode()), key_id=key_id(key), masked=masked(key))

    def with_terms(self, terms: KeyTerms) -> "Account":
        """The same account under those terms that are set; the others stay as they were."""
        changed = {name: getattr(terms, name) for name in KeyTerms.model_fields if name in terms.model_fields_set}
        return replace(self, **dict(_TERMS[name](value) for name, value in changed.items()))

    def is_valid(self, now: float) -> bool:
        """Neither revoked nor expired (AUTH-1)."""
        return not self.revoked and (self.expires is None or now < self.expires)

    def may_use(self, collection: str) -> bool:
        """Whether there is a subscription for the collection."""
        return self.subscriptions is None or collection in self.subscriptions

    def require(self, collection: str) -> None:
        """Raises `Forbidden` without a subscription for the collection (AUTH-2)."""
        if not self.may_use(collection):
            raise Forbidden(NO_SUBSCRIPTION)


_TERMS: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "name": lambda name: ("name", name),
    "plan": lambda name: ("requests_per_minute", PLANS[name or "enterprise"]),
    "requests_per_minute": lambda number: ("requests_per_minute", number or PLANS["enterprise"]),
    "subscriptions": lambda slugs: ("subscriptions", None if slugs == "*" else tuple(sorted(set(slugs)))),
    "score_access": lambda access: ("score_access", access),
    "expires": lambda text: ("expires", None if text is None else parse_instant(text)),
    "revoked": lambda revoked: ("revoked", revoked),
}


def require_account(account: Account | None) -> Account:
    """The account itself. Raises `Unauthorized` if there is none (AUTH-1)."""
    if account is None:
        raise Unauthorized(UNAUTHORIZED)
    return account
