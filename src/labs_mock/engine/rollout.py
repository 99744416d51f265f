"""A simulated operator plays a scenario, turn by turn, with given choices among its texts."""

from collections.abc import Callable
from dataclasses import dataclass

from labs_mock.contract.requests import Message, ToolCall
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player, Turn
from labs_mock.scenario.compiled.choices import part_texts
from labs_mock.scenario.files.operator_schema import Call, OperatorTurn, Silence
from labs_mock.scenario.rules.algebra import Rule

Choose = Callable[[list[str]], str]
"""Picks one of the texts of a part; called once for every part that has texts, in order, whether its condition holds or not."""


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
    script = player.scenario.file.operators[operator].says
    rules = player.scenario.operator_rules[operator]
    play = player.start()
    turns: list[Turn] = []
    observations: list[str] = []
    for entry, conditions in zip(script, rules, strict=True):
        if play.terminal is not None:
            break
        turn = [_message(player, entry, conditions, play, choose)]
        play = player.fold(play, [turn])
        turns.append(turn)
        observations.append(play.observation)
    return Rollout(turns, observations, play)


def _message(
    player: Player, entry: OperatorTurn, conditions: tuple[Rule | None, ...], play: Play, choose: Choose
) -> Message:
    texts: list[str] = []
    calls: list[ToolCall] = []
    for part, rule in zip(entry.parts, conditions, strict=True):
        if isinstance(part, Call):
            calls.append(ToolCall(type=player.scenario.tools[part.call].type, name=part.call, input=part.input))
        elif isinstance(part, Silence):
            texts.append(NO_RESPONSE)
        else:
            text = choose(part_texts(part))
            if rule is None or rule.holding_turns(play.masks, play.full | 1) >> play.turn:
                texts.append(text)
    return Message(role="assistant", content=" ".join(texts), tool_calls=calls or None)
