from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.scenario.files.scenario_checks import check_scenario
from labs_mock.scenario.files.scenario_warnings import scenario_warnings
from labs_mock.scenario.files.schema import ScenarioFile
from labs_mock.scenario.rules.nesting import rule_paths
from labs_mock.scenario.rules.operators import OPERATORS
from labs_mock.scenario.rules.rule_checks import RULE_PLACES, check_rules
from tests.scenario.bases import JOURNEY, TASK, changed, steps
from tests.support import CLAIM

Rule = dict[str, Any]

HOLDS = [
    "criteria.success_metrics.0.when",
    "criteria.failure_metrics.1.when",
    "criteria.best_practices.0.when",
    "criteria.rubrics.0.criteria.0.levels.0.when",
    "criteria.scope.prohibited.0.when",
    "scoring.requires",
]
"""Where it counts whether a rule holds at the last turn, or at some turn."""

TURN_BY_TURN = ["completed.when", "criteria.scope.must_refer.0.trigger", "criteria.scope.must_refer.0.when"]
PERSONA = ["persona.replies.0.when", "state.0.when", "state.1.when", "state.2.when", "state.3.when", "rapport.when"]
SESSIONS = ["sessions.0.ends.when", "sessions.1.reach_out.0.when"]
"""Where it counts whether a rule matches this turn; in the persona it cannot depend on the reply."""

OPERATOR = ["operators.quiet.says.0", "operators.quiet.says.0.parts"]
"""Where a part of a simulated operator's turn stands; its rule is in `when`."""


def base(where: str) -> dict[str, Any]:
    """A valid scenario that has such a place."""
    return JOURNEY if where in SESSIONS or where.startswith("operators") else CLAIM


def in_operator(where: str, rule: Rule) -> dict[str, Any]:
    """The journey with a part that is used when a rule holds."""
    part = {"when": rule, "say": "Hi."}
    turn: Any = {"parts": ["Hello.", part]} if where.endswith("parts") else ["Hello.", part]
    return changed(JOURNEY, "operators.quiet.says.0", turn)


@pytest.mark.parametrize("where", [*HOLDS, *TURN_BY_TURN, *PERSONA, *SESSIONS])
def test_references_are_checked_wherever_rules_stand(where: str) -> None:
    """An unknown tool is a mistake in every rule of a scenario, and the nearest name is offered."""
    for rule, path in (
        ({"calls": "order_imagin"}, "calls"),
        ({"not": {"calls": {"tool": "order_imagin"}}}, "not.calls.tool"),
    ):
        found = {mistake.path: mistake for mistake in check_rules(changed(base(where), where, rule))}
        mistake = found[tuple(steps(f"{where}.{path}"))]
        assert mistake.message == "unknown tool 'order_imagin'"
        assert str(mistake.expected) == (
            "did you mean 'order_imaging'?" if base(where) is CLAIM else "there is none to name"
        )


@pytest.mark.parametrize("where", OPERATOR)
def test_rules_of_simulated_operators_are_checked(where: str) -> None:
    """A part's rule is checked in a turn's short and in its long form; it may be negative, and may hear."""
    (mistake,) = check_rules(in_operator(where, {"discovered": "laps"}))
    assert mistake.path == (*steps(where), 1, "when", "discovered")
    assert str(mistake.expected) == "did you mean 'lapse'?"
    assert not list(check_rules(in_operator(where, {"all": [{"not": {"says": ["x"]}}, {"not": {"heard": ["y"]}}]})))


NEGATIVE = [
    {"not": {"says": ["x"]}},
    {"all": [{"not": {"says": ["x"]}}]},
    {"any": [{"not": {"says": ["x"]}}, {"all": [{"not": {"silent": True}}, {"not": {"says": ["y"]}}]}]},
]


@pytest.mark.parametrize("rule", NEGATIVE)
@pytest.mark.parametrize("where", [*TURN_BY_TURN, *PERSONA, *SESSIONS])
def test_not_alone_cannot_say_when(where: str, rule: Rule) -> None:
    """`not` alone is refused where a rule must match a turn, and so is an `all` or `any` of nothing else."""
    (mistake,) = check_scenario(changed(base(where), where, rule))
    assert (mistake.path, "nothing but 'not'" in mistake.message) == (tuple(steps(where)), True)


@pytest.mark.parametrize("rule", NEGATIVE)
@pytest.mark.parametrize("where", HOLDS)
def test_not_alone_may_hold(where: str, rule: Rule) -> None:
    """Where it counts whether a rule holds at the end, `not` alone is a rule."""
    assert not list(check_scenario(changed(CLAIM, where, rule)))


