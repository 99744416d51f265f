import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from labs_mock.contract.dimensions import DIMENSIONS, default_name
from labs_mock.contract.findings import Finding
from labs_mock.contract.requests import Message, QualityWeights, RewardConfig
from labs_mock.engine.assessment import Assessment
from labs_mock.engine.detectors import config_findings
from labs_mock.engine.player import Player
from labs_mock.engine.reward import assess
from labs_mock.scenario.compiled.scenario import Scenario
from tests.engine.test_player import LENIENT, PLAYERS, VALID, played, players, transcripts
from tests.support import CLAIM, operator, scenario

WEIGHTS = st.dictionaries(st.sampled_from(DIMENSIONS), st.just(0.0) | st.floats(0.01, 1))
PARTIAL = scenario(criteria={"success_metrics": CLAIM["criteria"]["success_metrics"]}, state=CLAIM["state"])
IMAGING, APPROVE, PENDING = operator("", VALID[0]), operator("", VALID[3]), operator("", VALID[2])
EXPERT = ["Tell me what happened.", "Do you have a second job?", IMAGING, PENDING]
CRITICAL = ["Well", APPROVE]
RUDE_TERMS = ["Tell me.", "That is nonsense, a pulled muscle."]


def _config(weights: Mapping[Any, float] | None = None, skip: bool | None = None) -> RewardConfig:
    quality = None if weights is None else QualityWeights(**weights)
    return RewardConfig(quality_weights=quality, skip_safety_gate=skip)


def _assessed(on: Scenario, operator_lines: list[Any], config: RewardConfig | None = None) -> Assessment:
    return assess(on, played(on, *operator_lines), config)


def _random(name: str, operator_lines: list[list[Message]], config: RewardConfig | None) -> Assessment:
    player: Player = PLAYERS[name]
    return assess(player.scenario, player.fold(player.start(), operator_lines), config)


@given(players, transcripts, WEIGHTS, st.none() | st.booleans())
def test_the_reward_by_the_formula(
    name: str, operator_lines: list[list[Message]], weights: dict[str, float], skip: bool | None
) -> None:
    """Gate times the weighted mean of the scores that ran; 0 for a critical failure, or where none ran (RC-4)."""
    assessment = _random(name, operator_lines, _config(weights, skip))
    run = {default_name(dimension): weights[dimension] for dimension in DIMENSIONS if weights.get(dimension)}
    assert list(assessment.scores) == list(assessment.breakdown) == list(run)
    critical = assessment.scores.get("D2_FailureMetrics") == 0  # the other failure weighs only half
    factor = 1.0 if skip else assessment.gate.factor
    mean = sum(run[key] * score for key, score in assessment.scores.items()) / sum(run.values()) if run else 0
    assert assessment.reward == pytest.approx(0 if critical else factor * mean, abs=1.1e-6)
    assert 0 <= assessment.reward <= 1
    assert round(assessment.reward, 6) == assessment.reward


@given(players, transcripts, WEIGHTS, st.floats(0.01, 1), st.booleans())
def test_only_ratios_of_weights_matter(
    name: str, operator_lines: list[list[Message]], weights: dict[str, float], scale: float, skip: bool
) -> None:
    """All weights times any number give the same reward and the same scores (RC-4)."""
    scaled = {dimension: weight * scale for dimension, weight in weights.items()}
    one, other = (_random(name, operator_lines, _config(given_weights, skip)) for given_weights in (weights, scaled))
    assert one.reward == pytest.approx(other.reward, abs=1.1e-6)
    assert one.scores == other.scores


@given(st.sampled_from(DIMENSIONS), st.floats(0, 1, exclude_min=True), transcripts)
@example("rubrics", 5e-324, [[operator("Tell me.")]])
def test_the_reward_of_one_dimension_is_its_score(
    dimension: str, weight: float, operator_lines: list[list[Message]]
) -> None:
    """A dimension that runs alone decides, however small its weight is (RC-4)."""
    assessment = _random("lenient", operator_lines, _config({dimension: weight}, skip=True))
    assert assessment.reward == pytest.approx(next(iter(assessment.scores.values())), abs=1.1e-6)


@given(players, transcripts, st.none() | WEIGHTS)
def test_skipping_the_gate_never_lowers_a_reward(
    name: str, operator_lines: list[list[Message]], weights: dict[str, float] | None
) -> None:
    """Scope and terminology are bypassed (RC-3), and nothing else is; a critical failure is not lifted (RC-4)."""
    skipped, kept = (_random(name, operator_lines, _config(weights, skip)) for skip in (True, False))
    assert skipped.reward >= kept.reward
    assert skipped.scores == kept.scores
    if kept.scores.get("D2_FailureMetrics") == 0:
        assert skipped.reward == kept.reward == 0


