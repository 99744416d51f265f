"""Why this reward: every rule of the scoring, the turns that it matches, and its result."""

from collections.abc import Iterator
from typing import Any

from labs_mock.engine.assessment import Assessment, ExplainedRule
from labs_mock.engine.evidence import Evidence, requires_met
from labs_mock.engine.gate import explain_gate
from labs_mock.engine.play import Play
from labs_mock.engine.scorers import explained_rules
from labs_mock.scenario.compiled.scenario import Scenario


def explain_rules(scenario: Scenario, play: Play) -> list[ExplainedRule]:
    """One row for everything that can count, in the order of the dimensions, then the gate, then what is required.

    It shows what must never leave `/api/v1` (NEVER-1): it is for the command line and the control plane.
    """
    evidence = Evidence.collect(scenario, play)
    return [*explained_rules(evidence), *explain_gate(evidence), *_explain_requires(evidence)]


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
        "rules": [{**row._asdict(), "turns": list(row.turns)} for row in explain_rules(scenario, play)],
    }


def _explain_requires(evidence: Evidence) -> Iterator[ExplainedRule]:
    rule = evidence.scenario.criteria.requires
    if rule is not None:
        met = requires_met(evidence.scenario, evidence.play)
        result = "has held" if met else "has not held: the reward is 0"
        yield ExplainedRule("scoring", "requires", evidence.matching_turns(rule), result)
