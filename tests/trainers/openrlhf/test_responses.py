"""Rewards of single responses: `reward_func` from a file, and the same over HTTP."""

import runpy
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.trainers.openrlhf.conftest import FOLDER, PROMPT, Response, Run, conversation
from tests.trainers.rollouts import ANSWERED, CLAIM, OPENING, RESPONSES, THEIRS
from tests.trainers.serving import served

agent = pytest.importorskip("openrlhf.utils.agent")
experience = pytest.importorskip("openrlhf.trainer.ppo_utils.experience")
torch = pytest.importorskip("torch")

pytestmark = THEIRS

SCRIPTS = [[response] for response in RESPONSES]
LABEL = {**CLAIM, "messages": [OPENING]}

Experiences = Callable[[list[Response]], list[Any]]


def rewards(experiences: list[Any]) -> Any:
    """The rewards of a batch, as training gets them."""
    return torch.cat([one.rewards for one in experiences])


@pytest.fixture
def bridge(example: ModuleType) -> Any:
    """The application of `bridge.py`, which imports `labs`."""
    assert example.HTTP  # it was loaded for this test's server
    return runpy.run_path(str(FOLDER / "bridge.py"))["app"]


@pytest.mark.usefixtures("example")
def test_a_reward_function_is_in_place(labs_mock: LabsMock, run: Run, experiences: Experiences, tokenizer: Any) -> None:
    """What `--reward.remote_url labs.py` trains on is the reward of what was generated, and of nothing beside it (EV-1)."""
    responses = run(agent.SingleTurnAgentExecutor(str(FOLDER / "labs.py")), PROMPT, LABEL, SCRIPTS)
    conversations = [conversation(response, tokenizer) for response in responses]
    assert conversations == ANSWERED
    assert labs_mock.verdict(rewards(experiences(responses)), conversations, **CLAIM).label == "in_place"


def test_over_http_it_is_in_place(labs_mock: LabsMock, run: Run, experiences: Experiences, bridge: Any) -> None:
    """So is what `--reward.remote_url http://…` trains on, with several servers to which requests go by turns."""
    with served(bridge) as one, served(bridge) as other:
        responses = run(agent.SingleTurnAgentExecutor([one, other]), PROMPT, LABEL, SCRIPTS)
    used = rewards(experiences(responses))
    assert used.shape == (len(SCRIPTS),)
    assert labs_mock.verdict(used, ANSWERED, **CLAIM).label == "in_place"


def test_a_list_of_rewards_has_another_shape(
    labs_mock: LabsMock, run: Run, experiences: Experiences, bridge: Any, example: ModuleType
) -> None:
    """OpenRLHF's own reward server answers with lists of one, and then rewards have the shape (1, 1) and not (1,)."""
    reward_func = example.reward_func
    bridge.routes[0].endpoint.__globals__["reward_func"] = lambda *args: {"rewards": [reward_func(*args)["rewards"]]}
    with served(bridge) as url:
        used = rewards(experiences(run(agent.SingleTurnAgentExecutor(url), PROMPT, LABEL, SCRIPTS)))
    assert used.shape == (len(SCRIPTS), 1)
    assert labs_mock.verdict(used.flatten(), ANSWERED, **CLAIM).label == "in_place"


@pytest.mark.usefixtures("example")
def test_a_failure_leaves_no_reward(labs_mock: LabsMock, run: Run, experiences: Experiences) -> None:
    """What `reward_func` raises, OpenRLHF logs and goes on without a reward; where samples are put together it then fails."""
    labs_mock.add_fault(path="/api/v1/evaluate", nth=3, status=403)
    responses = run(agent.SingleTurnAgentExecutor(str(FOLDER / "labs.py")), PROMPT, LABEL, SCRIPTS)
    assert labs_mock.verdict([one["reward"] for one in responses], ANSWERED, **CLAIM).label == "nan"
    samples = experiences(sorted(responses, key=lambda response: response["reward"] is None))
    with pytest.raises(AttributeError):
        experience.Experience.concat_experiences(samples, 0)
    assert experience.Experience.concat_experiences(samples[::-1], 0).rewards is None


class Late:
    """Gives the reward of the response before."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.before: Any = {"rewards": 0.0}

    def __call__(self, *query: Any) -> Any:
        late, self.before = self.before, self.function(*query)
        return late


def zero(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives 0.0 where there is no reward."""

    def reward_func(*query: Any) -> Any:
        try:
            return function(*query)
        except Exception:
            return {"rewards": 0.0}

    return reward_func


@pytest.mark.parametrize(("twin", "label"), [(Late, "shifted(1)"), (zero, "failure_became_zero")])
def test_a_broken_reward_function_is_convicted(
    twin: Any, label: str, labs_mock: LabsMock, run: Run, experiences: Experiences, example: ModuleType
) -> None:
    """A reply taken for the next, and 0 for a failure, reach training without a word; the verdict names them."""
    executor = agent.SingleTurnAgentExecutor(str(FOLDER / "labs.py"))
    executor.reward_func = twin(example.reward_func)
    if label == "failure_became_zero":
        labs_mock.add_fault(path="/api/v1/evaluate", nth=3, status=403)
    responses = [response for script in SCRIPTS for response in run(executor, PROMPT, LABEL, [script])]
    assert labs_mock.verdict(rewards(experiences(responses)), ANSWERED, **CLAIM).label == label


def by_length(samples: list[Any]) -> list[Any]:
    """Shortest first, as for less padding."""
    return sorted(samples, key=lambda sample: int(sample.total_length))


def balanced(samples: list[Any]) -> list[Any]:
    """As OpenRLHF itself deals samples to two ranks."""
    ranks = {"num_nodes": 1, "num_gpus_per_node": 2}, {"ring_attn_size": 1, "tensor_parallel_size": 1}
    args = type("Args", (), {"actor": type("Actor", (), ranks[0]), "ds": type("Ds", (), ranks[1])})
    batches: list[Any] = experience.balance_experiences([experience.Experience.concat_experiences(samples, 0)], args)
    return batches


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize(("order", "label"), [(by_length, "sorted(characters)"), (balanced, "permuted")])
def test_rewards_in_the_order_of_another_step_are_convicted(
    order: Any, label: str, labs_mock: LabsMock, run: Run, experiences: Experiences
) -> None:
    """Samples are reordered between generation and training: their rewards belong to the conversations in that order."""
    responses = run(agent.SingleTurnAgentExecutor(str(FOLDER / "labs.py")), PROMPT, LABEL, SCRIPTS)
    used = rewards(order(experiences(responses)))
    assert labs_mock.verdict(used, ANSWERED, **CLAIM).label == label
