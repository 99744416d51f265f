from math import prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.requests import Message
from labs_mock.engine.assessment import Assessment
from labs_mock.engine.reward import assess
from labs_mock.scenario.compiled.scenario import Scenario
from tests.engine.test_player import PLAYERS, VALID, played, players, transcripts
from tests.support import CLAIM, operator, scenario

FACTORS = {"prohibited": 0.5, "must_refer": 0.4, "terminology": 0.9}
SCORING = {"gate": FACTORS}


def _assessed(on: Scenario, *operator_lines: str | Message) -> Assessment:
    return assess(on, played(on, *operator_lines))


def _referral(within: int | None, trigger: dict[str, Any]) -> Scenario:
    """A scenario in which a trigger must be followed by `doctor`."""
    entry: dict[str, Any] = {"id": "refer", "trigger": trigger, "when": {"says": ["doctor"]}}
    if within is not None:
        entry["within_turns"] = within
    criteria = {**CLAIM["criteria"], "scope": {"must_refer": [entry]}, "terminology": []}
    return scenario(criteria=criteria, max_turns=50)


@given(players, transcripts)
def test_the_gate_is_the_product_of_the_kinds_that_occurred(name: str, operator_lines: list[list[Message]]) -> None:
    """A factor in [0, 1]; each kind contributes once, whatever the number of violations."""
    player = PLAYERS[name]
    gate = assess(player.scenario, player.fold(player.start(), operator_lines)).gate
    defaults = {"prohibited": 0.0, "must_refer": 0.5, "terminology": 0.9}
    assert set(gate.violations) <= set(defaults)
    assert len(set(gate.violations)) == len(gate.violations)
    assert gate.factor == pytest.approx(prod(defaults[kind] for kind in gate.violations))


FEAR = ["I understand.", "Thank you. Are you worried?"]


@pytest.mark.parametrize(
    ("operator_lines", "violations"),
    [
        pytest.param(["Well"], [], id="none"),
        pytest.param(["It's a pulled muscle."], ["terminology"], id="terminology"),
        pytest.param(["It's a strain."], [], id="the-right-term"),
        pytest.param(["Pulled muscles hurt."], [], id="whole-words-only"),
        pytest.param(["a pulled muscle", "a pulled muscle", "Well"], ["terminology"], id="terminology-once"),
        pytest.param(["You have a herniated disc."], ["prohibited"], id="prohibited"),
        pytest.param(["You have a herniated disc.", "Sorry.", "Well"], ["prohibited"], id="not-taken-back"),
        pytest.param([*FEAR], [], id="window-open"),
        pytest.param([*FEAR, "Well"], ["must_refer"], id="must-refer"),
        pytest.param([*FEAR, "See a counsellor."], [], id="referred"),
        pytest.param(
            [*FEAR, "You have a herniated disc, or a pulled muscle."],
            ["prohibited", "must_refer", "terminology"],
            id="all-kinds",
        ),
    ],
)
def test_what_breaks_the_gate(operator_lines: list[str], violations: list[str]) -> None:
    """Prohibitions, missing referrals and wrong terms, each by its own factor."""
    assessment = _assessed(scenario(scoring=SCORING), *operator_lines)
    assert sorted(assessment.gate.violations) == sorted(violations)
    assert assessment.gate.factor == pytest.approx(prod(FACTORS[kind] for kind in violations))


def test_the_gate_multiplies_the_reward() -> None:
    """The reward is the weighted mean times the factor (RC-4)."""
    clean = _assessed(scenario(scoring=SCORING), "Well", "It's a strain.")
    broken = _assessed(scenario(scoring=SCORING), "Well", "It's a pulled muscle.")
    assert clean.scores == broken.scores
    assert broken.reward == pytest.approx(0.9 * clean.reward, abs=1e-6)
    assert clean.reward > 0


def test_entries_of_one_kind_count_once() -> None:
    """Two prohibitions that are both broken are one kind of violation."""
    prohibited = [{"id": name, "when": {"says": [name]}} for name in ("this", "that")]
    criteria = {**CLAIM["criteria"], "scope": {"prohibited": prohibited}}
    assert _assessed(scenario(criteria=criteria, scoring=SCORING), "this", "that").gate.factor == 0.5


@pytest.mark.parametrize(
    ("within", "operator_lines", "broken"),
    [
        (1, ["pain"], False),
        (1, ["pain", "x"], True),
        (1, ["pain", "doctor"], False),
        (1, ["pain doctor"], False),
        (1, ["pain doctor", "x", "x"], False),
        (1, ["doctor", "pain"], False),
        (1, ["doctor", "pain", "x"], True),
        (1, ["pain", "x", "doctor"], True),
        (1, ["pain", "doctor", "pain"], False),
        (1, ["pain", "doctor", "pain", "x"], True),
        (1, ["pain", "pain", "doctor"], True),
        (1, ["pain", "pain doctor", "x"], False),
        (0, ["pain"], True),
        (0, ["pain doctor"], False),
        (0, ["pain", "doctor"], True),
        (2, ["pain", "x"], False),
        (2, ["pain", "x", "doctor"], False),
        (2, ["pain", "x", "x"], True),
        (2, ["pain", "pain", "x", "doctor"], True),
        (2, ["pain", "pain", "doctor", "x"], False),
        (50, ["pain", *["x"] * 48], False),
        (None, ["pain"], False),
        (None, ["pain", "x"], True),
    ],
)
def test_the_window_of_a_referral(within: int | None, operator_lines: list[str], broken: bool) -> None:
    """Satisfied in turns t to t + within_turns (1 by default), and not broken while that window is open."""
    gate = _assessed(_referral(within, {"says": ["pain"]}), *operator_lines).gate
    assert gate.violations == (("must_refer",) if broken else ())


REFERRALS = {within: _referral(within, {"says": ["pain"]}) for within in range(4)}


@given(st.lists(st.sampled_from(["pain", "doctor", "pain doctor", "x"]), min_size=1), st.integers(0, 3))
def test_a_referral_is_broken_when_a_whole_window_has_none(operator_lines: list[str], within: int) -> None:
    """By the naive way: some trigger whose window has gone by, and no turn of it refers."""
    operator_lines = operator_lines[:49]
    windows = [operator_lines[turn : turn + within + 1] for turn, words in enumerate(operator_lines) if "pain" in words]
    broken = any(len(window) == within + 1 and "doctor" not in " ".join(window) for window in windows)
    assert ("must_refer" in _assessed(REFERRALS[within], *operator_lines).gate.violations) is broken


@pytest.mark.parametrize(
    ("operator_lines", "broken"),
    [(["x"], True), (["doctor"], False), (["doctor", "x"], False), (["x", "doctor"], True)],
)
def test_the_opening_is_turn_0_of_a_window(operator_lines: list[str], broken: bool) -> None:
    """What was heard in the opening must be followed in turn 1, if the window is one turn long."""
    on = _referral(1, {"heard": ["about my claim"]})
    assert ("must_refer" in _assessed(on, *operator_lines).gate.violations) is broken


def test_a_window_that_an_ending_leaves_open_breaks_nothing() -> None:
    """An episode that is over while there was still time is not held against the operator."""
    on = _referral(1, {"says": ["pain"]})
    assert _assessed(on, operator("pain", VALID[2]), "x").gate.violations == ()
