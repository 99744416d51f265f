from collections.abc import Callable
from typing import Any

import httpx
import pytest

from labs_mock.testing import LabsMock
from tests.pages import ROOT
from tests.test_examples import load
from tests.trainers.nemo.conftest import Play
from tests.trainers.rollouts import CLAIM, CONVERSATIONS, THEIRS, conversation

pytest.importorskip("resources_servers.gymnasium", reason="NeMo Gym is not here: it needs Python 3.12")
pytest.importorskip("nemo_gym")

pytestmark = THEIRS


LabsServer = load(ROOT / "examples/nemo/app.py").LabsServer


class RewardSoFar(LabsServer):  # type: ignore[valid-type,misc] # a class of the example
    """Gives the reward of the conversation so far in each step."""

    async def step(self, *action: Any) -> Any:
        observation, _, *rest = await super().step(*action)
        return observation, self.session_state[action[2]]["reward"], *rest


class LastNotSubmitted(LabsServer):  # type: ignore[valid-type,misc] # a class of the example
    """Ends before the last message is submitted."""

    async def step(self, *action: Any) -> Any:
        state = self.session_state[action[2]]
        state["steps"] = state.get("steps", 0) + 1
        return (None, 0.0, True, False, {}) if state["steps"] == 3 else await super().step(*action)


class ZeroForFailure(LabsServer):  # type: ignore[valid-type,misc] # a class of the example
    """Gives 0.0 and ends where the service refuses a turn."""

    async def step(self, *action: Any) -> Any:
        try:
            return await super().step(*action)
        except httpx.HTTPError:
            return None, -self.session_state[action[2]]["reward"], True, False, {}


def said(rollout: dict[str, Any]) -> list[dict[str, Any]]:
    """What the model said, by the record of NeMo Gym."""
    items = (item for item in rollout["response"]["output"] if item.get("id"))
    return conversation(*(item["content"][0]["text"] for item in items))


def rewards(rollouts: list[dict[str, Any]]) -> list[float]:
    """What a trainer gets."""
    return [rollout["reward"] for rollout in rollouts]


def test_episodes_are_in_place(labs_mock: LabsMock, play: Play) -> None:
    """NeMo Gym's agent plays whole episodes, and their rewards are the last ones."""
    rollouts = play(LabsServer)
    assert [said(rollout) for rollout in rollouts] == CONVERSATIONS
    assert labs_mock.verdict(rewards(rollouts), CONVERSATIONS, **CLAIM).label == "in_place"


@pytest.mark.parametrize(
    ("twin", "label"), [(RewardSoFar, "summed_over_turns"), (LastNotSubmitted, "last_but_one_turn")]
)
def test_a_broken_server_is_convicted(twin: Any, label: str, labs_mock: LabsMock, play: Play) -> None:
    """NeMo Gym's agent adds up the rewards of steps, as NeMo RL's rollouts do, and takes what a server gives."""
    rollouts = play(twin)
    assert labs_mock.verdict(rewards(rollouts), map(said, rollouts), **CLAIM).label == label


def test_a_failure_as_zero_is_convicted(labs_mock: LabsMock, play: Play) -> None:
    """A rollout whose turn was refused is complete, and has reward 0, if the server says so."""
    labs_mock.add_fault(path="/api/v1/episodes/*/turns", nth=20, status=404)
    rollouts = play(ZeroForFailure)
    assert labs_mock.verdict(rewards(rollouts), map(said, rollouts), **CLAIM).label == "failure_became_zero"


def test_a_failure_is_no_rollout(labs_mock: LabsMock, play: Play) -> None:
    """What a server raises is a 500 of the agent: there is no reward, and nothing to train on."""
    labs_mock.add_fault(path="/api/v1/episodes/*/turns", nth=20, status=404)
    rollouts = play(LabsServer)
    assert sorted(rollout["status"] for rollout in rollouts) == [200] * 7 + [500]


ORDERS: list[tuple[Callable[[list[Any]], list[Any]], str]] = [
    (lambda rollouts: sorted(rollouts, key=lambda rollout: rollout["reward"]), "sorted(reward)"),
    (lambda rollouts: rollouts[-1:] + rollouts[:-1], "shifted(1)"),
]


@pytest.mark.parametrize(("order", "label"), ORDERS)
def test_rollouts_in_another_order_are_convicted(order: Any, label: str, labs_mock: LabsMock, play: Play) -> None:
    """Rewards of rollouts that were sorted or moved on are not those of the conversations in their order."""
    assert labs_mock.verdict(rewards(order(play(LabsServer))), CONVERSATIONS, **CLAIM).label == label
