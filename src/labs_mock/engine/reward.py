"""The reward: which scorers run, and the one number made of their scores (RC-1…6)."""

from collections.abc import Mapping
from math import fsum

from labs_mock.contract.dimensions import Dimension
from labs_mock.contract.requests import RewardConfig
from labs_mock.engine.assessment import PLACES, Assessment
from labs_mock.engine.evidence import Evidence, requires_met
from labs_mock.engine.gate import OPEN, gate
from labs_mock.engine.play import Play
from labs_mock.engine.scorers import SCORERS
from labs_mock.scenario.compiled.scenario import Scenario


def assess(scenario: Scenario, play: Play, config: RewardConfig | None = None) -> Assessment:
    """Score the conversation so far.

    reward = 0 if what the scenario requires has not held at any turn (RC-6); else 0 if failure metrics run and a critical
    one holds; else gate times the weighted mean of the scorers that ran, rounded to 6 places (RC-4). Scores are rounded
    first, so that a reader can do the sum again.
    """
    return assess_evidence(Evidence.collect(scenario, play), config)


def assess_evidence(evidence: Evidence, config: RewardConfig | None) -> Assessment:
    """The assessment of what scorers look at."""
    if config is None:
        return _assess(evidence, evidence.scenario.weights, False)
    return _assess(evidence, effective_weights(evidence.scenario, config), bool(config.skip_safety_gate))


def _assess(evidence: Evidence, weights: Mapping[Dimension, float], skip_gate: bool) -> Assessment:
    scenario, play, holding = evidence
    results = {dimension: SCORERS[dimension].score(evidence) for dimension in weights}
    gated = OPEN if skip_gate else gate(evidence)
    earned = requires_met(scenario, play)
    critical = "failure_metrics" in weights and not holding.keys().isdisjoint(scenario.criteria.critical)
    reward = 0.0
    if weights and earned and not critical:
        top = max(weights.values())  # only ratios matter, and tiny weights must not vanish in products
        shares = [weight / top for weight in weights.values()]
        total = fsum([share * result.value for share, result in zip(shares, results.values(), strict=True)])
        reward = min(1.0, round(gated.factor * total / fsum(shares), PLACES))
    names = scenario.names
    scores = {names[dimension]: result.value for dimension, result in results.items()}
    breakdown = {names[dimension]: result.sentence for dimension, result in results.items()}
    return Assessment(reward, results, weights, gated, skip_gate, earned, critical, names, scores, breakdown)


def effective_weights(scenario: Scenario, config: RewardConfig) -> Mapping[Dimension, float]:
    """The weights above 0 of the dimensions that the scenario defines, in their order (RC-1, RC-2, RC-5)."""
    weights = config.quality_weights
    if weights is None:
        return scenario.weights
    return {dimension: weight for dimension in scenario.dimensions if (weight := getattr(weights, dimension))}
