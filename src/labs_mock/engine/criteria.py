"""Success metrics, failure metrics, best practices, rubrics, discovery: shares of what holds."""

from labs_mock.engine.score import Score
from labs_mock.engine.state import Play
from labs_mock.scenario.criteria import Criterion, Ladder
from labs_mock.scenario.rules import Rule, last
from labs_mock.scenario.scenario import Scenario


def holding(scenario: Scenario, play: Play) -> dict[Rule, int]:
    """The rules of the criteria that hold at the last turn, with the turn since which they do."""
    if play.held is None:
        play.held = scenario.criteria.rules.holding(play.masks, play.full)
    return play.held


def success_metrics(scenario: Scenario, play: Play) -> Score:
    """Weight of the metrics that hold / total weight."""
    return _share(scenario.criteria.success_metrics, holding(scenario, play), "reached")


def best_practices(scenario: Scenario, play: Play) -> Score:
    """Weight of the practices that hold / total weight."""
    return _share(scenario.criteria.best_practices, holding(scenario, play), "followed")


def failure_metrics(scenario: Scenario, play: Play) -> Score:
    """1 minus weight of the failures that hold / total weight; 0 once a critical one holds."""
    held = holding(scenario, play)
    value, sentence = _share(scenario.criteria.failure_metrics, held, "occurred")
    for rule in scenario.criteria.critical:
        if rule in held:
            return Score(0.0, f"{sentence}; a critical one at turn {held[rule]}")
    return Score(1.0 - value, sentence)


def rubrics(scenario: Scenario, play: Play) -> Score:
    """Mean over all rubric criteria of the score of the best level that holds."""
    held = holding(scenario, play)
    best = [_best(ladder, held) for ladder in scenario.criteria.ladders]
    return Score(sum(best) / len(best), f"{best.count(1.0)} of {len(best)} at full score")


def discovery(scenario: Scenario, play: Play) -> Score:
    """Weight of the state items that were revealed / total weight."""
    turns = [(item.weight, last(play.masks.get(item.atom, 0))) for item in scenario.persona.items]
    return _sum(turns, "revealed")


def _best(ladder: Ladder, held: dict[Rule, int]) -> float:
    for score, _, rule in ladder.levels:
        if rule is None or rule in held:
            return score
    return 0.0


def _share(criteria: tuple[Criterion, ...], held: dict[Rule, int], verb: str) -> Score:
    return _sum([(criterion.weight, held.get(criterion.rule, -1)) for criterion in criteria], verb)


def _sum(weighed: list[tuple[float, int]], verb: str) -> Score:
    """The share of weight whose turn is not -1, and a sentence on how many and when."""
    held = [pair for pair in weighed if pair[1] >= 0]
    if not held:
        return Score(0.0, f"0 of {len(weighed)} {verb}")
    value = sum([weight for weight, _ in held]) / sum([weight for weight, _ in weighed])
    latest = max([turn for _, turn in held])
    return Score(value, f"{len(held)} of {len(weighed)} {verb}; last at turn {latest}")
