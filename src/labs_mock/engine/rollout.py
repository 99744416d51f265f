"""A simulated operator plays a scenario, turn by turn, with given choices among its texts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from labs_mock.contract.requests import Message, ToolCall
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player, Turn
from labs_mock.scenario.compiled.choices import part_texts
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.operator_schema import Call, Silence
from labs_mock.scenario.rules.algebra import Rule

Choose = Callable[[list[str]], str]
"""Picks one of the texts of a part; called once for every part that has texts, in order, whether its condition holds or not."""


class ScriptedTurn(NamedTuple):
    """A turn of an operator's script: the texts of each part that has any, with its condition; its calls; its thinking."""

    parts: list[tuple[list[str], Rule | None]]
    calls: list[ToolCall]
    silent: bool
    thinking: str | None

    def message(self, play: Play, choose: Choose) -> Message:
        """What the operator says in a state."""
        texts = [NO_RESPONSE] if self.silent else []
        for alternatives, rule in self.parts:
            text = choose(alternatives)
            if rule is None or rule.holding_turns(play.masks, play.full | 1) >> play.turn:
                texts.append(text)
        return Message(role="assistant", content=" ".join(texts), tool_calls=self.calls or None)


@dataclass(frozen=True, slots=True)
class Rollout:
    """The turns of an operator, the observation after each, and the state at the end."""

    turns: list[Turn]
    observations: list[str]
    play: Play


def first_text(texts: list[str]) -> str:
    """The plainest choice."""
    return texts[0]


def roll_out(player: Player, operator: str, choose: Choose = first_text) -> Rollout:
    """Play one of a scenario's simulated operators until its script or the episode ends.

    Raises `KeyError` for an operator that the scenario does not have.
    """
    play = player.start()
    turns: list[Turn] = []
    observations: list[str] = []
    for scripted in script(player.scenario, operator):
        if play.terminal is not None:
            break
        turn = [scripted.message(play, choose)]
        play = player.fold(play, [turn])
        turns.append(turn)
        observations.append(play.observation)
    return Rollout(turns, observations, play)


def script(scenario: Scenario, operator: str) -> list[ScriptedTurn]:
    """What one of a scenario's simulated operators says, turn by turn. Raises `KeyError` for one that it does not have."""
    turns = []
    entries, rules = scenario.file.operators[operator].says, scenario.operator_rules[operator]
    for entry, conditions in zip(entries, rules, strict=True):
        parts = [
            (texts, rule) for part, rule in zip(entry.parts, conditions, strict=True) if (texts := part_texts(part))
        ]
        calls = [
            ToolCall(type=scenario.tools[part.call].type, name=part.call, input=part.input)
            for part in entry.parts
            if isinstance(part, Call)
        ]
        silent = any(isinstance(part, Silence) for part in entry.parts)
        turns.append(ScriptedTurn(parts, calls, silent, entry.thinking))
    return turns
