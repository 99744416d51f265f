"""A retry after 429.

Documented: the status, and to wait until `X-RateLimit-Reset`, which is in unix seconds, by `time.time()`.
Reconstructed: the call that is repeated, and the loop around it.
"""

import sys
import time
from types import SimpleNamespace

import httpx
import pytest

from labs_mock.clock import parse_instant
from labs_mock.testing import LabsMock

HERE = sys.modules[__name__]
RATE = 600
TALK = {
    "collection_slug": "case-management",
    "scenario_slug": "lower-back-claim",
    "messages": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "What happened?"}],
}


def evaluate(client: httpx.Client) -> float:
    """The reward, however long it takes to get it."""
    while True:
        response = client.post("/evaluate", json=TALK)
        if response.status_code != 429:
            return float(response.raise_for_status().json()["reward"])
        time.sleep(max(0, int(response.headers["X-RateLimit-Reset"]) - time.time()))


def evaluate_beyond_the_limit(client: httpx.Client, slept: list[float]) -> None:
    """Evaluate until there was a wait, which may take more than a minute's quota if the minute ends meanwhile."""
    rewards = [evaluate(client)]
    while not slept and len(rewards) < 200:
        rewards.append(evaluate(client))
    assert len(set(rewards)) == 1


@pytest.mark.labs_mock(clock="real", plan="standard")
def test_it_waits_for_a_minute_at_most(
    labs_mock: LabsMock, labs_mock_client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the real clock the first retry is answered; here the server's clock moves on where a client sleeps (RL-1, RL-2)."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        labs_mock.advance(seconds)

    monkeypatch.setattr(HERE, "time", SimpleNamespace(time=time.time, sleep=sleep))
    evaluate_beyond_the_limit(labs_mock_client, slept)
    assert len(slept) == 1
    assert 0 <= slept[0] <= 60
    assert [request.status for request in labs_mock.requests].count(429) == 1


@pytest.mark.labs_mock(clock=f"x{RATE}", plan="standard")
def test_it_does_not_wait_where_a_minute_is_short(
    labs_mock: LabsMock, labs_mock_client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that lives on the server's fast clock sleeps a tenth of a second at most (RL-1, RL-2)."""
    slept: list[float] = []
    start, began = parse_instant(labs_mock.now), time.monotonic()

    def now() -> float:
        return start + (time_module.monotonic() - began) * RATE

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time_module.sleep(seconds / RATE)

    time_module = time
    monkeypatch.setattr(HERE, "time", SimpleNamespace(time=now, sleep=sleep))
    evaluate_beyond_the_limit(labs_mock_client, slept)
    assert all(0 <= seconds <= 61 for seconds in slept)
