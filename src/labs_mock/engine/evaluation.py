"""The one way from a conversation to an assessment: attribution, fold, findings, scores (EV-1, EV-2)."""

from collections.abc import Sequence
from typing import NamedTuple

from labs_mock.contract.findings import Finding
from labs_mock.contract.requests import Message, RewardConfig
from labs_mock.engine.attribution import conversation
from labs_mock.engine.conversation import conversation_hash
from labs_mock.engine.findings import config_findings, play_findings
from labs_mock.engine.play import Player, Turn
from labs_mock.engine.reward import assess
from labs_mock.engine.score import Assessment
from labs_mock.engine.state import Play


class Evaluation(NamedTuple):
    """A conversation given whole, evaluated.

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
    turns, findings = conversation(player, messages)
    play = player.fold(player.start(), turns)
    findings += play_findings(scenario, messages, turns, play)
    findings += config_findings(scenario, config)
    played = turns[: play.turn]
    return Evaluation(played, play, conversation_hash(played), assess(scenario, play, config), findings)
