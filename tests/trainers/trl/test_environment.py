"""`GRPOTrainer` with `environment_factory`: TRL plays the episode, and offers what an operator can do as tools."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.trainers.trl.policy import MARKS, OPENING, PHRASES, SLUGS, Log, Messages, Policy, train_grpo

pytestmark = MARKS

Glue = Callable[[str], ModuleType]

TASK = [{"role": "user", "content": "You look after claims. The call begins: "}]
OPEN, CLOSE = '<tool_call>\n{"name": "say", "arguments": {"message": "', '"}}\n</tool_call>'
CALLS = tuple(f"{OPEN}{phrase}{CLOSE}" for phrase in PHRASES)
GOODBYES = ("Goodbye.", "I hang up now.", "That is all.", "I end the call.")
"""No tool calls: with one of them the model ends a rollout, and nobody hears it."""

SPECIAL = ["<|im_end|>", OPEN, CLOSE, *GOODBYES]
LOST_TURN = {"path": "/api/v1/episodes/*/turns", "nth": 20, "status": 503}


def train(reward: Any, environment: Any, folder: Path, **config: Any) -> Log:
    """A step of calls, each of at most one turn more than the scenario takes."""
    given = {"max_steps": 1, "max_completion_length": 4096, "max_tool_calling_iterations": 13, **config}
    functions = {"reward_funcs": reward, "environment_factory": environment}
    return train_grpo(Policy.of((*CALLS, *GOODBYES)), folder, prompt=TASK, phrases=1, config=given, **functions)


def spoken(log: Log) -> list[Messages]:
    """What was said in each call, as the trainer has it: by the model with the tool, and by the tool."""
    opening = {"role": "user", "content": OPENING}
    return [[opening, *(said for entry in one for said in messages_of(entry))] for one in log.column("completion")]


def messages_of(entry: dict[str, Any]) -> Messages:
    """The messages of the call in a message of a completion."""
    if entry["role"] == "tool":
        return [{"role": "user", "content": entry["content"]}]
    calls = () if entry["tool_calls"] is None else entry["tool_calls"]
    return [{"role": "assistant", "content": call["function"]["arguments"]["message"]} for call in calls]


def test_each_call_is_trained_with_its_last_reward(glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """The trainer uses the reward of each whole call, and none where nothing was said; it learns what the operator said."""
    environment = glue("labs_environment")
    log = train(environment.call_reward, environment.Call, tmp_path, max_steps=2)
    conversations = spoken(log)
    assert log.learned
    assert labs_mock.assert_rewards(log.column("call_reward"), conversations, **SLUGS).identifiable > 10
    labs_mock.assert_trained(log.texts(), conversations, special=SPECIAL)


@pytest.mark.labs_mock(faults=[LOST_TURN])
def test_a_call_that_breaks_off_is_left_out(glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """Its turn is not sent again, since it may have been taken, and it has no reward and no advantage."""
    environment = glue("labs_environment")
    log = train(environment.call_reward, environment.Call, tmp_path)
    broken = [index for index, one in enumerate(spoken(log)) if "The line is dead." in str(one)]
    assert len(broken) == 1
    assert log.column("advantage")[broken[0]] == 0
    assert labs_mock.verdict(log.column("call_reward"), spoken(log), **SLUGS).label == "nan"


@pytest.mark.labs_mock(faults=[{**LOST_TURN, "status": 401}])
def test_a_refusal_ends_the_training(glue: Glue, tmp_path: Path) -> None:
    """TRL swallows it where it happens, so the reward function raises it."""
    environment = glue("labs_environment")
    with pytest.raises(glue("httpx").HTTPStatusError, match="401"):
        train(environment.call_reward, environment.Call, tmp_path)


# Broken twins, each a few lines


def summed(call: Any) -> Any:
    """Adds up the rewards of the turns, each of which judges the conversation so far."""

    class Twin(call):  # type: ignore[misc]
        def say(self, message: str) -> str:
            before = 0.0 if self.over else self.reward or 0.0
            answer: str = super().say(message)
            self.reward += before
            return answer

        say.__doc__ = call.say.__doc__

    return Twin


def zero_where_nothing_was_said(call: Any) -> Any:
    """Starts at 0."""

    class Twin(call):  # type: ignore[misc]
        def reset(self, **row: Any) -> str | None:
            opening: str | None = super().reset(**row)
            self.reward = 0.0
            return opening

    return Twin


def never_reset(call: Any) -> Any:
    """Forgets that TRL uses each environment again, so that the reward of the last call is that of a silent one."""

    class Twin(call):  # type: ignore[misc]
        reward = None

        def reset(self, **row: Any) -> str | None:
            before = self.reward
            opening: str | None = super().reset(**row)
            self.reward = before
            return opening

    return Twin


@pytest.mark.parametrize(
    ("twin", "label"),
    [
        (summed, "summed_over_turns"),
        (zero_where_nothing_was_said, "failure_became_zero"),
        (never_reset, "other_conversation"),
    ],
)
def test_a_broken_environment_is_convicted(
    twin: Callable[[Any], Any], label: str, glue: Glue, labs_mock: LabsMock, tmp_path: Path
) -> None:
    """Nothing else shows it: the trainer trains on."""
    environment = glue("labs_environment")
    log = train(environment.call_reward, twin(environment.Call), tmp_path, max_steps=2)
    assert labs_mock.verdict(log.column("call_reward"), spoken(log), **SLUGS).label == label


# Traps


@pytest.mark.labs_mock(faults=[LOST_TURN], refusals="ignore")
def test_an_error_of_a_tool_is_shown_to_the_model(glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """TRL swallows it, a 503 as well as the 400 of a turn after the end, and trains with the reward of what went before."""
    environment, post = glue("labs_environment"), glue("httpx").post

    class Naive(environment.Call):  # type: ignore[misc,name-defined]
        def say(self, message: str) -> str:
            turn = {"id": self.id, "messages": [{"role": "assistant", "content": message}]}
            headers = {"Authorization": f"Bearer {labs_mock.api_key}"}
            url = f"{labs_mock.url}/api/v1/episodes/{self.id}/turns"
            answer = post(url, json=turn, headers=headers).raise_for_status().json()
            self.reward = answer["reward"]
            return str(answer["observation"]["content"])

        say.__doc__ = environment.Call.say.__doc__

    log = train(environment.call_reward, Naive, tmp_path)
    shown = [entry["content"] for one in log.column("completion") for entry in one if entry["role"] == "tool"]
    errors = [text.partition('"')[2][:16] for text in shown if text.startswith("{'error'")]
    assert set(errors) == {"Client error '40", "Server error '50"}
    assert labs_mock.verdict(log.column("call_reward"), spoken(log), **SLUGS).label != "in_place"


def test_calls_are_made_one_after_the_other(glue: Glue, tmp_path: Path) -> None:
    """Also if the tool is a coroutine: TRL waits for the answer to one rollout before it asks for the next."""
    environment = glue("labs_environment")
    running, most = 0, 0

    class Slow(environment.Call):  # type: ignore[misc,name-defined]
        async def say(self, message: str) -> str:
            nonlocal running, most
            running, most = running + 1, max(most, running + 1)
            await asyncio.sleep(0.01)
            answer = await asyncio.to_thread(super().say, message)
            running -= 1
            return str(answer)

        say.__doc__ = environment.Call.say.__doc__

    log = train(environment.call_reward, Slow, tmp_path)
    assert len(log.column("call_reward")) == 16
    assert most == 1


def test_the_last_call_is_not_made_at_the_limit(glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """After `max_tool_calling_iterations` the model speaks once more, and TRL does not call the tool: that turn is trained unsent."""
    environment = glue("labs_environment")
    log = train(environment.call_reward, environment.Call, tmp_path, max_tool_calling_iterations=2)
    assert labs_mock.verdict(log.column("call_reward"), spoken(log), **SLUGS).label == "last_but_one_turn"
