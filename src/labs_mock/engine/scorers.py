"""One score for each dimension, and the rows that explain it (RC-2, RC-5)."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from labs_mock.contract.dimensions import DIMENSIONS, Dimension
from labs_mock.engine.assessment import PLACES, ExplainedRule, Score
from labs_mock.engine.evidence import Evidence
from labs_mock.scenario.compiled.criteria import Criterion, Ladder
from labs_mock.scenario.rules.algebra import Turns, last_turn, turn_numbers
from labs_mock.scenario.rules.inputs import leaves, same
from labs_mock.text import similarity

Row = tuple[str, tuple[int, ...], str]
"""The id of a criterion, the turns that it matches, and its result in words."""


class Scorer(NamedTuple):
    """How a dimension is scored, and how its score is explained, criterion by criterion.

    Both are called only for a scenario that defines the dimension.
    """

    score: Callable[[Evidence], Score]
    explain: Callable[[Evidence], Iterator[Row]]


# Metrics and practices


def success_metrics(evidence: Evidence) -> Score:
    """Weight of the metrics that hold / total weight."""
    return _share(evidence, evidence.scenario.criteria.success_metrics, "reached")


def failure_metrics(evidence: Evidence) -> Score:
    """1 minus weight of the failures that hold / total weight; 0 once a critical one holds."""
    criteria, holding = evidence.scenario.criteria, evidence.holding
    value, sentence = _share(evidence, criteria.failure_metrics, "occurred")
    for rule in criteria.critical:
        if rule in holding:
            return Score(0.0, f"{sentence}; a critical one at turn {holding[rule]}")
    return Score(round(1.0 - value, PLACES), sentence)


def best_practices(evidence: Evidence) -> Score:
    """Weight of the practices that hold / total weight."""
    return _share(evidence, evidence.scenario.criteria.best_practices, "followed")


def explain_success_metrics(evidence: Evidence) -> Iterator[Row]:
    """Each metric: whether it holds, and its weight."""
    return _criteria_rows(evidence, evidence.scenario.criteria.success_metrics)


def explain_failure_metrics(evidence: Evidence) -> Iterator[Row]:
    """Each failure: whether it holds, its weight, and whether it is critical."""
    return _criteria_rows(evidence, evidence.scenario.criteria.failure_metrics)


def explain_best_practices(evidence: Evidence) -> Iterator[Row]:
    """Each practice: whether it holds, and its weight."""
    return _criteria_rows(evidence, evidence.scenario.criteria.best_practices)


def _criteria_rows(evidence: Evidence, criteria: tuple[Criterion, ...]) -> Iterator[Row]:
    for one in criteria:
        holds = "holds" if one.rule in evidence.holding else "does not hold"
        critical = ", critical" if one.critical else ""
        yield one.id, evidence.matching_turns(one.rule), f"{holds} (weight {one.weight:g}{critical})"


# Rubrics


def rubrics(evidence: Evidence) -> Score:
    """Mean over all rubric criteria of the score of the best level that holds."""
    best = [_best_level(evidence, ladder) for ladder in evidence.scenario.criteria.ladders]
    return Score(round(sum(best) / len(best), PLACES), f"{best.count(1.0)} of {len(best)} at full score")


def explain_rubrics(evidence: Evidence) -> Iterator[Row]:
    """Each rubric criterion: the best level that holds."""
    for ladder in evidence.scenario.criteria.ladders:
        for score, label, rule in ladder.levels:
            if rule is None or rule in evidence.holding:
                yield ladder.id, () if rule is None else evidence.matching_turns(rule), f"{label} ({score:g})"
                break
        else:
            yield ladder.id, (), "no level holds (0)"


def _best_level(evidence: Evidence, ladder: Ladder) -> float:
    for score, _, rule in ladder.levels:
        if rule is None or rule in evidence.holding:
            return score
    return 0.0


# Discovery


def discovery(evidence: Evidence) -> Score:
    """Weight of the state items that were revealed / total weight."""
    items, masks, reached, total = evidence.scenario.persona.items, evidence.play.masks, 0.0, 0.0
    turns: Turns = 0
    count = 0
    for item in items:
        total += item.weight
        if item.atom in masks:
            reached += item.weight
            count += 1
            turns |= masks[item.atom]
    return _score(reached / total, count, len(items), "revealed", last_turn(turns))


def explain_discovery(evidence: Evidence) -> Iterator[Row]:
    """Each state item: whether it was revealed, and when."""
    for item in evidence.scenario.persona.items:
        turns = tuple(turn_numbers(evidence.play.masks.get(item.atom, 0)))
        yield item.id, turns, f"{'revealed' if turns else 'not revealed'} (weight {item.weight:g})"


# Outputs


def output_similarity(evidence: Evidence) -> Score:
    """Mean over exemplars of the share of its leaves that the tool's last call has with the same value."""
    exemplars, inputs = evidence.scenario.criteria.exemplars, evidence.play.inputs
    if not inputs:
        return Score(0.0, f"0 of {len(exemplars)} submitted")
    shares = [similarity_to_exemplar(output.exemplar, inputs.get(output.tool)) for output in exemplars]
    called = sum(inputs.get(output.tool) is not None for output in exemplars)
    return Score(round(sum(shares) / len(shares), PLACES), f"{called} of {len(exemplars)} submitted")


