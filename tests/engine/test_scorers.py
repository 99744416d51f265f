from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.dimensions import DIMENSIONS, Dimension
from labs_mock.contract.requests import Message
from labs_mock.engine.reward import assess
from labs_mock.scenario.compiled.scenario import Scenario
from tests.engine.test_player import PLAYERS, VALID, played, players, transcripts
from tests.support import operator, scenario

IMAGING, APPROVE = operator("", VALID[0]), operator("", VALID[3])
FREE: dict[str, Any] = {"tools": None, "rapport": None, "completed": None, "operators": None}


def _value(dimension: Dimension, on: Scenario, *operator_lines: str | Message) -> float:
    return assess(on, played(on, *operator_lines)).results[dimension].value


def _sentence(dimension: Dimension, on: Scenario, *operator_lines: str | Message) -> str:
    return assess(on, played(on, *operator_lines)).results[dimension].sentence


def _weighted(dimension: Dimension, weights: list[float]) -> Scenario:
    """A scenario with one metric, practice or state item a weight: the first is met by saying `word0`, and so on."""
    entries: list[dict[str, Any]] = [
        {"id": f"m{index}", "weight": weight, "when": {"says": [f"word{index}"]}}
        for index, weight in enumerate(weights)
    ]
    if dimension == "discovery":
        items = [{**entry, "fact": "F", "reveal": "direct_question", "reply": "R."} for entry in entries]
        return scenario(**FREE, state=items, criteria=None)
    return scenario(**FREE, state=None, criteria={dimension: [{**entry, "text": "T"} for entry in entries]})


@given(players, transcripts)
def test_every_score_is_from_0_to_1(name: str, operator_lines: list[list[Message]]) -> None:
    """All dimensions that a scenario defines are numbers in [0, 1], whatever the operator does."""
    player = PLAYERS[name]
    results = assess(player.scenario, player.fold(player.start(), operator_lines)).results
    assert tuple(results) == DIMENSIONS
    assert all(0 <= result.value <= 1 for result in results.values())


ENTRIES = st.lists(st.tuples(st.floats(0.001, 1000), st.booleans(), st.booleans()), min_size=1, max_size=5)
SHARES: tuple[Dimension, ...] = ("success_metrics", "best_practices", "discovery", "failure_metrics")


@pytest.mark.parametrize("dimension", SHARES)
@given(ENTRIES)
def test_shares_are_of_weight_and_grow_with_what_is_met(
    dimension: Dimension, entries: list[tuple[float, bool, bool]]
) -> None:
    """A further metric, practice or reveal never lowers its score, and a further failure never raises its own."""
    weights = [weight for weight, _, _ in entries]
    on = _weighted(dimension, weights)
    fewer = [index for index, (_, met, _) in enumerate(entries) if met]
    more = [index for index, (_, met, also) in enumerate(entries) if met or also]
    low, high = (_value(dimension, on, " ".join(f"word{index}" for index in met)) for met in (fewer, more))
    if dimension == "failure_metrics":
        low, high = 1 - low, 1 - high
    assert low <= high
    assert low == pytest.approx(sum(weights[index] for index in fewer) / sum(weights), abs=1e-6)
    assert high == pytest.approx(sum(weights[index] for index in more) / sum(weights), abs=1e-6)


@pytest.mark.parametrize("dimension", SHARES)
@given(st.lists(st.integers(0, 3), max_size=8), st.integers(0, 8))
def test_what_was_said_is_never_unsaid(dimension: Dimension, operator_lines: list[int], cut: int) -> None:
    """Further turns only ever add to what is reached, followed, revealed or failed by saying something."""
    on = _weighted(dimension, [1, 2, 3])
    whole, part = (
        _value(dimension, on, *[f"word{word}" for word in words]) for words in (operator_lines, operator_lines[:cut])
    )
    assert whole <= part if dimension == "failure_metrics" else whole >= part


@pytest.mark.parametrize(
    ("dimension", "operator_lines", "expected"),
    [
        ("success_metrics", ["Hello"], 0),
        ("success_metrics", ["Well"], 1 / 4),
        ("success_metrics", [IMAGING], 3 / 4),
        ("success_metrics", ["Well", IMAGING], 1),
        ("success_metrics", ["Well", IMAGING, "Hello", "Hello"], 1),
        ("failure_metrics", ["Hello"], 1),
        ("failure_metrics", ["Hello", "nonsense", "Hello", "nonsense"], 1 / 2),
        ("failure_metrics", [APPROVE], 0),
        ("failure_metrics", [IMAGING, APPROVE], 1),
        ("best_practices", ["Hello", "What happened?"], 1),
        ("best_practices", ["Hello", "Hello", "What happened?"], 0),
        ("best_practices", ["Tell me.", "Hello", "Hello"], 1),
        ("rubrics", ["Hello"], 0.2),
        ("rubrics", ["Well"], 0.2),
        ("rubrics", ["Well", "second job"], 0.6),
        ("rubrics", ["Well", "second job", IMAGING], 1),
        ("discovery", ["Hello"], 0),
        ("discovery", ["Well", "Well", "second job", "second job"], 2 / 4),
        ("discovery", ["I understand", "Thank you. Worried? A second job?", IMAGING], 1),
    ],
)
def test_worked_examples(dimension: Dimension, operator_lines: list[str | Message], expected: float) -> None:
    """Scores of short conversations with the persona of `CLAIM`, computed by hand."""
    assert _value(dimension, scenario(), *operator_lines) == pytest.approx(expected, abs=1e-6)


