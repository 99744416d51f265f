from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.config.fault_entry import FaultEntry
from labs_mock.ids import fingerprint
from labs_mock.state.account import Account, key_digest
from labs_mock.state.quota import Quota, spent
from labs_mock.state.store import Store
from tests.state.samples import ONE, START, Make, arrival, bounds, commit, episode, initial, run

bodies = st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b"e"]), max_size=40)


async def attempts(store: Store, made: list[bytes]) -> list[int]:
    """The attempt that each of some requests is."""
    return [(await store.arrive(arrival(body))).attempt for body in made]


@given(made=bodies)
def test_attempts_count_equal_requests(make: Make, made: list[bytes]) -> None:
    """The n-th request of its kind is attempt n - 1, whatever other requests there are (DET-3)."""
    before: Counter[bytes] = Counter()
    expected = []
    for body in made:
        expected.append(before[body])
        before[body] += 1
    assert run(attempts(make(), made)) == expected


def naive(made: list[bytes], limit: int) -> list[int]:
    """The same counts from a list of pairs in the order in which requests were last made."""
    kept: list[tuple[bytes, int]] = []
    found = []
    for one in made:
        attempt = dict(kept).get(one, 0)
        kept = [*(pair for pair in kept if pair[0] != one), (one, attempt + 1)][-limit:]
        found.append(attempt)
    return found


@given(made=bodies, limit=st.integers(1, 5))
def test_the_request_that_was_not_made_for_longest_is_forgotten_first(
    make: Make, made: list[bytes], limit: int
) -> None:
    """In any order of requests the counts are those of a naive table of the same bound (DET-3)."""
    assert run(attempts(make(bounds=bounds(attempts=limit)), made)) == naive(made, limit)


@pytest.mark.parametrize(
    "change",
    [{"key": "lab_other"}, {"method": "PUT"}, {"path": "/api/v1/compare"}, {"query": "a=1"}, {"key": "lab_nobody"}],
)
def test_other_requests_are_counted_apart(make: Make, change: dict[str, Any]) -> None:
    """Equal are those of one organisation, method, path, query and body; without a valid key the organisation is none (DET-3)."""

    async def check() -> None:
        store = make()
        assert (await store.arrive(arrival(b"a"))).attempt == 0
        other = await store.arrive(arrival(b"a", **change))
        assert other.attempt == 0
        assert (await store.arrive(arrival(b"a"))).attempt == 1
        assert (await store.arrive(arrival(b"a", **change))).attempt == 1

    run(check())


def test_the_fingerprint_names_organisation_and_request(make: Make) -> None:
    """It is that of the account's organisation, method, path with its query, and body (ID-1, DET-3)."""

    async def check() -> None:
        found = await make().arrive(arrival(b"{}", query="a=1"))
        assert found.fingerprint == fingerprint("acme", "POST", "/api/v1/evaluate?a=1", b"{}")

    run(check())


@pytest.mark.parametrize("key", ["lab_one", "lab_young"])
def test_a_valid_key_has_its_account(make: Make, key: str) -> None:
    """A key that is neither revoked nor expired has its account (AUTH-1)."""
    found = run(make(ACCOUNTS).arrive(arrival(key=key))).account
    assert found is not None
    assert found.key_digest == key_digest(key.encode())


ACCOUNTS = initial(
    accounts=(
        ONE,
        replace(Account.from_key("lab_revoked"), revoked=True),
        replace(Account.from_key("lab_old"), expires=START),
        replace(Account.from_key("lab_young"), expires=START + 1),
    )
)


@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        " lab_one",
        "lab_one ",
        "lab_on",
        "lab_one2",
        "LAB_ONE",
        "lab_revoked",
        "lab_old",
        "\xff\xfe",
        "lab_one,lab_one",
    ],
)
def test_any_other_key_has_none(make: Make, key: str | None) -> None:
    """Missing, unknown, by a byte another one, revoked or expired: no account, no quota (AUTH-1)."""
    found = run(make(ACCOUNTS).arrive(arrival(key=key)))
    assert (found.account, found.quota) == (None, None)


