"""A conversation turn by turn: what each of the operator's turns led to."""

from collections.abc import Sequence
from typing import NamedTuple

from labs_mock.contract.requests import RewardConfig
from labs_mock.engine.assessment import Assessment
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player, Turn
from labs_mock.scenario.compiled.persona import StateItem


class TurnResult(NamedTuple):
    """The state after a turn and its assessment; `revealed` are the items that this turn revealed, and `context` what the persona
    has learnt with it of the time that passed (TOK-3).
    """

    play: Play
    assessment: Assessment
    revealed: tuple[StateItem, ...]
    context: tuple[str, ...]


def turn_results(player: Player, turns: Sequence[Turn], config: RewardConfig | None = None) -> list[TurnResult]:
    """A result for each turn up to the one that ends the scenario, as an episode with `score_turns` has them (EP-5, EV-2)."""
    play, results = player.start(), list[TurnResult]()
    for turn in turns:
        if play.terminal is not None:
            break
        before, play = play, player.fold(play, [turn])
        revealed = tuple(
            item for item in player.scenario.persona.items if item.atom in play.masks.keys() - before.masks
        )
        results.append(TurnResult(play, player.assess(play, config), revealed, play.context[len(before.context) :]))
    return results