@pytest.mark.parametrize("where", [*TURN_BY_TURN, *PERSONA])
def test_not_beside_something_that_happens_is_allowed(where: str) -> None:
    """Beside an event `not` is a guard; and what was discovered earlier can be required turn by turn."""
    for rule in (
        {"all": [{"says": ["y"]}, *NEGATIVE]},
        {"any": [{"says": ["y"]}, NEGATIVE[0]]},
        {"discovered": "onset"},
    ):
        assert not list(check_scenario(changed(CLAIM, where, rule)))


@pytest.mark.parametrize("where", [*PERSONA, *SESSIONS])
def test_a_persona_rule_cannot_hear_the_persona(where: str) -> None:
    """In persona rules `heard` is an error, on any level: there are no circles."""
    for rule, path in (
        ({"heard": ["yes"]}, "heard"),
        ({"then": [{"says": ["x"]}, {"any": [{"heard": ["yes"]}, {"says": ["y"]}]}]}, "then.1.any.0.heard"),
        ({"count": {"of": {"heard": ["yes"]}, "at_least": 2}}, "count.of.heard"),
        ({"all": [{"says": ["x"]}, {"not": {"heard": ["yes"]}}]}, "all.1.not.heard"),
    ):
        (mistake,) = check_scenario(changed(base(where), where, rule))
        assert (mistake.path, mistake.at_key) == (tuple(steps(f"{where}.{path}")), True)
        assert "cannot depend on the answer" in mistake.message


@pytest.mark.parametrize("where", [*HOLDS, *TURN_BY_TURN])
def test_a_scoring_rule_can_hear_the_persona(where: str) -> None:
    """In scoring `heard` includes this turn's observation."""
    assert not list(check_scenario(changed(CLAIM, where, {"heard": ["yes"]})))


def test_nobody_is_heard_in_a_decision_task() -> None:
    """A decision task has no persona."""
    metric = {"id": "m", "text": "T", "when": {"heard": ["yes"]}}
    (mistake,) = check_scenario(changed(TASK, "criteria.success_metrics", [metric]))
    assert mistake.path == ("criteria", "success_metrics", 0, "when", "heard")
    assert "a decision task has no persona" in mistake.message


@pytest.mark.parametrize(
    ("rule", "path", "words"),
    [
        ({}, "", "a rule without a condition"),
        ({"turns": {"at_most": 2}}, "", "'turns' stands alone"),
        ({"says": ["x"], "silent": True}, "silent", "'silent' beside 'says'"),
        ({"says": ["x", " \t"]}, "says.1", "nothing but white space"),
        ({"says_all": ["\u00a0", "x"]}, "says_all.0", "nothing but white space"),
        ({"heard": ["\n"]}, "heard.0", "nothing but white space"),
        ({"matches": "(?=x)"}, "matches", "not an RE2 expression"),
        ({"matches": r"(x)\1"}, "matches", "not an RE2 expression"),
        ({"matches": "("}, "matches", "not an RE2 expression"),
        ({"calls": "claim_state"}, "calls", "unknown tool 'claim_state'"),
        ({"calls": {"tool": "claim_state", "input": {}}}, "calls.tool", "unknown tool 'claim_state'"),
        ({"decides": {"claim_state": "denied"}}, "decides.claim_state", "unknown tool 'claim_state'"),
        ({"decides": {"claim_status": "deny"}}, "decides.claim_status", "has no option 'deny'"),
        ({"decides": {"order_imaging": "denied"}}, "decides.order_imaging", "has no options"),
        ({"discovered": "onest"}, "discovered", "unknown state item 'onest'"),
        ({"says": ["x"], "turns": {}}, "turns", "a range without ends"),
        ({"says": ["x"], "turns": {"at_least": 3, "at_most": 2}}, "turns", "no turn is at least 3 and at most 2"),
        ({"any": [{"says": ["x"]}, {}]}, "any.1", "a rule without a condition"),
        ({"all": [{"discovered": "onest"}, {"says": ["x"]}]}, "all.0.discovered", "unknown state item"),
        ({"then": [{"says": ["x"]}, {"then": [{"silent": True}, {}]}]}, "then.1.then.1", "without a condition"),
        ({"not": {"not": {"discovered": "onest"}}}, "not.not.discovered", "unknown state item"),
        ({"count": {"of": {"calls": "x"}, "at_least": 2}}, "count.of.calls", "unknown tool 'x'"),
    ],
)
@pytest.mark.parametrize("where", HOLDS)
def test_a_mistake_in_a_rule_is_found(rule: Rule, path: str, words: str, where: str) -> None:
    """One wrong rule gives one mistake, at its path below the place where the rule stands."""
    (mistake,) = check_scenario(changed(CLAIM, where, rule))
    assert mistake.path == tuple(steps(f"{where}.{path}"))
    assert words in mistake.message
    assert mistake.expected


