"""The reward: which scorers run, what they say, and the one number (RC-1…5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import fsum

from labs_mock.contract.dimensions import DIMENSIONS, Dimension
from labs_mock.contract.findings import Finding
from labs_mock.contract.models import RewardConfig
from labs_mock.engine import criteria, outputs
from labs_mock.engine.gate import OPEN, Gate, gate
from labs_mock.engine.score import PLACES, Score
from labs_mock.engine.state import Play
from labs_mock.scenario.scenario import Scenario

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


@dataclass(frozen=True, slots=True)
class Assessment:
    """A reward and how it came about; `results` has the dimensions that ran, by dimension."""

    reward: float
    results: dict[Dimension, Score]
    weights: Mapping[Dimension, float]
    gate: Gate
    critical: bool
    names: Mapping[Dimension, str]

    @property
    def scores(self) -> dict[str, float]:
        """Score by name, of those that ran (RC-2)."""
        return {self.names[dimension]: result.value for dimension, result in self.results.items()}

    @property
    def breakdown(self) -> dict[str, str]:
        """One sentence by name."""
        return {self.names[dimension]: result.sentence for dimension, result in self.results.items()}


def assess(scenario: Scenario, play: Play, config: RewardConfig | None = None) -> Assessment:
    """Score the conversation so far.

    reward = 0 if failure metrics run and a critical one holds, else gate times the weighted mean of the scorers that
    ran, rounded to 6 places (RC-4). Scores are rounded first, so that a reader can do the sum again.
    """
    weights = effective_weights(scenario, config)
    results = {dimension: SCORERS[dimension](scenario, play) for dimension in weights}
    skip = config is not None and bool(config.skip_safety_gate)
    passed = OPEN if skip else gate(scenario, play)
    critical = "failure_metrics" in weights and not criteria.holding(scenario, play).keys().isdisjoint(
        scenario.criteria.critical
    )
    reward = 0.0
    if weights and not critical:
        top = max(weights.values())  # only ratios matter, and tiny weights must not vanish in products
        shares = [weight / top for weight in weights.values()]
        total = fsum([share * result.value for share, result in zip(shares, results.values(), strict=True)])
        reward = min(1.0, round(passed.factor * total / fsum(shares), PLACES))
    return Assessment(reward, results, weights, passed, critical, scenario.names)


def effective_weights(scenario: Scenario, config: RewardConfig | None) -> Mapping[Dimension, float]:
    """The weights above 0 of the dimensions that the scenario defines, in their order (RC-1, RC-2, RC-5)."""
    if config is None or config.quality_weights is None:
        return scenario.weights
    asked = config.quality_weights
    return {dimension: weight for dimension in scenario.dimensions if (weight := getattr(asked, dimension))}


def unknown_dimensions(scenario: Scenario, config: RewardConfig | None) -> list[Finding]:
    """Dimensions that were asked for and that the scenario does not define (RC-5)."""
    if config is None or config.quality_weights is None:
        return []
    return [
        Finding("unknown_dimension", f"reward_config.quality_weights.{dimension}")
        for dimension in DIMENSIONS
        if dimension not in scenario.dimensions and getattr(config.quality_weights, dimension)
    ]