def explain_output_similarity(evidence: Evidence) -> Iterator[Row]:
    """Each exemplar: how much the last call of its tool is like it."""
    for output in evidence.scenario.criteria.exemplars:
        share = similarity_to_exemplar(output.exemplar, evidence.play.inputs.get(output.tool))
        yield output.tool, _calling_turns(evidence, output.tool), f"{share:.3f} like the exemplar"


def decision_match(evidence: Evidence) -> Score:
    """Share of the expected decisions whose last call took the expected option."""
    decisions = evidence.scenario.criteria.decisions
    matched = sum(_last_option(evidence, output.tool) == output.expected for output in decisions)
    return Score(round(matched / len(decisions), PLACES), f"{matched} of {len(decisions)} as expected")


def explain_decision_match(evidence: Evidence) -> Iterator[Row]:
    """Each expected decision: whether the last call of its tool took that option."""
    for output in evidence.scenario.criteria.decisions:
        matched = _last_option(evidence, output.tool) == output.expected
        yield output.tool, _calling_turns(evidence, output.tool), "as expected" if matched else "not as expected"


def similarity_to_exemplar(exemplar: Any, called: Any) -> float:
    """Share of the exemplar's leaves that the input of a call has at the same path; text counts by its words."""
    if called is None:
        return 0.0
    wanted, present = list(leaves(exemplar)), dict(leaves(called))
    return sum(_leaf(value, present[path]) for path, value in wanted if path in present) / len(wanted)


def _leaf(wanted: Any, present: Any) -> float:
    if isinstance(wanted, str) and isinstance(present, str):
        return similarity(wanted, present)
    return float(same(wanted, present))


def _last_option(evidence: Evidence, tool: str) -> Any:
    return (evidence.play.inputs.get(tool) or {}).get("value")


def _calling_turns(evidence: Evidence, tool: str) -> tuple[int, ...]:
    return tuple(turn_numbers(evidence.play.called.get(tool, 0)))


# All of them

SCORERS: dict[Dimension, Scorer] = {
    "success_metrics": Scorer(success_metrics, explain_success_metrics),
    "failure_metrics": Scorer(failure_metrics, explain_failure_metrics),
    "best_practices": Scorer(best_practices, explain_best_practices),
    "rubrics": Scorer(rubrics, explain_rubrics),
    "discovery": Scorer(discovery, explain_discovery),
    "output_similarity": Scorer(output_similarity, explain_output_similarity),
    "decision_match": Scorer(decision_match, explain_decision_match),
}
assert tuple(SCORERS) == DIMENSIONS, "contract/dimensions.py and this table have the same dimensions in the same order"


def explained_rules(evidence: Evidence) -> Iterator[ExplainedRule]:
    """The rows of all dimensions that the scenario defines, in their order."""
    for dimension in evidence.scenario.dimensions:
        for row in SCORERS[dimension].explain(evidence):
            yield ExplainedRule(dimension, *row)


def _share(evidence: Evidence, criteria: tuple[Criterion, ...], verb: str) -> Score:
    """The share of the weight of the criteria that hold, and a sentence on how many and since when."""
    holding = evidence.holding
    reached = total = 0.0
    count, latest = 0, -1
    for criterion in criteria:
        total += criterion.weight
        if criterion.rule in holding:
            reached += criterion.weight
            count += 1
            latest = max(latest, holding[criterion.rule])
    return _score(reached / total, count, len(criteria), verb, latest)


def _score(value: float, count: int, size: int, verb: str, latest: int) -> Score:
    when = f"; last at turn {latest}" if count else ""
    return Score(round(value, PLACES), f"{count} of {size} {verb}{when}")
