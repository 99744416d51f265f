import asyncio

import httpx
import pytest

from labs_mock.state.bounds import Bounds
from labs_mock.testing import ControlError, LabsMock, UndecidableError
from tests.support import CLAIM, KEY, live, world
from tests.testing.conversation import CONVERSATION, MESSAGES, post

BY_HAND = "0a9d5c7e-3e21-4b6f-b8f0-62d4e1a7c938"


def test_a_mock_responds_once_it_is_started(mock: LabsMock) -> None:
    """On a frozen clock, and its instance is the one of its health."""
    assert post(mock, "evaluate", CONVERSATION).status_code == 200
    assert mock.url.startswith("http://127.0.0.1:")
    assert mock.api_key == KEY
    assert mock.health().instance == mock.instance
    assert mock.now == "2026-01-01T00:00:00Z"


def test_the_clock_can_be_moved(mock: LabsMock) -> None:
    """It is advanced, set, run at another rate, and reset; it never goes back."""
    mock.advance(90)
    assert mock.now == "2026-01-01T00:01:30Z"
    mock.set_clock("2027-01-01T00:00:00Z", "x60")
    assert mock.now.startswith("2027-01-01T00:00:0")
    with pytest.raises(ControlError, match="the clock does not go back"):
        mock.set_clock("2020-01-01T00:00:00Z")
    mock.reset("clock")
    assert mock.now == "2026-01-01T00:00:00Z"


def test_faults_keys_and_datasets_can_be_changed(mock: LabsMock) -> None:
    """Each operation of the control plane has a method, and returns an object with its fields."""
    name = mock.add_fault(path="/api/v1/evaluate", first=1, status=503)
    assert [post(mock, "evaluate", CONVERSATION).status_code for _ in range(2)] == [503, 200]
    assert [(fault.id, fault.matched, fault.applied) for fault in mock.faults()] == [(name, 2, 1)]
    mock.remove_faults(name)
    assert mock.faults() == []
    mock.add_key("lab_other", "acme", plan="standard")
    assert post(mock, "evaluate", CONVERSATION, "lab_other").headers["x-ratelimit-limit"] == "60"
    assert mock.change_key("lab_other", revoked=True).revoked is True
    assert post(mock, "evaluate", CONVERSATION, "lab_other").status_code == 401
    assert len(mock.keys()) == 2
    assert mock.set_dataset(BY_HAND, "failed", error="No disk").error == "No disk"
    assert {dataset.status for dataset in mock.datasets() if dataset.id == BY_HAND} == {"failed"}


def test_episodes_and_rewards_can_be_inspected(mock: LabsMock) -> None:
    """Why a reward is what it is, the transcript of an episode, and an end on the client's behalf."""
    reward = post(mock, "evaluate", CONVERSATION).json()["reward"]
    explained = mock.explain("case-management", "lower-back-claim", MESSAGES)
    assert (explained["reward"], explained["findings"]) == (reward, [])
    assert explained["rules"]
    name = post(mock, "episodes", {**CONVERSATION, "score_turns": True}).json()["episode_id"]
    assert (mock.episode(name).turn, mock.episode(name).transcript[0]["speaker"]) == (0, "persona")
    assert mock.terminate(name).terminal_reason == "client_terminated"
    assert mock.rewards_served == [reward]


def test_scenarios_can_be_added(mock: LabsMock) -> None:
    """As an object or as YAML, checked like a file."""
    added = mock.add_scenario(CLAIM, "claim", "mine")
    assert (added.collection_slug, added.scenario_slug) == ("mine", "claim")
    body = {"collection_slug": "mine", "scenario_slug": "claim"}
    assert post(mock, "episodes", body).json()["initial_observation"]["content"] == CLAIM["persona"]["opening"]
    with pytest.raises(ControlError, match=r"test\.yaml:1:1: 'nme'|unknown key 'nme'"):
        mock.add_scenario("nme: x\n")


def test_rewards_outlive_their_requests() -> None:
    """The log of rewards is longer than the journal; once it has dropped some itself, `rewards_served` is undecidable."""
    bounded = world(bounds=Bounds(records=2, rewards=4))
    with live(bounded) as server, LabsMock(url=server.url) as mock:
        made = [
            post(mock, "evaluate", {**CONVERSATION, "scenario_slug": "back-claim"}).json()["reward"] for _ in range(4)
        ]
        assert (len(mock.requests), mock.rewards_served) == (2, made)
        post(mock, "evaluate", {**CONVERSATION, "scenario_slug": "back-claim"})
        with pytest.raises(UndecidableError, match="undecidable: the oldest reward was dropped; `find_rewards` has"):
            _ = mock.rewards_served
        assert mock.find_rewards().requests == [2, 3, 4, 5]


def test_a_mock_works_in_async_code() -> None:
    """As an async context manager, beside an async client."""

    async def use() -> int:
        async with LabsMock() as mock, httpx.AsyncClient(base_url=mock.url) as client:
            response = await client.get("/api/v1/catalog", headers={"authorization": f"Bearer {mock.api_key}"})
            return response.status_code

    assert asyncio.run(use()) == 200
