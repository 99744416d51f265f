from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.requests import Message
from labs_mock.engine.reward import assess
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.text import similarity
from tests.engine.test_player import played
from tests.support import CLAIM, call, operator, scenario

ANY_OBJECT = {"type": "artifact", "name": "T", "mode": "json_schema", "json_schema": {"type": "object"}}
CHOICE = {"type": "decision", "name": "D", "mode": "options", "options": ["yes", "no"]}

TEXTS = st.text("ab '\u0301é", max_size=4)
SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 0.5]) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner), max_leaves=6
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


def _outputs(*outputs: dict[str, Any], **changes: Any) -> Scenario:
    """A scenario with two free artifacts `one` and `two`, two decisions `first` and `second`, and these outputs."""
    tools = [{**ANY_OBJECT, "id": name} for name in ("one", "two")]
    tools += [{**CHOICE, "id": name} for name in ("first", "second")]
    kept = {"tools": tools, "state": None, "rapport": None, "completed": None, "operators": None}
    return scenario(CLAIM, **{**kept, "criteria": {"outputs": list(outputs)}, **changes})


def _similarity(on: Scenario, *operator_lines: Message) -> float:
    return assess(on, played(on, *operator_lines)).results["output_similarity"].value


def _match(on: Scenario, *operator_lines: Message) -> float:
    return assess(on, played(on, *operator_lines)).results["decision_match"].value


def _alike(wanted: Any, given_value: Any) -> tuple[float, int]:
    """The naive way: points and leaves of an exemplar, member by member."""
    if isinstance(wanted, dict) and wanted:
        has = given_value if isinstance(given_value, dict) else {}
        pairs = [_alike(member, has.get(key, ...)) for key, member in wanted.items()]
    elif isinstance(wanted, list) and wanted:
        has_list = given_value if isinstance(given_value, list) else []
        pairs = [_alike(member, has) for member, has in zip(wanted, [*has_list, *[...] * len(wanted)], strict=False)]
    elif isinstance(wanted, str):
        return (similarity(wanted, given_value) if isinstance(given_value, str) else 0), 1
    elif isinstance(wanted, bool) or isinstance(given_value, bool):
        return float(wanted is given_value), 1
    else:
        return float(given_value is not ... and wanted == given_value), 1
    return sum(points for points, _ in pairs), sum(leaves for _, leaves in pairs)


@given(OBJECTS.filter(bool), OBJECTS)
def test_similarity_is_the_share_of_the_exemplars_leaves(exemplar: dict[str, Any], arguments: dict[str, Any]) -> None:
    """Leaf by leaf: the same value at the same place; text counts by the words that are shared."""
    value = _similarity(_outputs({"tool": "one", "exemplar": exemplar}), operator("", call("one", **arguments)))
    points, leaves = _alike(exemplar, arguments)
    assert value == pytest.approx(points / leaves, abs=1e-6)
    assert 0 <= value <= 1


@given(OBJECTS.filter(bool), VALUES)
def test_an_exemplar_is_like_itself_whatever_stands_beside_it(exemplar: dict[str, Any], extra: Any) -> None:
    """What the exemplar does not mention neither helps nor harms."""
    on = _outputs({"tool": "one", "exemplar": exemplar})
    assert _similarity(on, operator("", call("one", **exemplar, more=extra))) == 1


