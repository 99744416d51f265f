from collections.abc import Callable
from math import isnan
from types import ModuleType
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.trainers.rollouts import CLAIM, CONVERSATIONS, THEIRS, conversation
from tests.trainers.verifiers01.conftest import Outputs

vf = pytest.importorskip("verifiers")

pytestmark = THEIRS

Play = Callable[[Any], Outputs]


def rewards(outputs: Outputs) -> list[float]:
    """What a trainer reads."""
    return [output["reward"] for output in outputs]


def said(output: dict[str, Any]) -> list[dict[str, Any]]:
    """What the model said, by the record of verifiers."""
    return conversation(*(message["content"] for message in output["completion"] if message["role"] == "assistant"))


def test_episodes_are_in_place(labs_mock: LabsMock, play: Play, example: ModuleType) -> None:
    """Each rollout has the last reward of its episode, and all that the model said."""
    outputs = play(example.load_environment())
    assert [said(output) for output in outputs] == CONVERSATIONS
    assert labs_mock.verdict(rewards(outputs), CONVERSATIONS, **CLAIM).label == "in_place"


def test_a_failed_turn_has_no_reward(labs_mock: LabsMock, play: Play, example: ModuleType) -> None:
    """The example says so with NaN, and ends that rollout alone."""
    labs_mock.add_fault(path="/api/v1/episodes/*/turns", nth=20, status=404)
    outputs = play(example.load_environment())
    assert labs_mock.verdict(rewards(outputs), map(said, outputs), **CLAIM).label == "nan"
    assert [isnan(output["reward"]) for output in outputs] == [bool(output["error"]) for output in outputs]


def test_the_rubric_turns_an_error_into_zero(labs_mock: LabsMock, play: Play, example: ModuleType) -> None:
    """A reward function that raises, as one does that asks the service itself, gives 0.0: it is logged and trained on."""
    environment = example.load_environment()

    async def evaluate(state: Any) -> float:
        turns = [step["completion"][-1].content for step in state["trajectory"]]
        answer = await example.post(environment.http, "/evaluate", **CLAIM, messages=conversation(*turns))
        return float(answer["reward"])

    environment.rubric = vf.Rubric([evaluate])
    labs_mock.add_fault(path="/api/v1/evaluate", nth=3, status=403)
    outputs = play(environment)
    assert not any(output["error"] for output in outputs)
    assert labs_mock.verdict(rewards(outputs), CONVERSATIONS, **CLAIM).label == "failure_became_zero"


def as_documented(environment: Any) -> Any:
    """An environment in the usual form: turns are submitted by `env_response`."""

    class Documented(environment):  # type: ignore[misc] # a class of the example
        async def add_trajectory_step(self, state: Any, trajectory_step: Any) -> None:
            await vf.MultiTurnEnv.add_trajectory_step(self, state, trajectory_step)

        async def env_response(self, messages: Any, state: Any, **options: Any) -> Any:
            message = {"role": "assistant", "content": messages[-1].content}
            path = f"/episodes/{state['episode']}/turns"
            state["turn"] = await self.ask(path, id=state["episode"], messages=[message])
            return await super().env_response(messages, state, **options)

    return Documented


def summing(environment: Any) -> Any:
    """An environment that adds up the rewards of the turns."""

    class Summing(environment):  # type: ignore[misc] # a class of the example
        async def add_trajectory_step(self, state: Any, trajectory_step: Any) -> None:
            total = state["turn"].get("reward", 0.0)
            await super().add_trajectory_step(state, trajectory_step)
            state["turn"]["reward"] += total

    return Summing


@pytest.mark.parametrize(("twin", "label"), [(as_documented, "last_but_one_turn"), (summing, "summed_over_turns")])
def test_a_broken_environment_is_convicted(
    twin: Any,
    label: str,
    labs_mock: LabsMock,
    play: Play,
    example: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At `max_turns` the loop ends before `env_response`: the last message is trained on and was never submitted."""
    monkeypatch.setattr(example, "LabsEnv", twin(example.LabsEnv))
    outputs = play(example.load_environment())
    assert [said(output) for output in outputs] == CONVERSATIONS
    assert labs_mock.verdict(rewards(outputs), CONVERSATIONS, **CLAIM).label == label


@pytest.mark.parametrize(
    ("order", "label"),
    [
        (lambda outputs: sorted(outputs, key=lambda output: output["reward"]), "sorted(reward)"),
        (lambda outputs: outputs[-1:] + outputs[:-1], "shifted(1)"),
    ],
)
def test_outputs_in_another_order_are_convicted(
    order: Any, label: str, labs_mock: LabsMock, play: Play, example: ModuleType
) -> None:
    """Rewards of outputs that were sorted or moved on are not those of the conversations in their order."""
    outputs = order(play(example.load_environment()))
    assert labs_mock.verdict(rewards(outputs), CONVERSATIONS, **CLAIM).label == label
