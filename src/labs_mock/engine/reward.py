"""The reward: which scorers run, what they say, and the one number (RC-1…6)."""

from collections.abc import Callable, Mapping
from math import fsum

from labs_mock.contract.dimensions import DIMENSIONS, Dimension
from labs_mock.contract.requests import RewardConfig
from labs_mock.engine import criteria, outputs
from labs_mock.engine.assessment import PLACES, Assessment, Score
from labs_mock.engine.gate import OPEN, gate
from labs_mock.engine.play import Play
from labs_mock.scenario.compiled.scenario import Scenario

SCORERS: dict[Dimension, Callable[[Scenario, Play], Score]] = {
    "success_metrics": criteria.success_metrics,
    "failure_metrics": criteria.failure_metrics,
    "best_practices": criteria.best_practices,
    "rubrics": criteria.rubrics,
    "discovery": criteria.discovery,
    "output_similarity": outputs.output_similarity,
    "decision_match": outputs.decision_match,
}
assert tuple(SCORERS) == DIMENSIONS


def assess(scenario: Scenario, play: Play, config: RewardConfig | None = None) -> Assessment:
    """Score the conversation so far.

    reward = 0 if what the scenario requires has not held at any turn (RC-6); else 0 if failure metrics run and a critical
    one holds; else gate times the weighted mean of the scorers that ran, rounded to 6 places (RC-4). Scores are rounded first, so that a reader can do the sum again. Without a
    config a state is assessed once, however many conversations lead to it.
    """
    if config is not None:
        return _assess(scenario, play, effective_weights(scenario, config), bool(config.skip_safety_gate))
    if play.assessed is None:
        play.assessed = _assess(scenario, play, scenario.weights, False)
    return play.assessed


def _assess(scenario: Scenario, play: Play, weights: Mapping[Dimension, float], skip_gate: bool) -> Assessment:
    results = {dimension: SCORERS[dimension](scenario, play) for dimension in weights}
    gated = OPEN if skip_gate else gate(scenario, play)
    held = criteria.holding(scenario, play)
    earned = criteria.requires_met(scenario, play)
    critical = "failure_metrics" in weights and not held.keys().isdisjoint(scenario.criteria.critical)
    reward = 0.0
    if weights and earned and not critical:
        top = max(weights.values())  # only ratios matter, and tiny weights must not vanish in products
        shares = [weight / top for weight in weights.values()]
        total = fsum([share * result.value for share, result in zip(shares, results.values(), strict=True)])
        reward = min(1.0, round(gated.factor * total / fsum(shares), PLACES))
    names = scenario.names
    scores = {names[dimension]: result.value for dimension, result in results.items()}
    breakdown = {names[dimension]: result.sentence for dimension, result in results.items()}
    return Assessment(reward, results, weights, gated, earned, critical, names, scores, breakdown)


def effective_weights(scenario: Scenario, config: RewardConfig) -> Mapping[Dimension, float]:
    """The weights above 0 of the dimensions that the scenario defines, in their order (RC-1, RC-2, RC-5)."""
    if config.quality_weights is None:
        return scenario.weights
    asked = config.quality_weights
    return {dimension: weight for dimension in scenario.dimensions if (weight := getattr(asked, dimension))}