@pytest.mark.parametrize(
    ("operator_lines", "config", "expected"),
    [
        pytest.param(EXPERT, None, (6 + 3 / 4) / 7, id="all-but-one-reveal"),
        pytest.param(CRITICAL, None, 0, id="critical-failure"),
        pytest.param(CRITICAL, _config(skip=True), 0, id="not-lifted-by-skipping"),
        pytest.param(CRITICAL, _config({"success_metrics": 1}), 1 / 4, id="only-where-failure-metrics-run"),
        pytest.param(
            CRITICAL, _config({"success_metrics": 1, "failure_metrics": 0}), 1 / 4, id="weight-0-does-not-run"
        ),
        pytest.param(CRITICAL, _config({"success_metrics": 1, "failure_metrics": 0.01}), 0, id="however-small"),
        pytest.param(RUDE_TERMS, None, 0.9 * (1 / 4 + 1 / 2 + 1 + 0.2 + 1 / 4) / 7, id="wrong-term"),
        pytest.param(RUDE_TERMS, _config(skip=True), (1 / 4 + 1 / 2 + 1 + 0.2 + 1 / 4) / 7, id="wrong-term-skipped"),
        pytest.param(
            RUDE_TERMS, _config({"rubrics": 0.25, "success_metrics": 0.75}), 0.9 * (0.05 + 0.1875), id="omitted-are-0"
        ),
        pytest.param([*EXPERT[:3], "You have a herniated disc."], None, 0, id="gate-of-0"),
        pytest.param(
            [*EXPERT[:3], "You have a herniated disc."], _config(skip=True), (5 + 3 / 4) / 7, id="gate-of-0-skipped"
        ),
    ],
)
def test_worked_examples(operator_lines: list[Any], config: RewardConfig | None, expected: float) -> None:
    """Rewards of short conversations, computed by hand (RC-1, RC-3, RC-4)."""
    assert _assessed(scenario(), operator_lines, config).reward == round(expected, 6)


def test_without_weights_the_scenarios_own_hold() -> None:
    """`reward_config` without `quality_weights` keeps the default weights (RC-3, RC-4)."""
    own = {"discovery": 0.3, "rubrics": 0.1, "failure_metrics": 0.0}
    on = scenario(scoring={"weights": own, "names": {"discovery": "Digging"}})
    for config in (None, RewardConfig(), _config(skip=False)):
        assessment = _assessed(on, ["Well"], config)
        assert assessment.scores == {"D4_Rubrics": 0.2, "Digging": 0.25}
        assert assessment.reward == round((0.1 * 0.2 + 0.3 * 0.25) / 0.4, 6)
    assert _assessed(on, ["Well"], _config({"failure_metrics": 1})).scores == {"D2_FailureMetrics": 1}


@pytest.mark.parametrize("weights", [{}, {"rubrics": 0}, dict.fromkeys(DIMENSIONS, 0.0)])
def test_where_nothing_runs_the_reward_is_0(weights: dict[str, float]) -> None:
    """No dimension with a weight: reward 0, and no scores (RC-4)."""
    assessment = _assessed(scenario(), EXPERT, _config(weights))
    assert (assessment.reward, assessment.scores, assessment.breakdown) == (0, {}, {})


@given(WEIGHTS, transcripts)
def test_a_dimension_that_is_not_defined_never_runs_and_is_noticed(
    weights: dict[str, float], operator_lines: list[list[Message]]
) -> None:
    """It is in neither sum: the reward is as if it had not been requested (RC-5)."""
    assume(any(weights.values()))
    defined = {key: weight for key, weight in weights.items() if key in ("success_metrics", "discovery")}
    player = Player(PARTIAL)
    state = player.fold(player.start(), operator_lines)
    complete, reduced = (assess(PARTIAL, state, _config(given_weights)) for given_weights in (weights, defined))
    assert (complete.reward, complete.scores) == (reduced.reward, reduced.scores)
    unknown = [one for one in config_findings(PARTIAL, _config(weights)) if one.code != "nothing_scored"]
    assert unknown == [
        Finding("unknown_dimension", f"reward_config.quality_weights.{dimension}")
        for dimension in DIMENSIONS
        if weights.get(dimension) and dimension not in defined
    ]


