"""Rewards of episodes: an agent that OpenRLHF's executor for several turns drives."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.trainers.openrlhf.conftest import SYSTEM, Response, Run, conversation
from tests.trainers.rollouts import CLAIM, CONVERSATIONS, SCRIPTS, THEIRS

agent = pytest.importorskip("openrlhf.utils.agent")
torch = pytest.importorskip("torch")

pytestmark = THEIRS

Experiences = Callable[[list[Response]], list[Any]]


def label_of(labs_mock: LabsMock, experiences: Experiences, responses: list[Response]) -> str:
    """The verdict on the rewards that are trained on."""
    used = torch.cat([one.rewards for one in experiences(responses)])
    return labs_mock.verdict(used, CONVERSATIONS, **CLAIM).label


def test_an_agent_is_in_place(
    labs_mock: LabsMock, run: Run, experiences: Experiences, example: ModuleType, tokenizer: Any
) -> None:
    """What `--train.agent_func_path labs.py` trains on is each episode's last reward, and the messages are the model's (EV-2)."""
    responses = run(example.AgentExecutor(), SYSTEM, CLAIM, SCRIPTS)
    assert [conversation(response, tokenizer) for response in responses] == CONVERSATIONS
    assert label_of(labs_mock, experiences, responses) == "in_place"
    scores = [one["scores"] for one in responses]  # what OpenRLHF filters groups by
    assert labs_mock.verdict(scores, CONVERSATIONS, **CLAIM).label == "in_place"


def test_the_prompt_is_completed_by_the_opening(run: Run, example: ModuleType, tokenizer: Any) -> None:
    """The persona speaks first, and what it says is known once there is an episode: it cannot stand in a dataset (EP-1)."""
    (response,) = run(example.AgentExecutor(), SYSTEM, CLAIM, SCRIPTS[:1])
    read = tokenizer.decode(response["observation_tokens"][: response["action_ranges"][0][0]])
    assert read.startswith(SYSTEM)
    assert "Hello, I'm calling about my workers' compensation claim." in read
    assert "opening" not in response["prompt"]


def reward_so_far(instance: Any) -> Any:
    """An agent that gives the reward of the conversation so far in each turn."""

    class Instance(instance):  # type: ignore[misc] # a class of the example
        async def step(self, states: Any, **options: Any) -> Any:
            result = await super().step(states, **options)
            return {**result, "rewards": torch.tensor(result["scores"])}

    return Instance


def stopping_early(instance: Any) -> Any:
    """An agent that is done before the last message is submitted."""

    class Instance(instance):  # type: ignore[misc] # a class of the example
        turns = 0

        async def step(self, states: Any, **options: Any) -> Any:
            self.turns += 1
            if self.turns == len(SCRIPTS[0]):
                return {"rewards": torch.tensor(0.0), "environment_feedback": " ", "done": True}
            return await super().step(states, **options)

    return Instance


def only_when_done(instance: Any) -> Any:
    """An agent that gives the reward with the last turn alone."""

    class Instance(instance):  # type: ignore[misc] # a class of the example
        async def step(self, states: Any, **options: Any) -> Any:
            result = await super().step(states, **options)
            return {**result, "rewards": torch.tensor(result["scores"] * result["done"])}

    return Instance


@pytest.mark.parametrize(
    ("twin", "label"), [(reward_so_far, "summed_over_turns"), (stopping_early, "last_but_one_turn")]
)
def test_a_broken_agent_is_convicted(
    twin: Any, label: str, labs_mock: LabsMock, run: Run, experiences: Experiences, example: ModuleType
) -> None:
    """OpenRLHF adds up the rewards of turns, and trains on messages that no server ever saw, without a word."""
    executor = agent.MultiTurnAgentExecutor(twin(example.AgentInstance))
    responses = run(executor, SYSTEM, CLAIM, SCRIPTS)
    assert label_of(labs_mock, experiences, responses) == label


@pytest.mark.parametrize(("twin", "label"), [(lambda instance: instance, "in_place"), (only_when_done, "became_zero")])
def test_an_episode_that_runs_out_of_tokens_keeps_its_reward(
    twin: Any, label: str, labs_mock: LabsMock, run: Run, experiences: Experiences, example: ModuleType, tokenizer: Any
) -> None:
    """OpenRLHF ends a rollout at `--data.max_len` without another step: a reward that comes only when done is then lost."""
    executor = agent.MultiTurnAgentExecutor(twin(example.AgentInstance))
    longest = run(executor, SYSTEM, CLAIM, SCRIPTS[:1])[0]
    budget = longest["action_ranges"][-1][0]
    (response,) = run(executor, SYSTEM, CLAIM, SCRIPTS[:1], budget)
    (experience,) = experiences([response])
    said = conversation(response, tokenizer)
    assert said == CONVERSATIONS[0][:4]
    assert labs_mock.verdict(experience.rewards, [said], **CLAIM).label == label


def test_a_failure_ends_the_rollout(labs_mock: LabsMock, run: Run, example: ModuleType) -> None:
    """Unlike that of a reward function, an agent's error is not caught: the worker fails, and nothing is trained on."""
    labs_mock.add_fault(path="/api/v1/episodes/*/turns", nth=5, status=404)
    with pytest.raises(Exception, match="404"):
        run(example.AgentExecutor(), SYSTEM, CLAIM, SCRIPTS)


@pytest.mark.labs_mock(findings="ignore")
def test_an_address_of_the_service_itself_is_asked_five_times(
    labs_mock: LabsMock, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenRLHF retries whatever is not a reward, a 401 or 400 too, and goes on without one (AUTH-1)."""

    async def at_once(_: float) -> None:
        """No wait."""

    monkeypatch.setattr(agent.asyncio, "sleep", at_once)
    executor = agent.SingleTurnAgentExecutor(f"{labs_mock.url}/api/v1/evaluate")
    with labs_mock.expect(status=401):
        (response,) = run(executor, SYSTEM, CLAIM, [["Hello."]])
    assert response["reward"] is None
    assert [record.status for record in labs_mock.requests] == [401] * 5
    assert labs_mock.findings(code="retried_on_400")