@pytest.mark.parametrize(
    ("exemplar", "arguments", "expected"),
    [
        pytest.param({"region": "lumbar spine"}, {"region": " Lumbar  SPINE!"}, 1, id="text-is-normalised"),
        pytest.param({"region": "lumbar spine"}, {"region": "spine"}, 1 / 2, id="one-word-of-two"),
        pytest.param({"region": "lumbar spine"}, {"region": "the lumbar spine now"}, 2 / 4, id="two-words-of-four"),
        pytest.param({"region": "lumbar spine"}, {"region": "neck"}, 0, id="other-words"),
        pytest.param({"region": "lumbar spine"}, {}, 0, id="missing"),
        pytest.param({"views": 2}, {"views": 2.0}, 1, id="numbers-by-value"),
        pytest.param({"views": 1}, {"views": True}, 0, id="true-is-not-1"),
        pytest.param({"views": 2}, {"views": "2"}, 0, id="text-is-no-number"),
        pytest.param({"views": "2"}, {"views": 2}, 0, id="a-number-is-no-text"),
        pytest.param({"views": None}, {"views": None}, 1, id="null-is-a-value"),
        pytest.param({"views": None}, {}, 0, id="null-is-not-absence"),
        pytest.param({"views": []}, {"views": [1]}, 0, id="an-empty-list-is-a-leaf"),
        pytest.param({"a": {"b": 1}}, {"a": 1}, 0, id="a-scalar-where-an-object-should-be"),
        pytest.param({"a": 1, "b": [1, 2], "c": "x"}, {"a": 1, "b": [1]}, 2 / 4, id="each-leaf-counts-the-same"),
        pytest.param(
            {"a": {"b": 1, "c": [True, "x y"]}, "d": None},
            {"a": {"b": 1, "c": [1, "y"]}, "d": None},
            2.5 / 4,
            id="deep",
        ),
    ],
)
def test_worked_examples_of_similarity(exemplar: dict[str, Any], arguments: dict[str, Any], expected: float) -> None:
    """Computed by hand."""
    on = _outputs({"tool": "one", "exemplar": exemplar})
    assert _similarity(on, operator("", call("one", **arguments))) == expected


def test_the_last_call_of_each_tool_counts() -> None:
    """Better calls before it do not help, whether in the same message, the same turn or earlier."""
    on = _outputs({"tool": "one", "exemplar": {"a": 1}})
    good, bad = call("one", a=1), call("one", a=2)
    assert _similarity(on, operator("", good), operator("", bad)) == 0
    assert _similarity(on, operator("", good, bad)) == 0
    assert _similarity(on, operator("", bad), operator("", bad, good), operator("", call("two", a=2))) == 1


def test_exemplars_count_the_same() -> None:
    """The mean over exemplars, however many leaves each has; a tool never called counts 0."""
    two = {"tool": "two", "exemplar": {"a": 1, "b": 2, "c": 3, "d": 4}}
    on = _outputs({"tool": "one", "exemplar": {"a": 1}}, two)
    assert _similarity(on, operator("")) == 0
    assert _similarity(on, operator("", call("one", a=1))) == 1 / 2
    assert _similarity(on, operator("", call("one", a=1), call("two", a=1))) == (1 + 1 / 4) / 2


@pytest.mark.parametrize(
    ("called", "expected"),
    [
        ([], 0),
        ([("first", "yes")], 1 / 2),
        ([("first", "no")], 0),
        ([("first", "yes"), ("second", "no")], 1),
        ([("first", "yes"), ("second", "no"), ("first", "no")], 1 / 2),
        ([("first", "no"), ("first", "yes")], 1 / 2),
        ([("second", "yes"), ("first", "yes"), ("second", "no")], 1),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_the_last_call_of_each_decision_counts(called: list[tuple[str, str]], expected: float, together: bool) -> None:
    """The share of expected decisions whose last call took the expected option."""
    on = _outputs({"tool": "first", "expected": "yes"}, {"tool": "second", "expected": "no"})
    calls = [call(name, value=option) for name, option in called]
    operator_lines = [operator("", *calls)] if together else [operator("", one) for one in calls] or [operator("")]
    assert _match(on, *operator_lines) == expected


def test_sentences_count_what_was_submitted() -> None:
    """How many exemplars have a valid last call, and how many decisions were as expected."""
    decisions = [{"tool": "first", "expected": "yes"}, {"tool": "second", "expected": "no"}]
    on = _outputs(*[{"tool": name, "exemplar": {"a": 1}} for name in ("one", "two")], *decisions)
    operator_lines = operator("", call("one", a=2), call("first", value="yes"), call("second", value="yes"))
    results = assess(on, played(on, operator_lines)).results
    assert results["output_similarity"].sentence.startswith("1 of 2")
    assert results["decision_match"].sentence.startswith("1 of 2")
    both = played(on, operator("", call("one", a=2), call("two")))
    assert assess(on, both).results["output_similarity"].sentence.startswith("2 of 2")
    assert assess(on, played(on, "x")).results["output_similarity"].sentence.startswith("0 of 2")


def test_an_option_is_taken_exactly_as_it_is_spelled() -> None:
    """Another spelling of an option is another option, and so invalid (EP-12)."""
    on = _outputs({"tool": "first", "expected": "yes"}, invalid_tool_call="score")
    assert _match(on, operator("", call("first", value="yes")), operator("", call("first", value="Yes"))) == 0