@given(
    limit=st.integers(1, 5),
    pauses=st.lists(st.floats(0, 90).map(lambda seconds: round(seconds * 4) / 4), min_size=1, max_size=30),
)
def test_windows_are_whole_minutes(make: Make, limit: int, pauses: list[float]) -> None:
    """In each whole minute the first n requests are allowed, and `remaining` counts down to 0 (RL-2)."""

    async def check() -> None:
        store = make(initial(accounts=(Account.from_key("lab_one", requests_per_minute=limit),)))
        made: Counter[int] = Counter()
        for pause in pauses:
            await store.advance_clock(pause)
            found = await store.arrive(arrival())
            minute = int(found.now) // 60
            made[minute] += 1
            remaining = max(0, limit - made[minute])
            assert found.quota == Quota(limit, remaining, 60 * (minute + 1), made[minute] <= limit)

    run(check())


def test_keys_do_not_share_a_quota(make: Make) -> None:
    """Each key has its own window, and a reset forgets them (RL-2)."""

    async def check() -> None:
        accounts = (
            Account.from_key("lab_one", requests_per_minute=1),
            Account.from_key("lab_two", requests_per_minute=1),
        )
        store = make(initial(accounts=accounts))

        async def allowed(key: str) -> bool:
            quota = (await store.arrive(arrival(key=key))).quota
            return quota is not None and quota.allowed

        assert [await allowed(key) for key in ("lab_one", "lab_one", "lab_two")] == [True, False, True]
        await store.reset(("limits",))
        assert await allowed("lab_one")

    run(check())


def test_only_a_valid_request_uses_quota(make: Make) -> None:
    """One that fails a check before has none, and neither has one with a fault that is an error; a delay takes none away (RL-1)."""

    async def check() -> None:
        error = FaultEntry.model_validate({"status": 503, "path": "*/compare"})
        delay = FaultEntry.model_validate({"delay": 1})
        store = make(initial(error, delay))
        assert (await store.arrive(arrival(valid=False))).quota is None
        failed = await store.arrive(arrival(path="/api/v1/compare"))
        assert (failed.quota, [fault.id for fault in failed.faults]) == (None, ["fault-1", "fault-2"])
        found = (await store.arrive(arrival())).quota
        assert found is not None
        assert found.remaining == found.limit - 1

    run(check())


def test_a_spent_quota_says_so_whether_it_is_or_not() -> None:
    """It has nothing left until the minute is over, for a 429 that a fault makes (RL-2)."""
    assert spent(ONE, 61.5) == Quota(ONE.requests_per_minute, 0, 120, False)


def test_faults_are_matched_for_requests_of_the_api(make: Make) -> None:
    """Others are counted by no fault; one that names a scenario looks for it in the body, its items, or the episode (RL-1)."""

    async def check() -> None:
        entry = FaultEntry.model_validate({"status": 503, "scenario_slug": "weekly"})
        store = make(initial(entry))
        await commit(store, created=episode("ep_1"))
        body = b'{"collection_slug":"coaching","scenario_slug":"weekly"}'
        cases = {
            "other": arrival(b'{"scenario_slug":"daily"}'),
            "body": arrival(body),
            "items": arrival(b'{"items":[1,%b]}' % body),
            "episode": arrival(path="/api/v1/episodes/ep_1/turns"),
            "no episode": arrival(path="/api/v1/episodes/ep_2/turns"),
            "no JSON": arrival(b"{"),
            "not of the API": arrival(body, api=False),
        }
        found = {name: bool((await store.arrive(one)).faults) for name, one in cases.items()}
        assert [name for name, triggered in found.items() if triggered] == ["body", "items", "episode"]
        (planned,) = await store.faults()
        assert (planned.matched, planned.applied) == (3, 3)

    run(check())
