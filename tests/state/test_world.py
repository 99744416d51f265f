import pytest

from labs_mock.config.server_file import KeyEntry
from labs_mock.errors import Forbidden, NotFound
from labs_mock.state.accounts import Account
from tests.support import KEY, world

ALL = Account("lab_all")
SOME = Account("lab_some", subscriptions=frozenset({"coaching"}))


def test_a_scenario_is_found_by_its_slugs() -> None:
    """The same player is found each time, so that what it remembers serves every request."""
    here = world()
    player = here.player(ALL, "case-management", "back-claim")
    assert player.scenario.slug == "back-claim"
    assert here.player(ALL, "case-management", "back-claim") is player


@pytest.mark.parametrize(
    ("account", "collection", "slug", "error"),
    [
        (ALL, "nope", "back-claim", NotFound),
        (ALL, "case-management", "nope", NotFound),
        (SOME, "nope", "back-claim", NotFound),
        (SOME, "case-management", "back-claim", Forbidden),
        (SOME, "case-management", "nope", Forbidden),
    ],
)
def test_what_cannot_be_played(account: Account, collection: str, slug: str, error: type[Exception]) -> None:
    """An unknown collection is 404, one without a subscription 403, then an unknown scenario 404 (EP-1, AUTH-2)."""
    with pytest.raises(error):
        world().player(account, collection, slug)


def test_keys_come_from_the_file_or_from_the_settings() -> None:
    """Without a list in server.yaml there is one key, that of the settings, with their plan."""
    (only,) = world(plan="premium", api_key="lab_mine").accounts
    assert (only.key, only.organisation, only.requests_per_minute) == ("lab_mine", "local", 300)
    listed = world(keys=[KeyEntry(key="lab_a", organisation="a"), KeyEntry(key="lab_b", organisation="b")])
    assert [account.key for account in listed.accounts] == ["lab_a", "lab_b"]


def test_a_reset_world_is_like_a_fresh_one() -> None:
    """Clock, quotas, attempts and episodes start anew; the instance stays."""
    used = world()
    account = next(iter(used.accounts))
    start, instance = used.clock.now(), used.instance
    used.clock.advance(100)
    used.limits.take(account, start)
    used.attempts.next(b"asked")
    used.episodes.create(iter(["ep"]), "local", used.player(account, "case-management", "back-claim"), False, start)
    used.reset()
    assert (used.clock.now(), used.instance, len(used.episodes)) == (start, instance, 0)
    assert used.attempts.next(b"asked") == 0
    assert used.limits.take(account, start).remaining == account.requests_per_minute - 1
    assert KEY not in repr(account)
