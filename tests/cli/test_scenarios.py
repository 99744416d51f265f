import json
import re
from pathlib import Path

from labs_mock.cli.scenario_tables import details, details_tables
from labs_mock.config.library import load_library, load_scenarios, shipped_library
from labs_mock.scenario.files.loader import parse_scenario
from tests.cli.running import COLLECTION, TRANSCRIPT, run
from tests.support import CLAIM


def test_scenarios_lists_the_library() -> None:
    """Every shipped scenario has its line, with shape, difficulty and name, and its object in the JSON."""
    library = load_library(shipped_library())
    listed, data = run("scenarios"), json.loads(run("scenarios", "--json").stdout)
    assert (listed.exit_code, len(data)) == (0, len(library.scenarios))
    for scenario, entry in zip(library.scenarios, data, strict=True):
        name = f"{scenario.collection}/{scenario.slug}"
        assert (entry["scenario"], entry["name"], entry["shape"]) == (name, scenario.file.name, scenario.file.shape)
        assert re.search(rf"{name} +│ {scenario.file.shape} +│ {scenario.file.difficulty} +│ \d+ +│ ", listed.stdout)


def test_scenarios_shows_all_of_one(folder: Path) -> None:
    """Its opening, facts, tools, criteria, dimensions and operators; by its name in a folder, or by its file."""
    shown = run("scenarios", "case-management/back-claim", "--scenarios", folder)
    assert shown.exit_code == 0
    ids = ["establish_onset", "order_scan", "early_approval", "rude", "open_question", "gathering", "diagnosis", "scared",
           "strain", *(item["id"] for item in CLAIM["state"]), *(tool["id"] for tool in CLAIM["tools"])]  # fmt: skip
    texts = [
        CLAIM["name"],
        CLAIM["persona"]["opening"],
        "Dana Reyes",
        "critical",
        "expert",
        "claims-expert-v1",
        "D4_Rubrics",
    ]
    assert [text for text in [*ids, *texts] if text not in shown.stdout] == []
    file = folder / "case-management" / "back-claim.yaml"
    assert run("scenarios", file).stdout == shown.stdout


def test_every_shipped_scenario_can_be_shown() -> None:
    """Of all shapes, decision tasks and journeys too; the JSON without name and version is the content of the file."""
    for scenario in load_scenarios(shipped_library()).scenarios:
        shown, data = details_tables(scenario), details(scenario)
        assert all(f" {item.id} " in shown for item in scenario.file.state)
        assert all(f" {name} " in shown for name in [*scenario.tools, *scenario.file.operators])
        assert data.pop("scenario") == f"{scenario.collection}/{scenario.slug}"
        version, text = data.pop("version"), json.dumps(data)
        assert parse_scenario(text, file=f"{scenario.slug}.yaml", collection=scenario.collection).version == version


def test_a_text_of_a_scenario_is_never_more_than_text(tmp_path: Path) -> None:
    """Marks of rich, emoji codes and control characters are shown as they stand, or as escapes."""
    text = "[bold]x[/] [/] :smile: \x1b[31m \u202e"
    data = {**CLAIM, "name": text, "description": text, "persona": {**CLAIM["persona"], "opening": text}}
    data["state"] = [{**CLAIM["state"][0], "fact": text}, *CLAIM["state"][1:]]
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "collection.yaml").write_text(COLLECTION, encoding="utf-8")
    (tmp_path / "cases" / "odd.yaml").write_text(json.dumps(data), encoding="utf-8")
    explained = ("score", "cases/odd", "-", "--explain", "--scenarios", tmp_path)
    for command in (
        ("scenarios", "--scenarios", tmp_path),
        ("scenarios", "cases/odd", "--scenarios", tmp_path),
        explained,
    ):
        result = run(*command, stdin=json.dumps(TRANSCRIPT))
        assert result.exit_code == 0
        assert "[bold]x[/] [/] :smile: \\x1b[31m \\u202e" in result.stdout
        assert result.stdout.replace("\n", "").isprintable()


def test_a_scenario_that_is_not_there_is_named() -> None:
    """The message lists the scenarios that exist."""
    result = run("scenarios", "case-management/lower-back-clam")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no scenario 'case-management/lower-back-clam'; " in result.stderr
    assert "case-management/lower-back-claim" in result.stderr
