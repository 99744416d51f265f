"""Why this reward: every rule of the scoring, the turns it yielded, and what came of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from labs_mock.engine.assessment import Assessment
from labs_mock.engine.criteria import holding, requires_met
from labs_mock.engine.gate import broken
from labs_mock.engine.outputs import alike
from labs_mock.engine.play import Play
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.rules.algebra import Rule, turn_numbers


class ExplainedRule(NamedTuple):
    """One criterion: where it belongs, its id, the turns it yielded, and its result in words."""

    part: str
    id: str
    turns: tuple[int, ...]
    result: str


def explain(scenario: Scenario, play: Play) -> list[ExplainedRule]:
    """One row for everything that can count, in the order of the dimensions, then the gate, then what is required.

    It shows what must never leave `/api/v1` (NEVER-1): it is for the command line and the control plane.
    """
    return [
        *_metrics(scenario, play),
        *_rubrics(scenario, play),
        *_discovery(scenario, play),
        *_outputs(scenario, play),
        *_gate(scenario, play),
        *_requires(scenario, play),
    ]


def explanation(scenario: Scenario, play: Play, assessment: Assessment) -> dict[str, Any]:
    """How the reward of a conversation comes about, as JSON: every rule, dimension and weight, and the gate."""
    return {
        "turns": play.turn,
        "terminal_reason": play.terminal,
        "reward": assessment.reward,
        "earned": assessment.earned,
        "critical": assessment.critical,
        "gate": {"factor": assessment.gate.factor, "violations": list(assessment.gate.violations)},
        "dimensions": [
            {
                "dimension": dimension,
                "name": assessment.names[dimension],
                "score": score.value,
                "weight": assessment.weights[dimension],
                "why": score.sentence,
            }
            for dimension, score in assessment.results.items()
        ],
        "rules": [{**row._asdict(), "turns": list(row.turns)} for row in explain(scenario, play)],
    }


def _metrics(scenario: Scenario, play: Play) -> Iterator[ExplainedRule]:
    for dimension in ("success_metrics", "failure_metrics", "best_practices"):
        for criterion in getattr(scenario.criteria, dimension):
            held = "holds" if criterion.rule in holding(scenario, play) else "does not hold"
            critical = ", critical" if criterion.critical else ""
            yield ExplainedRule(
                dimension, criterion.id, _turns(criterion.rule, play), f"{held} (weight {criterion.weight:g}{critical})"
            )


def _rubrics(scenario: Scenario, play: Play) -> Iterator[ExplainedRule]:
    for ladder in scenario.criteria.ladders:
        for score, label, rule in ladder.levels:
            if rule is None or rule in holding(scenario, play):
                turns = () if rule is None else _turns(rule, play)
                yield ExplainedRule("rubrics", ladder.id, turns, f"{label} ({score:g})")
                break
        else:
            yield ExplainedRule("rubrics", ladder.id, (), "no level holds (0)")


def _discovery(scenario: Scenario, play: Play) -> Iterator[ExplainedRule]:
    for item in scenario.persona.items:
        turns = tuple(turn_numbers(play.masks.get(item.atom, 0)))
        yield ExplainedRule(
            "discovery", item.id, turns, f"{'revealed' if turns else 'not revealed'} (weight {item.weight:g})"
        )


def _outputs(scenario: Scenario, play: Play) -> Iterator[ExplainedRule]:
    for output in (*scenario.criteria.exemplars, *scenario.criteria.decisions):
        given = play.inputs.get(output.tool)
        turns = tuple(turn_numbers(play.called.get(output.tool, 0)))
        if output.exemplar is not None:
            yield ExplainedRule(
                "output_similarity", output.tool, turns, f"{alike(output.exemplar, given):.3f} like the exemplar"
            )
        else:
            matched = (given or {}).get("value") == output.expected
            yield ExplainedRule("decision_match", output.tool, turns, "as expected" if matched else "not as expected")


def _gate(scenario: Scenario, play: Play) -> Iterator[ExplainedRule]:
    for kind, entries in (
        ("gate: prohibited", scenario.criteria.prohibited),
        ("gate: terminology", scenario.criteria.terminology),
    ):
        for entry in entries:
            turns = _turns(entry.rule, play)
            yield ExplainedRule(kind, entry.id, turns, "violated" if entry.rule in holding(scenario, play) else "kept")
    for referral in scenario.criteria.referrals:
        missed = tuple(turn_numbers(broken(referral, play)))
        triggered = _turns(referral.trigger, play)
        yield ExplainedRule(
            "gate: must_refer", referral.id, triggered, f"missed after turn {missed[0]}" if missed else "kept"
        )


def _requires(scenario: Scenario, play: Play) -> Iterator[ExplainedRule]:
    rule = scenario.criteria.requires
    if rule is not None:
        met = "has held" if requires_met(scenario, play) else "has not held: the reward is 0"
        yield ExplainedRule("scoring", "requires", _turns(rule, play), met)


def _turns(rule: Rule, play: Play) -> tuple[int, ...]:
    return tuple(turn_numbers(rule.matching_turns(play.masks, play.full)))
