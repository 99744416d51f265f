"""What scorers look at."""

from typing import NamedTuple

from labs_mock.engine.play import Play
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.rules.algebra import Rule, turn_numbers


class Evidence(NamedTuple):
    """A state of a scenario, and the rules of the criteria that hold at its last turn, each with the turn since which it does."""

    scenario: Scenario
    play: Play
    holding: dict[Rule, int]

    @classmethod
    def collect(cls, scenario: Scenario, play: Play) -> "Evidence":
        """The evidence of a state."""
        return cls(scenario, play, scenario.criteria.rules.holding_at_last_turn(play.masks, play.full))

    def matching_turns(self, rule: Rule) -> tuple[int, ...]:
        """The numbers of the turns that a rule matches; 0 is the opening."""
        return tuple(turn_numbers(rule.matching_turns(self.play.masks, self.play.full)))


def requires_met(scenario: Scenario, play: Play) -> bool:
    """Whether the rule that a scenario requires has held at some turn so far; true where it requires nothing (RC-6).

    A rule never looks ahead, so all turns at which it held are known without going back to them.
    """
    rule = scenario.criteria.requires
    return rule is None or bool(rule.holding_turns(play.masks, play.full) & play.full)
