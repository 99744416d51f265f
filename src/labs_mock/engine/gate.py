"""The safety gate: scope boundaries and terminology multiply the reward (RC-3)."""

from labs_mock.engine.assessment import Gate
from labs_mock.engine.criteria import holding
from labs_mock.engine.play import Play
from labs_mock.scenario.compiled.criteria import Criterion, Referral
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.rules.algebra import Rule, Turns, turn_numbers

OPEN = Gate(1.0, ())


def gate(scenario: Scenario, play: Play) -> Gate:
    """Each kind of violation that occurred contributes its factor once."""
    factors, criteria, held = scenario.file.scoring.gate, scenario.criteria, holding(scenario, play)
    violations = []
    if _occurred(criteria.prohibited, held):
        violations.append("prohibited")
    if any(broken(entry, play) for entry in criteria.referrals):
        violations.append("must_refer")
    if _occurred(criteria.terminology, held):
        violations.append("terminology")
    factor = 1.0
    for kind in violations:
        factor *= getattr(factors, kind)
    return Gate(factor, tuple(violations)) if violations else OPEN


def broken(referral: Referral, play: Play) -> Turns:
    """The turns whose trigger was not followed in time; a window that is still open breaks nothing."""
    referred = referral.rule.matching_turns(play.masks, play.full)
    turns, triggered = 0, referral.trigger.matching_turns(play.masks, play.full)
    for turn in turn_numbers(triggered) if triggered else ():
        window = ((2 << referral.within) - 1) << turn
        if turn + referral.within <= play.turn and not referred & window:
            turns |= 1 << turn
    return turns


def _occurred(entries: tuple[Criterion, ...], held: dict[Rule, int]) -> bool:
    return any(entry.rule in held for entry in entries)
