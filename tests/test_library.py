from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from labs_mock.cli.validation import validate
from labs_mock.config.library import load_library, shipped_library
from labs_mock.config.starter import starter_files
from labs_mock.contract.dimensions import DIMENSIONS
from labs_mock.contract.requests import Message, ToolCall
from labs_mock.engine.player import Player
from labs_mock.engine.reward import assess
from labs_mock.engine.rollout import first_text, roll_out
from labs_mock.scenario.compiled.scenario import Scenario

LIBRARY = load_library(shipped_library())
SCENARIOS = LIBRARY.scenarios
NAMES = [f"{scenario.collection}/{scenario.slug}" for scenario in SCENARIOS]

every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)


def rewards(scenario: Scenario, operator: str) -> Iterator[float]:
    """The rewards of an operator that takes the first text of every choice, the last, and each in turn."""
    player = Player(scenario)
    turn = cycle(range(6))
    for choose in (first_text, lambda texts: texts[-1], lambda texts: texts[next(turn) % len(texts)]):
        yield assess(scenario, roll_out(player, operator, choose).play).reward


@every_scenario
def test_operators_are_clearly_apart(scenario: Scenario) -> None:
    """However they put it: expert at least 0.85, poor at most 0.35, middling a tenth away from both."""
    expert, middling, poor = (list(rewards(scenario, name)) for name in ("expert", "middling", "poor"))
    assert min(expert) >= 0.85
    assert max(poor) <= 0.35
    assert max(poor) + 0.1 <= min(middling) <= max(middling) <= min(expert) - 0.1


@every_scenario
def test_the_expert_finishes_and_uncovers_everything(scenario: Scenario) -> None:
    """The expert's episode is completed, with every state item revealed."""
    play = roll_out(Player(scenario), "expert").play
    assert play.terminal == "completed"
    assert {item.id for item in scenario.persona.items if item.atom not in play.masks} == set()


@every_scenario
def test_files_start_with_their_schema(scenario: Scenario) -> None:
    """Editors find the schema in the first line, and the shipped one is what the command prints."""
    path = shipped_library() / scenario.collection / f"{scenario.slug}.yaml"
    first = path.read_text().partition("\n")[0]
    assert first == "# yaml-language-server: $schema=../.schema/scenario.json"


def test_the_library_is_as_wide_as_promised() -> None:
    """Four collections, ten scenarios or more, every shape and difficulty."""
    assert set(LIBRARY.collections) == {"case-management", "healthcare", "finance", "coaching"}
    assert len(SCENARIOS) >= 10
    assert {scenario.file.shape for scenario in SCENARIOS} == {"decision_task", "conversation", "journey"}
    assert {scenario.file.difficulty for scenario in SCENARIOS} == {"easy", "medium", "hard"}


def test_everything_of_the_language_is_in_use() -> None:
    """Each dimension, each reveal trigger, hidden state, both tool types and both halves of the gate are used."""
    used: Counter[str] = Counter()
    for scenario in SCENARIOS:
        used.update(scenario.dimensions)
        used.update(item.reveal or "hidden" for item in scenario.file.state)
        used.update(tool.type for tool in scenario.file.tools)
        scope = scenario.file.criteria.scope
        halves: dict[str, list[Any]] = {
            "prohibited": scope.prohibited,
            "must_refer": scope.must_refer,
            "terminology": scenario.file.criteria.terminology,
        }
        used.update(name for name, entries in halves.items() if entries)
    triggers = ("volunteered", "direct_question", "rapport_required", "hidden")
    wanted = (*DIMENSIONS, *triggers, "artifact", "decision", "prohibited", "must_refer", "terminology")
    assert [name for name in wanted if not used[name]] == []


def test_silence_and_reach_out_moments_are_in_use() -> None:
    """Some expert stays silent at a reach-out moment, and a journey's persona answers silence in its own way."""
    weekly = LIBRARY.collections["coaching"].scenarios["weekly-check-ins"]
    rollout = roll_out(Player(weekly), "expert")
    assert "<no_response/>" in [message["content"] for turn in rollout.turns for message in turn]
    assert any(len(session.reach_out) > 1 for session in weekly.file.sessions)


def test_shipped_files_are_short_lines_of_utf8() -> None:
    """Scenario files are readable in an editor: at most 120 characters a line and 320 lines."""
    for path in Path(shipped_library()).rglob("*.yaml"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 320, path
        assert max(len(line) for line in lines) <= 120, path


def test_the_library_has_no_warnings() -> None:
    """Nothing that `validate` warns of is in the shipped files; no public text gives anything away (NEVER-1)."""
    assert validate([shipped_library()]).warnings.kept == []


def test_the_starter_has_no_warnings(tmp_path: Path) -> None:
    """Nor is it in the folder that `init` makes (NEVER-1, RC-6)."""
    for name, text in starter_files("scenarios").items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = validate([tmp_path])
    assert (found.problems.kept, found.warnings.kept) == ([], [])


def test_every_shipped_scenario_requires_something() -> None:
    """Text about nothing earns nothing; `test_requirements` shows it (RC-6)."""
    assert [name for name, one in zip(NAMES, SCENARIOS, strict=True) if one.file.scoring.requires is None] == []


@pytest.mark.parametrize("assessment", [{}, {"region": "lower back"}, {"diagnosis": "strain", "codes": ["S39.0"]}])
def test_the_tool_calls_of_the_documentation_run(assessment: dict[str, Any]) -> None:
    """An artifact `medical_assessment` with any object, and `claim_status` decided as approved, are valid (EP-2, EP-9)."""
    claim = LIBRARY.collections["case-management"].scenarios["lower-back-claim"]
    calls = [
        ToolCall(type="artifact", name="medical_assessment", input=assessment),
        ToolCall(type="decision", name="claim_status", input={"value": "approved"}),
    ]
    player = Player(claim)
    play = player.fold(player.start(), [[Message(role="assistant", content="Approved.", tool_calls=calls)]])
    assert play.terminal == "completed"
    assert assess(claim, play).reward > 0
