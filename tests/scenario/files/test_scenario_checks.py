from typing import Any

import pytest

from labs_mock.scenario.files.scenario_checks import check_scenario
from tests.scenario.bases import GONE, JOURNEY, TASK, changed, steps
from tests.support import CLAIM, scenario

Row = tuple[str, Any, str, str]
ITEM = {"fact": "F", "reply": "R"}
LEVELS = [{"label": "L", "score": 1.0}]
WHEN = {"says": ["x"]}


def rows(*table: Row) -> pytest.MarkDecorator:
    """A table of: where to change what, and which path and words the mistake has."""
    return pytest.mark.parametrize(("where", "value", "path", "words"), table)


@pytest.mark.parametrize("data", [CLAIM, TASK, JOURNEY], ids=["conversation", "decision_task", "journey"])
def test_a_valid_scenario_has_no_mistakes(data: dict[str, Any]) -> None:
    """The bases of the tables below are right, so each mistake in a table comes from its change alone."""
    assert list(check_scenario(data)) == []
    assert scenario(data).file.shape == data["shape"]


@rows(
    ("state.1.id", "onset", "state.1.id", "'onset' is taken"),
    ("tools.2", {**CLAIM["tools"][0]}, "tools.2.id", "'order_imaging' is taken"),
    ("criteria.success_metrics.1.id", "establish_onset", "criteria.success_metrics.1.id", "taken"),
    ("criteria.failure_metrics.1.id", "early_approval", "criteria.failure_metrics.1.id", "taken"),
    ("criteria.best_practices.1", {"id": "open_question", "when": WHEN}, "criteria.best_practices.1.id", "taken"),
    ("criteria.rubrics.1", {"criteria": [{"id": "gathering", "levels": LEVELS}]},
     "criteria.rubrics.1.criteria.0.id", "'gathering' is taken"),
    ("criteria.scope.prohibited.1", {"id": "diagnosis", "when": WHEN}, "criteria.scope.prohibited.1.id", "taken"),
    ("criteria.scope.must_refer.1", {"id": "scared", "trigger": WHEN, "when": WHEN},
     "criteria.scope.must_refer.1.id", "taken"),
    ("persona", GONE, "shape", "a conversation without 'persona'"),
    ("briefing", "B", "briefing", "no place in a conversation"),
    ("documents", [], "documents", "no place in a conversation"),
    ("sessions", [{"after_days": 0}], "sessions", "no place in a conversation"),
    ("closing", "C", "closing", "no place in a conversation"),
    ("state.3.reveal", "volunteered", "state.3.reveal", "a hidden item has no reveal"),
    ("state.0.reveal", GONE, "state.0", "without 'reveal'"),
    ("state.1.when", GONE, "state.1", "direct_question item without 'when'"),
    ("state.2.when", GONE, "state.2", "rapport_required item without 'when'"),
    ("state.3.when", GONE, "state.3", "hidden item without 'when'"),
    ("rapport", GONE, "state.2.reveal", "rapport_required without 'rapport'"),
    ("state.1.deflect", "No.", "state.1.deflect", "only rapport_required items are deflected"),
    ("state.0.reply", "x" * 10_000, "state", "too long for one observation"),
    ("state.0.reply", "\U0001f600" * 5_000, "state", "too long for one observation"),
    ("operators.expert.says.1", ["x" * 2_000, ["no", "\U0001f600" * 2_000], {"say": "y" * 2_000, "when": WHEN}] * 2,
     "operators.expert.says.1", "too long for one message"),
    ("tools.0.json_schema", GONE, "tools.0", "mode json_schema without 'json_schema'"),
    ("tools.2", {"id": "t", "mode": "options"}, "tools.2", "mode options without 'options'"),
    ("tools.0.options", ["a"], "tools.0.options", "'options' beside mode json_schema"),
    ("tools.1.json_schema", {}, "tools.1.json_schema", "'json_schema' beside mode options"),
    ("tools.1.options.3", "approved", "tools.1.options", "'approved' stands 2 times"),
    ("tools.0.json_schema.type", "objekt", "tools.0.json_schema", "not a JSON Schema"),
    ("tools.0.json_schema.$ref", "http://127.0.0.1/s.json", "tools.0.json_schema", "nothing is fetched"),
    ("tools.0.json_schema.properties.region.pattern", "(?=a)", "tools.0.json_schema", "not a JSON Schema"),
    ("criteria.outputs.0.exemplar", GONE, "criteria.outputs.0", "both, or with neither"),
    ("criteria.outputs.1.exemplar", {"value": "x"}, "criteria.outputs.1", "both, or with neither"),
    ("criteria.outputs.0.tool", "order_imagin", "criteria.outputs.0.tool", "unknown tool 'order_imagin'"),
    ("criteria.outputs.0", {"tool": "order_imaging", "expected": "x"}, "criteria.outputs.0.expected", "has no options"),
    ("criteria.outputs.1.expected", "aproved", "criteria.outputs.1.expected", "has no option 'aproved'"),
    ("criteria.outputs.0.exemplar.region", 7, "criteria.outputs.0.exemplar.region", "breaks the tool's schema"),
    ("operators.expert.says.1.1.call", "order", "operators.expert.says.1.1.call", "unknown tool 'order'"),
    ("operators.expert.says.0", {"parts": [{"call": "no", "input": {}}]}, "operators.expert.says.0.parts.0.call",
     "unknown tool 'no'"),
    ("operators.expert.says.0", ["Hi.", {"silent": True}], "operators.expert.says.0.1", "silence beside other parts"),
    ("operators.expert.says.0", {"parts": [{"silent": True}, "Hi."]}, "operators.expert.says.0.parts.0",
     "silence beside other parts"),
    ("scoring.weights", {"discovery": 0, "rubrics": 0.0}, "scoring.weights", "all weights are 0"),
    ("scoring.weights", {}, "scoring.weights", "all weights are 0"),
    ("scoring.names", {"rubrics": "N", "discovery": "N"}, "scoring.names.discovery", "score name 'N' is taken"),
    ("scoring.names", {"success_metrics": "D5_Discovery"}, "scoring.names.discovery", "'D5_Discovery' is taken"),
)  # fmt: skip
def test_a_mistake_in_a_conversation_is_found(where: str, value: Any, path: str, words: str) -> None:
    """One change to the valid claim gives one mistake, at its path and with its words."""
    (mistake,) = check_scenario(changed(CLAIM, where, value))
    assert (list(mistake.path), words in mistake.message, bool(mistake.expected)) == (steps(path), True, True)


