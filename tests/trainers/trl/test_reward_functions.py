"""`GRPOTrainer` with reward functions: over `/batch/evaluate`, and async over `/evaluate`."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.trainers.trl.policy import MARKS, SLUGS, Messages, Policy, torch, train_grpo

pytestmark = MARKS

Glue = Callable[[str], ModuleType]
Conversations = list[dict[str, Any]]

functions = pytest.mark.parametrize("name", ["batch_reward", "single_reward"])


@functions
def test_rewards_are_used_where_they_belong(name: str, glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """The trainer uses the reward of each conversation, its advantages follow from them, and it learns what the operator said."""
    log = train_grpo(Policy.of(), tmp_path, reward_funcs=getattr(glue("labs_rewards"), name))
    conversations = [*log.conversations()]
    assert log.learned
    assert labs_mock.assert_rewards(log.column(name), conversations, **SLUGS).identifiable > 20
    labs_mock.assert_advantages(log.column("advantage"), conversations, log.groups(), **SLUGS)
    labs_mock.assert_trained(log.texts(), conversations, special=["<|im_end|>"])


@pytest.mark.labs_mock(faults=[{"path": "/api/v1/*evaluate", "first": 1, "status": 503}])
@pytest.mark.usefixtures("labs_mock_time")
@functions
def test_what_failed_once_is_asked_for_again(name: str, glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """After one 503 the rewards are in place."""
    log = train_grpo(Policy.of(), tmp_path, config={"max_steps": 1}, reward_funcs=getattr(glue("labs_rewards"), name))
    labs_mock.assert_rewards(log.column(name), log.conversations(), **SLUGS)


@pytest.mark.labs_mock(plan="standard")
@pytest.mark.usefixtures("labs_mock_time")
def test_a_used_up_quota_is_waited_for(glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """64 rewards on a plan of 60 a minute are all in place, after a minute (RL-2)."""
    config = {"max_steps": 4}
    log = train_grpo(Policy.of(), tmp_path, config=config, reward_funcs=glue("labs_rewards").single_reward)
    assert labs_mock.find_requests(status=429)
    labs_mock.assert_rewards(log.column("single_reward"), log.conversations(), **SLUGS)


@pytest.mark.labs_mock(faults=[{"path": "/api/v1/batch/evaluate", "fail_item": 5}])
def test_a_rollout_without_a_reward_is_left_out(glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """It has no advantage, and counts in no statistics of its group: those of the others follow from their rewards alone."""
    log = train_grpo(Policy.of(), tmp_path, config={"max_steps": 1}, reward_funcs=glue("labs_rewards").batch_reward)
    rewards, conversations = log.column("batch_reward"), [*log.conversations()]
    assert labs_mock.verdict(rewards, conversations, **SLUGS).label == "nan"
    assert log.column("advantage")[5] == 0
    others = [place for place in range(len(rewards)) if place != 5]
    groups = [[others.index(place) for place in group if place != 5] for group in log.groups()]
    advantages = [log.column("advantage")[place] for place in others]
    labs_mock.assert_advantages(advantages, [conversations[place] for place in others], groups, **SLUGS)


# Broken twins, each a few lines


async def sorted_by_length(labs: Any, conversations: Conversations) -> list[Any]:
    """Evaluates the longest first, and does not put the rewards back."""
    return await asyncio.gather(*map(labs.evaluate, sorted(conversations, key=lambda one: -len(str(one)))))


async def shifted_by_one(labs: Any, conversations: Conversations) -> list[Any]:
    """Takes a late reply for the reply to the next request."""
    rewards = await asyncio.gather(*map(labs.evaluate, conversations))
    return [rewards[-1], *rewards[:-1]]


async def appended_as_completed(labs: Any, conversations: Conversations) -> list[Any]:
    """Appends each reward when it is there."""
    return [await reward for reward in asyncio.as_completed([*map(labs.evaluate, reversed(conversations))])]


async def zero_for_a_failure(labs: Any, conversations: Conversations) -> list[Any]:
    """Does not look at the status."""
    rewards = []
    for conversation in conversations:
        response = await labs.http.post("/evaluate", json=conversation)
        rewards.append(response.json().get("reward", 0.0))
    return rewards


async def rounded(labs: Any, conversations: Conversations) -> list[Any]:
    """Keeps rewards in the precision of the model."""
    rewards = await asyncio.gather(*map(labs.evaluate, conversations))
    return list(torch.tensor(rewards, dtype=torch.bfloat16).tolist())


@pytest.mark.parametrize(
    ("twin", "labels"),
    [
        (sorted_by_length, {"sorted"}),
        (shifted_by_one, {"shifted"}),
        (appended_as_completed, {"reversed", "permuted"}),
        pytest.param(
            zero_for_a_failure,
            {"failure_became_zero"},
            marks=pytest.mark.labs_mock(faults=[{"path": "/api/v1/evaluate", "every": 5, "status": 503}]),
        ),
        (rounded, {"lossy"}),
    ],
)
def test_a_broken_reward_function_is_convicted(
    twin: Callable[[Any, Conversations], Awaitable[list[Any]]],
    labels: set[str],
    glue: Glue,
    labs_mock: LabsMock,
    tmp_path: Path,
) -> None:
    """Nothing else shows it: the trainer trains on."""
    rewards = glue("labs_rewards")

    async def reward(prompts: list[Messages], completions: list[Messages], **_: Any) -> list[Any]:
        async with rewards.Labs() as labs:
            return await twin(labs, rewards.conversations(prompts, completions))

    log = train_grpo(Policy.of(), tmp_path, config={"max_steps": 1}, reward_funcs=reward)
    assert labs_mock.verdict(log.column("reward"), log.conversations(), **SLUGS).label.name in labels
