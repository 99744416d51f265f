"""`GRPOTrainer` with `rollout_func`: episodes of several turns, whose observations are kept out of the loss."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.trainers.trl.policy import MARKS, SLUGS, Log, Messages, Policy, train_grpo

pytestmark = MARKS

Glue = Callable[[str], ModuleType]

TASK = [{"role": "system", "content": "You look after claims."}]
SPECIAL = ["<|im_end|>"]


def train(rollouts: ModuleType, folder: Path, **config: Any) -> Log:
    """Steps of episodes."""
    functions = {"reward_funcs": rollouts.episode_reward, "rollout_func": rollouts.rollout}
    return train_grpo(Policy.of(), folder, prompt=TASK, phrases=2, config=config, **functions)


def played(log: Log) -> list[Messages]:
    """The messages of each episode, as the client has them."""
    return [list(messages) for messages in log.column("messages")]


def test_each_episode_is_trained_with_its_last_reward(glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """The trainer uses the reward of each whole conversation, and learns what the operator said, all of it and nothing else."""
    log = train(glue("labs_rollouts"), tmp_path)
    conversations = played(log)
    assert log.learned
    assert {len(messages) for messages in conversations} == {7}
    assert labs_mock.assert_rewards(log.column("episode_reward"), conversations, **SLUGS).identifiable > 20
    labs_mock.assert_advantages(log.column("advantage"), conversations, log.groups(), **SLUGS)
    labs_mock.assert_trained(log.texts(), conversations, special=SPECIAL)


@pytest.mark.labs_mock(
    faults=[
        {"path": "/api/v1/episodes", "nth": 2, "status": 503},
        {"path": "/api/v1/episodes/*/turns", "nth": 20, "status": 503},
        {"path": "/api/v1/episodes/*/turns", "nth": 25, "reset": 40},
    ]
)
@pytest.mark.usefixtures("labs_mock_time")
def test_an_episode_that_fails_is_left_out(glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """To create one is tried again. A turn is not, since it may have been taken: those episodes have no reward."""
    log = train(glue("labs_rollouts"), tmp_path, max_steps=1)
    rewards = log.column("episode_reward")
    assert sum(reward != reward for reward in rewards) == 2  # noqa: PLR0124 - NaN
    assert labs_mock.verdict(rewards, played(log), **SLUGS).label == "nan"


# Broken twins, each a few lines; `submit` is that of the page


def summed(rollouts: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adds up the rewards of the turns, each of which judges the conversation so far."""
    submit = rollouts.Episode.submit

    async def twin(self: Any, labs: Any, last: bool) -> None:
        before = self.reward or 0.0
        await submit(self, labs, last)
        self.reward += before

    monkeypatch.setattr(rollouts.Episode, "submit", twin)


def last_turn_kept(rollouts: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends the loop before it submits the last message."""
    submit = rollouts.Episode.submit

    async def twin(self: Any, labs: Any, last: bool) -> None:
        if not last:
            await submit(self, labs, last)

    monkeypatch.setattr(rollouts.Episode, "submit", twin)


def unscored(rollouts: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets `score_turns`."""
    call = rollouts.Labs.call

    async def twin(self: Any, path: str, body: dict[str, Any], again: bool = True) -> Any:
        return await call(self, path, {name: value for name, value in body.items() if name != "score_turns"}, again)

    monkeypatch.setattr(rollouts.Labs, "call", twin)


@pytest.mark.parametrize(
    ("twin", "label"), [(summed, "summed_over_turns"), (last_turn_kept, "last_but_one_turn"), (unscored, "became_zero")]
)
def test_a_broken_rollout_is_convicted(
    twin: Callable[[ModuleType, pytest.MonkeyPatch], None],
    label: str,
    glue: Glue,
    labs_mock: LabsMock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing else shows it: the trainer trains on."""
    rollouts = glue("labs_rollouts")
    twin(rollouts, monkeypatch)
    log = train(rollouts, tmp_path, max_steps=1)
    assert labs_mock.verdict(log.column("episode_reward"), played(log), **SLUGS).label == label


# Traps


def test_without_the_mask_the_persona_is_trained_too(glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """Rewards and advantages are those of a sound run; only the trained texts show it."""
    rollouts = glue("labs_rollouts")

    def unmasked(prompts: list[Messages], trainer: Any) -> dict[str, Any]:
        return {name: value for name, value in rollouts.rollout(prompts, trainer).items() if name != "env_mask"}

    functions = {"reward_funcs": rollouts.episode_reward, "rollout_func": unmasked}
    log = train_grpo(Policy.of(), tmp_path, prompt=TASK, config={"max_steps": 1}, **functions)
    labs_mock.assert_rewards(log.column("episode_reward"), played(log), **SLUGS)
    with pytest.raises(AssertionError, match=r"observation messages\[3\]"):
        labs_mock.assert_trained(log.texts(), played(log), special=SPECIAL)


@pytest.mark.labs_mock(findings="ignore")
def test_the_completion_of_a_rollout_has_the_words_of_the_persona(
    glue: Glue, labs_mock: LabsMock, tmp_path: Path
) -> None:
    """TRL hands a reward function all tokens as one message, so that the persona's words are rewarded; a finding says so."""
    functions = {"reward_funcs": glue("labs_rewards").batch_reward, "rollout_func": glue("labs_rollouts").rollout}
    log = train_grpo(Policy.of(), tmp_path, prompt=TASK, config={"max_steps": 1}, **functions)
    assert all("\nuser\n" in message["content"] for (message,) in log.column("completion"))
    assert labs_mock.find_requests(path="*/batch/evaluate", finding="unattributable_history")
