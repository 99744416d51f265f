"""The safety gate: scope boundaries and terminology multiply the reward (RC-3)."""

from collections.abc import Iterator

from labs_mock.engine.assessment import ExplainedRule, Gate
from labs_mock.engine.evidence import Evidence
from labs_mock.engine.play import Play
from labs_mock.scenario.compiled.criteria import Criterion, Referral
from labs_mock.scenario.rules.algebra import Turns, turn_numbers

OPEN = Gate(1.0, ())


def gate(evidence: Evidence) -> Gate:
    """Each kind of violation that occurred contributes its factor once."""
    factors, criteria = evidence.scenario.file.scoring.gate, evidence.scenario.criteria
    violations = []
    if _occurred(evidence, criteria.prohibited):
        violations.append("prohibited")
    if any(missed_turns(entry, evidence.play) for entry in criteria.referrals):
        violations.append("must_refer")
    if _occurred(evidence, criteria.terminology):
        violations.append("terminology")
    factor = 1.0
    for kind in violations:
        factor *= getattr(factors, kind)
    return Gate(factor, tuple(violations)) if violations else OPEN


def explain_gate(evidence: Evidence) -> Iterator[ExplainedRule]:
    """Each boundary and term: whether it was kept."""
    criteria = evidence.scenario.criteria
    for kind, entries in (("gate: prohibited", criteria.prohibited), ("gate: terminology", criteria.terminology)):
        for entry in entries:
            violated = "violated" if entry.rule in evidence.holding else "kept"
            yield ExplainedRule(kind, entry.id, evidence.matching_turns(entry.rule), violated)
    for referral in criteria.referrals:
        missed = turn_numbers(missed_turns(referral, evidence.play))
        kept = f"missed after turn {missed[0]}" if missed else "kept"
        yield ExplainedRule("gate: must_refer", referral.id, evidence.matching_turns(referral.trigger), kept)


def missed_turns(referral: Referral, play: Play) -> Turns:
    """The turns whose trigger was not followed by a referral in time; where there is still time nothing is missed."""
    referred = referral.rule.matching_turns(play.masks, play.full)
    turns, triggered = 0, referral.trigger.matching_turns(play.masks, play.full)
    for turn in turn_numbers(triggered) if triggered else ():
        in_time = ((2 << referral.within) - 1) << turn
        if turn + referral.within <= play.turn and not referred & in_time:
            turns |= 1 << turn
    return turns


def _occurred(evidence: Evidence, entries: tuple[Criterion, ...]) -> bool:
    return any(entry.rule in evidence.holding for entry in entries)
