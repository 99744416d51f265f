"""Output similarity and decision match: what the last calls of the tools were like."""

from typing import Any

from labs_mock.engine.assessment import PLACES, Score
from labs_mock.engine.play import Play
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.rules.inputs import leaves, same
from labs_mock.text import similarity


def output_similarity(scenario: Scenario, play: Play) -> Score:
    """Mean over exemplars of the share of its leaves that the tool's last call has with the same value."""
    exemplars = scenario.criteria.exemplars
    if not play.inputs:
        return Score(0.0, f"0 of {len(exemplars)} submitted")
    likeness = [alike(output.exemplar, play.inputs.get(output.tool)) for output in exemplars]
    called = sum(play.inputs.get(output.tool) is not None for output in exemplars)
    return Score(round(sum(likeness) / len(likeness), PLACES), f"{called} of {len(exemplars)} submitted")


def decision_match(scenario: Scenario, play: Play) -> Score:
    """Share of the expected decisions whose last call took the expected option."""
    expected = scenario.criteria.decisions
    matched = sum((play.inputs.get(output.tool) or {}).get("value") == output.expected for output in expected)
    return Score(round(matched / len(expected), PLACES), f"{matched} of {len(expected)} as expected")


def alike(exemplar: Any, given: Any) -> float:
    """Share of the exemplar's leaves that `given` has at the same path; text counts by its words."""
    if given is None:
        return 0.0
    wanted, have = list(leaves(exemplar)), dict(leaves(given))
    return sum(_leaf(value, have[path]) for path, value in wanted if path in have) / len(wanted)


def _leaf(wanted: Any, given: Any) -> float:
    if isinstance(wanted, str) and isinstance(given, str):
        return similarity(wanted, given)
    return float(same(wanted, given))
