"""Why a conversation ended, as a sentence (EP-11, EP-14)."""

from collections.abc import Callable, Sequence

from labs_mock.engine.play import Play
from labs_mock.engine.turn_results import TurnResult
from labs_mock.scenario.compiled.scenario import Scenario


def ending(scenario: Scenario, results: Sequence[TurnResult], reason: str | None) -> str:
    """How a conversation ended, whose turns led to these results; `reason` is its terminal reason, None while it goes on."""
    if reason is None:
        return "It has not ended."
    if reason == "client_terminated":
        return "client_terminated: somebody ended it over the control plane."
    return f"{reason}: {_SENTENCES[reason](scenario, results[-1].play)}."


def _completed(scenario: Scenario, play: Play) -> str:
    if play.closed:
        return f"its last session ended with turn {play.turn}"
    if scenario.file.completed is None:
        return f"every tool was called, the last of them in turn {play.turn}"
    return f"the scenario's rule for it matched turn {play.turn}"


def _error(scenario: Scenario, play: Play) -> str:
    if not play.valid and scenario.file.invalid_tool_call == "error":
        return f"turn {play.turn} has an invalid tool call"
    critical = [
        metric.id
        for metric in scenario.criteria.failure_metrics
        if metric.critical and metric.rule.matching_turns(play.masks, play.full) >> play.turn & 1
    ]
    return f"the critical failure {', '.join(critical)} matched turn {play.turn}"


def _max_turns_reached(scenario: Scenario, _: Play) -> str:
    return f"the scenario has at most {scenario.file.max_turns} turns"


_SENTENCES: dict[str, Callable[[Scenario, Play], str]] = {
    "completed": _completed,
    "error": _error,
    "max_turns_reached": _max_turns_reached,
}