def test_discovery_is_weighed() -> None:
    """Items count by their weights: 2 of 2 + 1 + 5."""
    on = _weighted("discovery", [2, 1, 5])
    assert _value("discovery", on, "word0") == 0.25
    assert _value("discovery", on, "word2 word1") == 0.75


def test_a_metric_may_be_lost_again() -> None:
    """It counts whether metrics hold at the last turn, so `not` holds only until it does not."""
    metric = {"id": "calm", "text": "T", "when": {"not": {"says": ["nonsense"]}}}
    on = scenario(criteria={"success_metrics": [metric]})
    assert [_value("success_metrics", on, *operator_lines) for operator_lines in (["x"], ["x", "nonsense"])] == [1, 0]


@pytest.mark.parametrize("critical", [True, False])
def test_one_critical_failure_makes_the_score_0(critical: bool) -> None:
    """However little it weighs among the others."""
    failures = [
        {"id": "a", "text": "T", "weight": 1, "critical": critical, "when": {"says": ["a"]}},
        {"id": "b", "text": "T", "weight": 9, "when": {"says": ["b"]}},
    ]
    on = scenario(criteria={"failure_metrics": failures})
    assert _value("failure_metrics", on, "a") == (0 if critical else 0.9)
    assert _value("failure_metrics", on, "b") == 0.1


def _levels(*levels: tuple[str | None, float]) -> dict[str, Any]:
    """A rubric criterion whose levels hold once a word was used; None always holds."""
    return {
        "id": "r" + "".join(f"{word}{int(score * 10)}" for word, score in levels),
        "levels": [
            {"label": "L", "score": score, **({} if word is None else {"when": {"says": [word]}})}
            for word, score in levels
        ],
    }


@pytest.mark.parametrize(
    ("levels", "operator_lines", "expected"),
    [
        ([("a", 1.0), ("b", 0.5), (None, 0.1)], "a b", 1.0),
        ([(None, 0.1), ("b", 0.5), ("a", 1.0)], "a b", 1.0),
        ([("b", 0.5), (None, 0.1), ("a", 1.0)], "b", 0.5),
        ([(None, 0.1), ("a", 1.0), ("b", 0.5)], "c", 0.1),
        ([("b", 0.0), (None, 0.3)], "b", 0.3),
        ([("a", 1.0), ("b", 0.5)], "c", 0.0),
    ],
)
def test_the_best_level_that_holds_counts(
    levels: list[tuple[str | None, float]], operator_lines: str, expected: float
) -> None:
    """Levels may stand in any order; where none holds there is nothing to count."""
    on = scenario(criteria={"rubrics": [{"name": "R", "criteria": [_levels(*levels)]}]})
    assert _value("rubrics", on, operator_lines) == expected


def test_rubrics_are_the_mean_over_all_criteria() -> None:
    """A rubric with two criteria counts twice as much as one with one: (1 + 0.4 + 0.1) / 3."""
    first = [_levels(("a", 1.0), (None, 0.0)), _levels(("b", 0.9), (None, 0.4))]
    second = [_levels(("c", 0.8), (None, 0.1))]
    on = scenario(criteria={"rubrics": [{"name": "R", "criteria": first}, {"name": "S", "criteria": second}]})
    assert _value("rubrics", on, "a") == 0.5


def test_sentences_speak_of_results_and_turns() -> None:
    """How many were reached, and the last turn at which one was."""
    on = scenario()
    assert _sentence("success_metrics", on, "Hello") == "0 of 2 reached"
    assert _sentence("success_metrics", on, "Well", "Hello") == "1 of 2 reached; last at turn 1"
    assert _sentence("success_metrics", on, "Well", "Hello", IMAGING, "Hello") == "2 of 2 reached; last at turn 3"
    assert _sentence("discovery", on, "Hello", "second job", IMAGING) == "2 of 4 revealed; last at turn 3"
    assert _sentence("discovery", on, "Hello").startswith("0 of 4")
    assert _sentence("failure_metrics", on, "Hello", "nonsense", "Hello").startswith("1 of 2")
    assert _sentence("best_practices", on, "Hello").startswith("0 of 1")
    assert _sentence("rubrics", on, "Hello").startswith("0 of 1")
    assert _sentence("rubrics", on, "Well", "second job", IMAGING).startswith("1 of 1")
