from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.trainers.rollouts import CLAIM, CONVERSATIONS, THEIRS, conversation

vf = pytest.importorskip("verifiers.v1")

pytestmark = THEIRS

Play = Callable[[], list[Any]]


def rewards(traces: list[Any]) -> list[float]:
    """What a trainer reads."""
    return [trace.reward for trace in traces]


def said(trace: Any) -> list[dict[str, Any]]:
    """What the model said, by the record of verifiers."""
    return conversation(*(node.message.content for node in trace.nodes if node.sampled))


def test_episodes_are_in_place(labs_mock: LabsMock, play: Play) -> None:
    """Each trace has the last reward of its episode, and all that the model said."""
    traces = play()
    assert all(trace.ok for trace in traces)
    assert [said(trace) for trace in traces] == CONVERSATIONS
    assert labs_mock.verdict(rewards(traces), CONVERSATIONS, **CLAIM).label == "in_place"


def test_a_failed_turn_has_reward_zero(labs_mock: LabsMock, play: Play) -> None:
    """A trace that failed is not `ok`, and its reward is 0.0 all the same: who reads rewards alone trains on it."""
    labs_mock.add_fault(path="/api/v1/episodes/*/turns", nth=20, status=404)
    traces = play()
    assert labs_mock.verdict(rewards(traces), map(said, traces), **CLAIM).label == "failure_became_zero"
    kept = [trace for trace in traces if trace.ok]
    assert len(kept) == len(traces) - 1
    assert labs_mock.verdict(rewards(kept), map(said, kept), **CLAIM).label == "in_place"


def test_a_reward_function_that_raises_has_reward_zero(
    labs_mock: LabsMock, play: Play, example: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is where scoring fails: the reward of each function is None, and their sum 0.0."""

    async def evaluate(_: Any, trace: Any) -> float:
        raise ConnectionError(f"no reward for {trace.id}")

    monkeypatch.setattr(example.LabsTask, "labs", vf.reward(evaluate))
    traces = play()
    assert {trace.ok for trace in traces} == {False}
    assert labs_mock.verdict(rewards(traces), CONVERSATIONS, **CLAIM).label == "became_zero"


def summing(post: Any) -> Any:
    """A client that adds up the rewards of the turns."""
    totals: dict[str, float] = {}

    async def another(http: Any, path: str, **body: Any) -> Any:
        answer = await post(http, path, **body)
        if "reward" in answer:
            totals[path] = answer["reward"] = totals.get(path, 0) + answer["reward"]
        return answer

    return another


def stopping(post: Any) -> Any:
    """A client that does not submit the third turn."""

    async def another(http: Any, path: str, **body: Any) -> Any:
        if path in last and last[path]["turn"] == 2:
            return last[path]
        last[path] = await post(http, path, **body)
        return last[path]

    last: dict[str, Any] = {}
    return another


@pytest.mark.parametrize(("twin", "label"), [(summing, "summed_over_turns"), (stopping, "last_but_one_turn")])
def test_a_broken_environment_is_convicted(
    twin: Any, label: str, labs_mock: LabsMock, play: Play, example: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment decides what a reward is: the sum of all turns, or that before the last, passes without a word."""
    monkeypatch.setattr(example, "post", twin(example.post))
    traces = play()
    assert all(trace.ok for trace in traces)
    assert labs_mock.verdict(rewards(traces), map(said, traces), **CLAIM).label == label


@pytest.mark.parametrize(
    ("order", "label"),
    [
        (lambda traces: sorted(traces, key=lambda trace: trace.reward), "sorted(reward)"),
        (lambda traces: traces[-1:] + traces[:-1], "shifted(1)"),
    ],
)
def test_traces_in_another_order_are_convicted(order: Any, label: str, labs_mock: LabsMock, play: Play) -> None:
    """Rewards of traces that were sorted or moved on are not those of the conversations in their order."""
    assert labs_mock.verdict(rewards(order(play())), CONVERSATIONS, **CLAIM).label == label
