"""The client: never more than its budget, and patient with the rate limit."""

import time
from collections import Counter

import pytest

from labs_mock.config.server_file import KeyEntry
from labs_mock.conformance.client import WITH_SECOND_KEY, Client
from labs_mock.conformance.profiles import PROFILES
from labs_mock.conformance.runner import run_checks
from labs_mock.conformance.target import Target
from labs_mock.conformance.violations import OutOfBudget
from tests.support import KEY, Live, live, world

KEYS = [KeyEntry(key=KEY, organisation="a", requests_per_minute=20)]
OTHER = f"{KEY}_other"
BOTH = [*KEYS, KeyEntry(key=OTHER, organisation="b", requests_per_minute=5)]
CATALOG = ("GET", "/api/v1/catalog")


def statuses(server: Live) -> Counter[int]:
    """How often the server has answered with each status."""
    return Counter(record.status for record in server.records())


def test_a_run_waits_for_windows_as_they_pass() -> None:
    """On a server whose minutes take a second a run of several windows is never refused, and keeps its budget (RL-2)."""
    with live(world(keys=KEYS, clock="x60")) as running:
        with Client(running.url, KEY, max_requests=70, sleep=lambda pause: time.sleep(pause / 60)) as client:
            report = run_checks(Target(client), PROFILES["quick"])
        assert report.waited > 0
        assert len(running.records()) <= report.requests <= 70
        assert statuses(running)[429] == 0
        assert statuses(running)[200] > 20
        assert [one for one in report.verdicts if one.violation] == []


def test_a_clock_that_is_behind_is_learned() -> None:
    """Where the server's window ends later than our clock says, requests are late and not lost (RL-2)."""
    with live(world(keys=KEYS)) as running, Client(running.url, KEY, sleep=running.advance) as client:
        seen = {client.send(*CATALOG).status for _ in range(100)}
        assert seen == {200}
        assert statuses(running)[429] <= 3


def test_a_quota_that_others_use_is_waited_for() -> None:
    """A 429 that came without a warning is waited for, and the request sent again (RL-2)."""
    with live(world(keys=KEYS)) as running, Client(running.url, KEY, sleep=running.advance) as client:
        assert client.send(*CATALOG).status == 200
        for _ in range(19):
            running.client.get(CATALOG[1], headers={"authorization": f"Bearer {KEY}"})
        assert client.send(*CATALOG).status == 200


def test_a_server_that_always_refuses_is_left_alone(server: Live) -> None:
    """After three more attempts at a request its 429 is the answer, and no other one is sent (RL-2)."""
    server.client.post("/_mock/faults", json={"status": 429}).raise_for_status()
    waited: list[float] = []
    with Client(server.url, KEY, max_requests=9, sleep=waited.append) as client:
        assert client.send(*CATALOG).status == 429
        with pytest.raises(OutOfBudget, match="does not lift"):
            client.send(*CATALOG)
    assert len(server.records()) == client.used == 4
    assert max(waited) <= 61


def test_attempts_count_for_the_budget(server: Live) -> None:
    """A request that is sent again uses as many as it is sent (RL-2)."""
    server.client.post("/_mock/faults", json={"status": 429}).raise_for_status()
    with (
        Client(server.url, KEY, max_requests=3, sleep=lambda _: None) as client,
        pytest.raises(OutOfBudget, match="spent"),
    ):
        client.send(*CATALOG)
    assert len(server.records()) == client.used == 3


def test_a_run_ends_where_no_window_ever_does() -> None:
    """On a clock that stands still the quota of a minute is all there is: one request waits, and the rest is skipped (RL-2)."""
    waited: list[float] = []
    with live(world(keys=KEYS)) as running, Client(running.url, KEY, sleep=waited.append) as client:
        report = run_checks(Target(client), PROFILES["quick"])
    assert sum(waited) < 5 * 60
    assert statuses(running)[429] <= 4
    assert any("does not lift" in one.reason for one in report.verdicts)


def test_each_key_has_its_own_limit() -> None:
    """The second key waits for its own window and counts for the one budget; the first one does not wait for it (RL-2)."""
    waited: list[float] = []
    with live(world(keys=BOTH)) as running:

        def sleep(seconds: float) -> None:
            waited.append(seconds)
            running.advance(60)

        with Client(running.url, KEY, second_key=OTHER, max_requests=22, sleep=sleep) as client:
            assert {client.send(*CATALOG, authorization=WITH_SECOND_KEY).status for _ in range(5)} == {200}
            assert {client.send(*CATALOG).status for _ in range(12)} == {200}
            assert waited == []
            assert {client.send(*CATALOG, authorization=WITH_SECOND_KEY).status for _ in range(5)} == {200}
            assert len(waited) == 1
            with pytest.raises(OutOfBudget, match="spent"):
                client.send(*CATALOG, authorization=WITH_SECOND_KEY)
        assert statuses(running) == {200: 22}