@pytest.mark.parametrize("config", [None, RewardConfig(), _config({"rubrics": 0.0}), _config({"discovery": 1.0})])
def test_nothing_is_noticed_about_what_was_not_asked_for(config: RewardConfig | None) -> None:
    """Weights of 0 and omitted ones ask for nothing, and the scenario's defaults are its own (RC-5)."""
    assert "unknown_dimension" not in [finding.code for finding in config_findings(PARTIAL, config)]
    assert list(_assessed(PARTIAL, ["Well"]).scores) == ["D1_SuccessMetrics", "D5_Discovery"]


REQUIRES: dict[str, Any] = {
    "an event": {"says": ["second job"]},
    "a call": {"calls": "order_imaging"},
    "a reveal": {"discovered": "fear"},
    "an answer": {"heard": ["scared"]},
    "the opening": {"heard": ["about my claim"]},
    "no longer": {"not": {"says": ["hello"]}},
    "for a while": {"all": [{"says": ["hello"]}, {"not": {"says": ["nonsense"]}}]},
    "only nots": {"all": [{"not": {"silent": True}}, {"any": [{"not": {"says": ["well"]}}, {"discovered": "onset"}]}]},
    "late": {"says": ["hello"], "turns": {"at_least": 3}},
    "never": {"all": [{"not": {"says": ["well"]}}, {"says": ["well"]}]},
}
REQUIRING = {
    name: Player(scenario(scoring={"requires": rule}, invalid_tool_call="score", completed=None))
    for name, rule in REQUIRES.items()
}


@given(st.sampled_from(sorted(REQUIRES)), transcripts, st.none() | WEIGHTS, st.booleans())
@example("no longer", [[operator("Well")], [operator("Hello")]], None, False)
@example("for a while", [[operator("Hello")], [operator("That is nonsense.")]], None, True)
def test_what_is_required_must_have_held_at_some_turn(
    name: str, operator_lines: list[list[Message]], weights: dict[str, float] | None, skip: bool
) -> None:
    """Until the rule has held after some turn, by asking after each, the reward is 0; scores stay as without it (RC-6)."""
    required, config = REQUIRING[name], _config(weights, skip)
    free = Player(LENIENT)
    rule = required.scenario.criteria.requires
    assert rule is not None
    states = [required.fold(required.start(), operator_lines[: count + 1]) for count in range(len(operator_lines))]
    met = any(rule.holding_turns(state.masks, state.full) >> state.turn & 1 for state in states)
    got = assess(required.scenario, required.fold(required.start(), operator_lines), config)
    freely = assess(LENIENT, free.fold(free.start(), operator_lines), config)
    assert got.earned == met
    assert got.reward == (freely.reward if met else 0)
    assert (got.scores, got.breakdown, got.critical) == (freely.scores, freely.breakdown, freely.critical)


@pytest.mark.parametrize("config", [None, _config({"success_metrics": 1}), _config({"failure_metrics": 1}, skip=True)])
def test_nothing_lifts_what_is_required_but_the_rule_itself(config: RewardConfig | None) -> None:
    """Not weights, not skipping the gate; once it held, a turn at which it no longer holds changes nothing (RC-4, RC-6)."""
    on = scenario(scoring={"requires": {"all": [{"says": ["hello"]}, {"not": {"says": ["nonsense"]}}]}})
    assert _assessed(on, ["Tell me what happened."], config).reward == 0
    earned = _assessed(on, ["Tell me what happened.", "Hello"], config).reward
    assert earned > 0
    assert _assessed(on, ["Tell me what happened.", "Hello", "That is nonsense."], config).reward > 0
    assert _assessed(on, ["Tell me what happened.", "Hello nonsense."], config).reward == 0


def _secrets(value: Any) -> set[str]:
    """All texts in criteria, state and tools: ids, texts, phrases, options."""
    if isinstance(value, dict):
        return {*_secrets(list(value.values())), *(key for key in value if key in CLAIM_TOOLS)}
    if isinstance(value, list):
        return set().union(*map(_secrets, value))
    return {value} if isinstance(value, str) else set()


CLAIM_TOOLS = {tool["id"] for tool in CLAIM["tools"]}


@given(players, transcripts)
def test_a_breakdown_says_nothing_of_the_criteria(name: str, operator_lines: list[list[Message]]) -> None:
    """Its sentences speak of results and turns, never of criteria texts, ids, phrases or expected options (NEVER-1)."""
    secrets = {
        text.casefold() for part in ("criteria", "state", "completed", "rapport") for text in _secrets(CLAIM[part])
    }
    assert {"t1", "establish_onset", "order_imaging", "pending_info", "l1", "r1"} <= secrets
    for sentence in _random(name, operator_lines, None).breakdown.values():
        spoken = sentence.casefold()
        assert not [secret for secret in secrets if re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", spoken)]
