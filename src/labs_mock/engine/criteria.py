"""Success metrics, failure metrics, best practices, rubrics, discovery: shares of what holds."""

from labs_mock.engine.assessment import PLACES, Score
from labs_mock.engine.play import Play
from labs_mock.scenario.compiled.criteria import Criterion, Ladder
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.rules.algebra import Rule, Turns, last_turn


def holding(scenario: Scenario, play: Play) -> dict[Rule, int]:
    """The rules of the criteria that hold at the last turn, with the turn since which they do."""
    if play.held is None:
        play.held = scenario.criteria.rules.holding_at_last_turn(play.masks, play.full)
    return play.held


def requires_met(scenario: Scenario, play: Play) -> bool:
    """Whether the rule that a scenario requires has held at some turn so far; true where it requires nothing (RC-6).

    A rule never looks ahead, so all turns at which it held are known without going back to them.
    """
    rule = scenario.criteria.requires
    return rule is None or bool(rule.holding_turns(play.masks, play.full) & play.full)


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
    return Score(round(1.0 - value, PLACES), sentence)


def rubrics(scenario: Scenario, play: Play) -> Score:
    """Mean over all rubric criteria of the score of the best level that holds."""
    held = holding(scenario, play)
    best = [_best(ladder, held) for ladder in scenario.criteria.ladders]
    return Score(round(sum(best) / len(best), PLACES), f"{best.count(1.0)} of {len(best)} at full score")


def discovery(scenario: Scenario, play: Play) -> Score:
    """Weight of the state items that were revealed / total weight."""
    items, reached, total = scenario.persona.items, 0.0, 0.0
    turns: Turns = 0
    count = 0
    for item in items:
        total += item.weight
        if item.atom in play.masks:
            reached += item.weight
            count += 1
            turns |= play.masks[item.atom]
    return _score(reached / total, count, len(items), "revealed", last_turn(turns))


def _best(ladder: Ladder, held: dict[Rule, int]) -> float:
    for score, _, rule in ladder.levels:
        if rule is None or rule in held:
            return score
    return 0.0


def _share(criteria: tuple[Criterion, ...], held: dict[Rule, int], verb: str) -> Score:
    """The share of the weight of the criteria that hold, and a sentence on how many and since when."""
    reached = total = 0.0
    count, latest = 0, -1
    for criterion in criteria:
        total += criterion.weight
        if criterion.rule in held:
            reached += criterion.weight
            count += 1
            latest = max(latest, held[criterion.rule])
    return _score(reached / total, count, len(criteria), verb, latest)


def _score(value: float, count: int, size: int, verb: str, latest: int) -> Score:
    when = f"; last at turn {latest}" if count else ""
    return Score(round(value, PLACES), f"{count} of {size} {verb}{when}")
