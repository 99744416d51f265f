from dataclasses import replace

import pytest

from labs_mock.config.server_file import KeyEntry, KeyTerms
from labs_mock.contract.limits import PLANS
from labs_mock.errors import Forbidden, Unauthorized
from labs_mock.state.account import Account, key_digest, require_account


def test_subscriptions_decide_collections() -> None:
    """Without a list all collections are open; with one, only those in it (AUTH-2)."""
    Account.from_key("lab_all").require("anything")
    some = replace(Account.from_key("lab_some"), subscriptions=("coaching",))
    some.require("coaching")
    with pytest.raises(Forbidden, match="No active subscription for collection"):
        some.require("finance")


def test_an_account_is_required() -> None:
    """Without one it is a 401 (AUTH-1)."""
    account = Account.from_key("lab_one")
    assert require_account(account) is account
    with pytest.raises(Unauthorized, match="Invalid or missing API key"):
        require_account(None)


@pytest.mark.parametrize(
    ("entry", "quota"),
    [
        (KeyEntry(key="lab_a", organisation="a"), PLANS["enterprise"]),
        (KeyEntry(key="lab_a", organisation="a", plan="standard"), 60),
        (KeyEntry(key="lab_a", organisation="a", plan="premium"), 300),
        (KeyEntry(key="lab_a", organisation="a", requests_per_minute=120), 120),
    ],
)
def test_a_plan_is_a_number_of_requests(entry: KeyEntry, quota: int) -> None:
    """Plans and own numbers end up as requests a minute (RL-2)."""
    assert Account.from_entry(entry).requests_per_minute == quota


def test_only_terms_that_are_set_change() -> None:
    """The others stay as they were; subscriptions are sorted, each once (KEY-1)."""
    entry = KeyEntry(key="lab_a", organisation="a", name="A", plan="standard", expires="2027-01-01")
    account = Account.from_entry(entry)
    changed = account.with_terms(KeyTerms(subscriptions=["b", "a", "b"]))
    assert changed == replace(account, subscriptions=("a", "b"))
    assert changed.with_terms(KeyTerms(subscriptions="*", expires=None)) == replace(account, expires=None)
    assert account.with_terms(KeyTerms()) == account


def test_an_account_does_not_have_its_key() -> None:
    """Its digest and stars stand in the key's place, and neither shows it (ERR-2)."""
    account = Account.from_key("lab_secret", "acme")
    assert (account.key_digest, account.masked) == (key_digest(b"lab_secret"), "lab_******")
    assert "secret" not in repr(account)
    other = account.with_key("lab_other")
    assert other == Account.from_key("lab_other", "acme")
    assert other.key_id != account.key_id