def test_a_blank_term_is_a_mistake() -> None:
    """A phrase that terminology forbids has a word in it."""
    (mistake,) = check_scenario(changed(CLAIM, "criteria.terminology.0.instead_of.0", " "))
    assert mistake.path == ("criteria", "terminology", 0, "instead_of", 0)


@pytest.mark.parametrize(
    "rule",
    [
        {"says": ["x"]},
        {"says_all": ["x", "y"]},
        {"matches": "^x.*y$"},
        {"calls": "claim_status"},
        {"calls": {"tool": "order_imaging", "input": {"region": "back"}}},
        {"decides": {"claim_status": "denied"}},
        {"discovered": "fear"},
        {"silent": True},
        {"then": [{"says": ["x"]}, {"says": ["y"]}]},
        {"count": {"of": {"says": ["x"]}, "at_least": 2}},
        {"count": {"of": "discovered", "at_least": 2}},
        {"says": ["x"], "turns": {"at_least": 2, "at_most": 2}},
    ],
)
@pytest.mark.parametrize("where", [*HOLDS, *TURN_BY_TURN, *PERSONA])
def test_every_condition_may_stand_in_every_place(where: str, rule: Rule) -> None:
    """But for `heard` and `not`, all of the language is allowed wherever a rule stands."""
    assert not list(check_scenario(changed(CLAIM, where, rule)))


KEYS = [*OPERATORS, "turns", "of", "at_least", "at_most", "tool", "input", "claim_status"]
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers(-1, 3) | st.sampled_from([True, "x", " ", "(", "discovered", "onset", "claim_status"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=3),
    max_leaves=12,
)


@given(st.sampled_from([*HOLDS, *TURN_BY_TURN, *PERSONA]), ANYTHING)
def test_any_value_can_be_checked_as_a_rule(where: str, value: Any) -> None:
    """What has the wrong type is left to the schema; all mistakes are within the rule's own place."""
    for mistake in check_scenario(changed(CLAIM, where, value)):
        assert mistake.path[: len(steps(where))] == tuple(steps(where))
        assert mistake.message


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("criteria.success_metrics.0.when", {"any": [{"matches": "a.{0,40}b"}]}, "a wide gap"),
        ("criteria.success_metrics.0.when", {"matches": "[a-z]{2,90}"}, "a wide gap"),
        ("criteria.success_metrics.0.when", {"matches": "a.{0,9}b"}, None),
        ("operators.expert.says.0", ["One.", "Two."], "texts side by side are all said"),
        ("operators.expert.says.0", [["One.", "Two."], "Three."], None),
        (
            "tools.0.json_schema.properties",
            {"region": {"description": "neck", "upper back": None}},
            "'upper back' has no",
        ),
        ("tools.0.json_schema.properties", {"region": {"enum": ["neck", None], "default": None}}, None),
    ],
)
def test_what_was_hardly_meant_is_a_warning(where: str, value: Any, message: str | None) -> None:
    """Wide gaps, texts that look like alternatives and texts cut at a comma are warnings, and no mistakes."""
    data = changed(CLAIM, where, value)
    assert list(check_rules(data)) == []
    messages = [warning.message for warning in scenario_warnings(data)]
    assert len(messages) == (message is not None)
    assert all(message is not None and one.startswith(message) for one in messages)


def test_every_rule_of_a_scenario_is_checked() -> None:
    """The places that are checked are all those where the schema has rules."""
    short = {"operators.*.says.*.*.when"}  # a turn as a list, which the schema turns into the long form
    assert {place.pattern for place in RULE_PLACES} == {*rule_paths(ScenarioFile), *short}


def test_a_critical_metric_says_when() -> None:
    """A critical failure of nothing but `not` would end every episode at its first turn, so it is a mistake."""
    negative = {"id": "m", "text": "t", "when": {"not": {"says": ["hello"]}}}
    assert list(check_rules(changed(CLAIM, "criteria.failure_metrics", [negative]))) == []
    (mistake,) = check_rules(changed(CLAIM, "criteria.failure_metrics", [{**negative, "critical": True}]))
    assert mistake.path == ("criteria", "failure_metrics", 0, "when")
