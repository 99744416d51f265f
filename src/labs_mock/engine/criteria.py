"""Success metrics, failure metrics, best practices, rubrics, discovery: shares of what holds."""

from labs_mock.engine.score import Score
from labs_mock.engine.state import Play
from labs_mock.scenario.rules import Rule, last
from labs_mock.scenario.scenario import Criterion, Scenario


def first_held(rule: Rule, play: Play) -> int:
    """The turn since which a rule has held, or -1 if it does not hold at the last turn."""
    held = rule.holds(play.masks, play.full)
    if not held >> play.turn:
        return -1
    return last(~held & (play.full | 1)) + 1


def success_metrics(scenario: Scenario, play: Play) -> Score:
    """Weight of the metrics that hold / total weight."""
    return _share(scenario.metrics["success_metrics"], play, "reached")


def best_practices(scenario: Scenario, play: Play) -> Score:
    """Weight of the practices that hold / total weight."""
    return _share(scenario.metrics["best_practices"], play, "followed")


def failure_metrics(scenario: Scenario, play: Play) -> Score:
    """1 minus weight of the failures that hold / total weight; 0 once a critical one holds."""
    criteria = scenario.metrics["failure_metrics"]
    value, sentence = _share(criteria, play, "occurred")
    for criterion in criteria:
        if criterion.critical and (turn := first_held(criterion.rule, play)) >= 0:
            return Score(0.0, f"{sentence}; a critical one at turn {turn}")
    return Score(1.0 - value, sentence)


def rubrics(scenario: Scenario, play: Play) -> Score:
    """Mean over all rubric criteria of the score of the best level that holds."""
    best = [
        next((score for score, _, rule in ladder.levels if rule is None or first_held(rule, play) >= 0), 0.0)
        for ladder in scenario.ladders
    ]
    full = sum(score == 1.0 for score in best)
    return Score(sum(best) / len(best), f"{full} of {len(best)} at full score")


def discovery(scenario: Scenario, play: Play) -> Score:
    """Weight of the state items that were revealed / total weight."""
    turns = [(item.weight, last(play.masks.get(item.atom, 0))) for item in scenario.items]
    return _sum(turns, "revealed")


def _share(criteria: tuple[Criterion, ...], play: Play, verb: str) -> Score:
    return _sum([(criterion.weight, first_held(criterion.rule, play)) for criterion in criteria], verb)


def _sum(weighed: list[tuple[float, int]], verb: str) -> Score:
    """The share of weight whose turn is not -1, and a sentence on how many and when."""
    held = [pair for pair in weighed if pair[1] >= 0]
    if not held:
        return Score(0.0, f"0 of {len(weighed)} {verb}")
    value = sum([weight for weight, _ in held]) / sum([weight for weight, _ in weighed])
    latest = max([turn for _, turn in held])
    return Score(value, f"{len(held)} of {len(weighed)} {verb}; last at turn {latest}")
