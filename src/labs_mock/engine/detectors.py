"""Findings of a conversation and its configuration: what the service would accept silently (section 7)."""

from collections.abc import Iterator, Sequence
from itertools import islice

from labs_mock.contract.dimensions import DIMENSIONS
from labs_mock.contract.findings import Finding
from labs_mock.contract.requests import Message, RewardConfig
from labs_mock.engine.play import Play
from labs_mock.engine.player import Turn
from labs_mock.engine.reward import effective_weights
from labs_mock.scenario.compiled.scenario import Scenario

MAX_INVALID = 20  # tool calls of one request; more would not help


def play_findings(scenario: Scenario, submitted: Sequence[Message], turns: Sequence[Turn], play: Play) -> list[Finding]:
    """Of a complete conversation and the state at its end: turns after the end (EV-2), and invalid calls (EP-12)."""
    findings = [Finding("turns_after_end", "messages")] if play.turn < len(turns) else []
    return findings + invalid_calls(scenario, submitted, turns[: play.turn]) if play.invalid else findings


def invalid_calls(scenario: Scenario, submitted: Sequence[Message], turns: Sequence[Turn]) -> list[Finding]:
    """The invalid tool calls of some turns, at their places among the submitted messages (EP-12).

    A hint has the tool and what was expected of its input, by the schema or the options that every client sees.
    """
    operators = {id(message) for turn in turns for message in turn}
    places = ((index, message) for index, message in enumerate(submitted) if id(message) in operators)
    return list(islice((finding for place in places for finding in _invalid(scenario, *place)), MAX_INVALID))


def _invalid(scenario: Scenario, index: int, message: Message) -> Iterator[Finding]:
    for number, call in enumerate(message.get("tool_calls") or ()):
        problem = scenario.call_problem(call.name, call.type, call.input)
        if problem is not None:
            path, reason = problem
            yield Finding("invalid_tool_call", f"messages.{index}.tool_calls.{number}.{path}", reason)


def config_findings(scenario: Scenario, config: RewardConfig | None) -> list[Finding]:
    """Weights of dimensions that the scenario does not define (RC-5), and weights with which no scorer runs (RC-4)."""
    if config is None or config.quality_weights is None:
        return []
    place = "reward_config.quality_weights"
    found = [
        Finding("unknown_dimension", f"{place}.{dimension}")
        for dimension in DIMENSIONS
        if dimension not in scenario.dimensions and getattr(config.quality_weights, dimension)
    ]
    nothing = not effective_weights(scenario, config)
    return [*found, Finding("nothing_scored", place)] if nothing else found