@rows(
    ("briefing", GONE, "shape", "a decision_task without 'briefing'"),
    ("persona", CLAIM["persona"], "persona", "no place in a decision_task"),
    ("rapport", {"when": WHEN}, "rapport", "no place in a decision_task"),
    ("sessions", [], "sessions", "no place in a decision_task"),
    ("closing", "C", "closing", "no place in a decision_task"),
    ("state.1", {"id": "k", "reveal": "volunteered", **ITEM}, "state.1", "no persona to know this"),
    ("documents.0.text", "x" * 10_000, "briefing", "too long for one observation"),
    ("scoring.weights", {"rubrics": 1}, "scoring.weights.rubrics", "does not define rubrics"),
    ("scoring.names", {"best_practices": "N"}, "scoring.names.best_practices", "does not define best_practices"),
)
def test_a_mistake_in_a_decision_task_is_found(where: str, value: Any, path: str, words: str) -> None:
    """A decision task needs a briefing and tools, and knows nothing that a persona would."""
    (mistake,) = check_scenario(changed(TASK, where, value))
    assert (list(mistake.path), words in mistake.message, bool(mistake.expected)) == (steps(path), True, True)


@rows(
    ("persona", GONE, "shape", "a journey without 'persona'"),
    ("sessions", GONE, "shape", "a journey without 'sessions'"),
    ("sessions", [], "shape", "a journey without 'sessions'"),
    ("closing", GONE, "shape", "a journey without 'closing'"),
    ("briefing", "B", "briefing", "no place in a journey"),
    ("documents", [], "documents", "no place in a journey"),
    ("sessions.0.after_days", 1, "sessions.0.after_days", "the first session starts later"),
    ("sessions.0.reach_out", [{"say": "Hi."}], "sessions.0.reach_out", "has the persona's opening"),
    ("sessions.2.reach_out", GONE, "sessions.2", "a session without 'reach_out'"),
    ("sessions.2.reach_out", [], "sessions.2", "a session without 'reach_out'"),
    ("sessions.1.reach_out.0.when", GONE, "sessions.1.reach_out.0", "the variants must end with one"),
    ("sessions.1.reach_out.1.when", WHEN, "sessions.1.reach_out.1", "the variants must end with one"),
    ("sessions.2.after_days", 7, "sessions.2.after_days", "day 7 is not after day 7"),
    ("sessions.1.after_days", 0, "sessions.1.after_days", "day 0 is not after day 0"),
    ("sessions.1.reach_out.1.say", "x" * 10_000, "state", "too long for one observation"),
)
def test_a_mistake_in_a_journey_is_found(where: str, value: Any, path: str, words: str) -> None:
    """Sessions rise in days, and each but the first begins with what the persona says."""
    (mistake,) = check_scenario(changed(JOURNEY, where, value))
    assert (list(mistake.path), words in mistake.message, bool(mistake.expected)) == (steps(path), True, True)


def test_a_scenario_that_scores_nothing_is_a_mistake() -> None:
    """A scenario without state and criteria defines no dimension."""
    data = {key: value for key, value in JOURNEY.items() if key not in ("state", "criteria")}
    (mistake,) = check_scenario(data)
    assert (mistake.path, mistake.message) == (("criteria",), "nothing can be scored")


@pytest.mark.parametrize("key", ["tools", "state", "criteria.outputs", "sessions", "scoring", "operators", "completed"])
@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [None, [[]], {}, "x"], {"a": {"a": 1, "when": []}}])
def test_a_wrong_type_is_left_to_the_schema(key: str, value: Any) -> None:
    """Checks run beside the schema on whatever a file holds, and never fail of it."""
    for base in (CLAIM, TASK, JOURNEY):
        assert all(mistake.message for mistake in check_scenario(changed(base, key, value)))
