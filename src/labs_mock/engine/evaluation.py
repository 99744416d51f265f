"""The one way from a conversation to an assessment: attribution, fold, findings, scores (EV-1, EV-2)."""

from collections.abc import Sequence
from typing import NamedTuple

from labs_mock.contract.findings import Finding
from labs_mock.contract.requests import Message, RewardConfig
from labs_mock.engine.assessment import Assessment
from labs_mock.engine.attribution import operator_turns
from labs_mock.engine.conversation_hash import conversation_hash
from labs_mock.engine.detectors import config_findings, play_findings
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player, Turn


class Evaluation(NamedTuple):
    """A complete conversation, evaluated.

    `turns` are the operator's turns up to the end of the scenario, `play` the state behind the last of them and
    `conversation` their 64-bit hash.
    """

    turns: Sequence[Turn]
    play: Play
    conversation: int
    assessment: Assessment
    findings: list[Finding]


def evaluate(player: Player, messages: Sequence[Message], config: RewardConfig | None = None) -> Evaluation:
    """Evaluate a conversation. Raises `BadRequest` if the operator has no turn in it (EP-8)."""
    scenario = player.scenario
    turns, findings = operator_turns(player, messages)
    play = player.fold(player.start(), turns)
    findings += play_findings(scenario, messages, turns, play)
    findings += config_findings(scenario, config)
    played = turns[: play.turn]
    return Evaluation(played, play, conversation_hash(played), player.assess(play, config), findings)


def assessments_by_turn(player: Player, turns: Sequence[Turn], config: RewardConfig | None = None) -> list[Assessment]:
    """The assessment after each of the operator's turns, as an episode with `score_turns` gives it (EP-5, EV-2)."""
    play, assessments = player.start(), []
    for turn in turns:
        play = player.fold(play, [turn])
        assessments.append(player.assess(play, config))
    return assessments
