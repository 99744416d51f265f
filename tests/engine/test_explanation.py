from typing import Any

import pytest
from hypothesis import given

from labs_mock.contract.dimensions import DIMENSIONS
from labs_mock.contract.requests import Message
from labs_mock.engine.assessment import ExplainedRule
from labs_mock.engine.explanation import explain_rules, explanation
from labs_mock.engine.reward import assess
from labs_mock.scenario.compiled.scenario import Scenario
from tests.engine.test_player import PLAYERS, VALID, played, players, transcripts
from tests.support import CLAIM, operator, scenario

WEIGHTS = {
    entry["id"]: entry.get("weight", 1)
    for part in ("success_metrics", "failure_metrics", "best_practices")
    for entry in CLAIM["criteria"][part]
}
SAID: list[str | Message] = [
    "Tell me what happened.",
    operator("", VALID[1]),
    "I understand that you have a pulled muscle.",
    operator("Thank you. Are you worried? A second job?", VALID[0]),
    "That is nonsense.",
]


def _rows(on: Scenario, *operator_lines: str | Message) -> dict[tuple[str, str], ExplainedRule]:
    return {(row.part, row.id): row for row in explain_rules(on, played(on, *operator_lines))}


@pytest.mark.parametrize("outputs", [CLAIM["criteria"]["outputs"], CLAIM["criteria"]["outputs"][::-1]])
def test_there_is_a_row_for_everything_that_can_count(outputs: list[dict[str, Any]]) -> None:
    """By dimension in their order, in each as in the file, and then the gate."""
    on = scenario(criteria={**CLAIM["criteria"], "outputs": outputs})
    rows = explain_rules(on, played(on, "Hello"))
    gate = [row for row in rows if row.part not in DIMENSIONS]
    assert [(row.part, row.id) for row in rows[: -len(gate)]] == [
        ("success_metrics", "establish_onset"),
        ("success_metrics", "order_scan"),
        ("failure_metrics", "early_approval"),
        ("failure_metrics", "rude"),
        ("best_practices", "open_question"),
        ("rubrics", "gathering"),
        ("discovery", "onset"),
        ("discovery", "side_job"),
        ("discovery", "fear"),
        ("discovery", "imaging"),
        ("output_similarity", "order_imaging"),
        ("decision_match", "claim_status"),
    ]
    assert {(row.part, row.id) for row in gate} == {
        ("gate: prohibited", "diagnosis"),
        ("gate: must_refer", "scared"),
        ("gate: terminology", "strain"),
    }
    assert rows[-len(gate) :] == gate


@pytest.mark.parametrize(
    ("part", "name", "turns"),
    [
        ("success_metrics", "establish_onset", (1,)),
        ("success_metrics", "order_scan", (2, 4)),
        ("failure_metrics", "early_approval", ()),
        ("failure_metrics", "rude", (5,)),
        ("best_practices", "open_question", (1,)),
        ("rubrics", "gathering", (4,)),
        ("discovery", "onset", (1,)),
        ("discovery", "side_job", (4,)),
        ("discovery", "imaging", (2,)),
        ("output_similarity", "order_imaging", (2, 4)),
        ("decision_match", "claim_status", ()),
        ("gate: prohibited", "diagnosis", ()),
        ("gate: terminology", "strain", (3,)),
        ("gate: must_refer", "scared", (4,)),
    ],
)
def test_each_row_has_the_turns_that_its_rule_yields(part: str, name: str, turns: tuple[int, ...]) -> None:
    """Turns of reveals, calls and rules; for a referral those of its trigger."""
    assert _rows(scenario(), *SAID)[part, name].turns == turns


def test_the_results_are_in_words() -> None:
    """Critical metrics are marked as such, and a missed referral has its turn."""
    rows = _rows(scenario(), *SAID)
    assert "critical" in rows["failure_metrics", "early_approval"].result
    assert "critical" not in rows["failure_metrics", "rude"].result
    assert rows["gate: must_refer", "scared"].result.endswith("turn 4")


@given(players, transcripts)
def test_the_rows_explain_the_assessment(name: str, operator_lines: list[list[Message]]) -> None:
    """Scores and gate can be computed again from the rows."""
    player = PLAYERS[name]
    play = player.fold(player.start(), operator_lines)
    rows, assessment = explain_rules(player.scenario, play), assess(player.scenario, play)
    for part in ("success_metrics", "best_practices"):
        own = [row for row in rows if row.part == part]
        holding = sum(WEIGHTS[row.id] for row in own if row.result.startswith("holds"))
        assert assessment.results[part].value == pytest.approx(holding / sum(WEIGHTS[row.id] for row in own))
    failed = {row.id for row in rows if row.part == "failure_metrics" and row.result.startswith("holds")}
    assert assessment.critical == ("early_approval" in failed)
    assert (assessment.results["failure_metrics"].value < 1) == bool(failed)
    revealed = [row for row in rows if row.part == "discovery" and row.turns]
    assert assessment.results["discovery"].value == len(revealed) / 4
    assert all(row.result.startswith("revealed") == bool(row.turns) for row in rows if row.part == "discovery")
    results = {row.part: row.result for row in rows}
    assert results["output_similarity"].startswith(f"{assessment.results['output_similarity'].value:.3f}")
    assert (results["decision_match"] == "as expected") == bool(assessment.results["decision_match"].value)
    broken = {row.part.removeprefix("gate: ") for row in rows if row.result.startswith(("violated", "missed"))}
    assert broken == set(assessment.gate.violations)


@pytest.mark.parametrize(
    ("operator_lines", "level"),
    [(["Hello"], "L3"), (["Well", "second job"], "L2"), (["Well", "second job", SAID[1]], "L1")],
)
def test_a_rubric_row_names_the_level_that_counts(operator_lines: list[str | Message], level: str) -> None:
    """The best level that holds."""
    assert level in _rows(scenario(), *operator_lines)["rubrics", "gathering"].result


def test_a_rubric_without_a_level_that_holds_has_a_row_too() -> None:
    """It says that nothing holds."""
    row = {"id": "r", "levels": [{"label": "L", "score": 1.0, "when": {"says": ["x"]}}]}
    on = scenario(criteria={"rubrics": [{"name": "R", "criteria": [row]}]})
    assert "0" in _rows(on, "Hello")["rubrics", "r"].result
    assert _rows(on, "Hello")["rubrics", "r"].turns == ()


@pytest.mark.parametrize(
    ("operator_lines", "turns", "result"),
    [(["Hello", "Well"], (), "has not held: the reward is 0"), (["Hello", "second job"], (2,), "has held")],
)
def test_what_is_required_has_a_row(operator_lines: list[str], turns: tuple[int, ...], result: str) -> None:
    """The last one, where a scenario requires anything: it names the cause of a reward of 0 (RC-6)."""
    on = scenario(scoring={"requires": {"says": ["second job"]}})
    play = played(on, *operator_lines)
    assert explain_rules(on, play)[-1] == ExplainedRule("scoring", "requires", turns, result)
    assert explanation(on, play, assess(on, play))["earned"] == bool(turns)
    free, end = scenario(), played(scenario(), *operator_lines)
    assert explanation(free, end, assess(free, end))["earned"]
