import pytest

from labs_mock.config.server_file import KeyEntry
from labs_mock.contract.limits import PLANS
from labs_mock.errors import Forbidden, Unauthorized
from labs_mock.state.accounts import Account, Accounts, require_account

NOW = 1_000.0
ACCOUNTS = Accounts(
    [
        Account("lab_one", "acme"),
        Account("lab_revoked", revoked=True),
        Account("lab_old", expires=NOW),
        Account("lab_young", expires=NOW + 1),
    ]
)


@pytest.mark.parametrize("key", [b"lab_one", b"lab_young"])
def test_a_valid_key_is_found(key: bytes) -> None:
    """A key that is neither revoked nor expired has its account (AUTH-1)."""
    account = ACCOUNTS.find(key, NOW)
    assert account is not None
    assert account.key.encode() == key


@pytest.mark.parametrize(
    "key",
    [
        None,
        b"",
        b" lab_one",
        b"lab_one ",
        b"lab_on",
        b"lab_one2",
        b"LAB_ONE",
        b"lab_revoked",
        b"lab_old",
        b"\xff\xfe",
        b"lab_one,lab_one",
    ],
)
def test_any_other_key_is_not(key: bytes | None) -> None:
    """Missing, unknown, by a byte another one, revoked or expired: no account, and 401 if one is needed (AUTH-1)."""
    account = ACCOUNTS.find(key, NOW)
    assert account is None
    with pytest.raises(Unauthorized, match="Invalid or missing API key"):
        require_account(account)


def test_subscriptions_decide_collections() -> None:
    """Without a list all collections are open; with one, only those in it (AUTH-2)."""
    Account("lab_all").require("anything")
    some = Account("lab_some", subscriptions=frozenset({"coaching"}))
    some.require("coaching")
    with pytest.raises(Forbidden, match="No active subscription for collection"):
        some.require("finance")


@pytest.mark.parametrize(
    ("file", "quota"),
    [
        (KeyEntry(key="lab_a", organisation="a"), PLANS["enterprise"]),
        (KeyEntry(key="lab_a", organisation="a", plan="standard"), 60),
        (KeyEntry(key="lab_a", organisation="a", plan="premium"), 300),
        (KeyEntry(key="lab_a", organisation="a", requests_per_minute=120), 120),
    ],
)
def test_a_plan_is_a_number_of_requests(file: KeyEntry, quota: int) -> None:
    """Plans and own numbers end up as requests a minute (RL-2)."""
    assert Account.of(file).requests_per_minute == quota


def test_keys_are_not_shown() -> None:
    """The repr of an account has no key in it."""
    assert "lab_one" not in repr(Account("lab_one"))
