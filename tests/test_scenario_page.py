import re
from typing import Any, get_args

import pytest
import yaml

from labs_mock.config.starter import starter_files
from labs_mock.scenario.files.loader import parse_scenario
from labs_mock.scenario.files.scenario_checks import check_scenario
from labs_mock.scenario.files.schema import ScenarioFile, StateItemFile
from labs_mock.scenario.rules.operators import OPERATORS
from tests.pages import ROOT

PAGE = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
STARTER: dict[str, Any] = yaml.safe_load(starter_files("scenarios")["support/late-parcel.yaml"])
SHAPES = get_args(ScenarioFile.model_fields["shape"].annotation)


def choices(field: str) -> list[str]:
    """The words that a field of a state item may have."""
    annotation = StateItemFile.model_fields[field].annotation
    return [word for part in (annotation, *get_args(annotation)) for word in get_args(part) if isinstance(word, str)]


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its two head lines."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = re.search(r"(?:^\|.*\|\n)+", section, re.MULTILINE)
    assert table, heading
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[0].splitlines()[2:]]


def keys(cell: str) -> list[str]:
    """The words of a cell that stand in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def standing(key: str, shape: str) -> str:
    """How a key stands in a scenario of a shape, by what the checks say without it and with it."""
    without = [mistake.message for mistake in check_scenario({"shape": shape})]
    beside = [mistake.message for mistake in check_scenario({"shape": shape, key: []})]
    if f"'{key}' has no place in a {shape}" in beside:
        return "-"
    needed = ScenarioFile.model_fields[key].is_required() or f"a {shape} without '{key}'" in without
    return "required" if needed else "optional"


@pytest.mark.parametrize(
    "word", [*OPERATORS, "turns", *choices("reveal"), *choices("kind"), *ScenarioFile.model_fields]
)
def test_the_page_names_every_word_of_the_language(word: str) -> None:
    """Each rule operator, reveal trigger, state item kind and top-level key stands in backticks."""
    assert f"`{word}`" in PAGE


def test_choices_are_found() -> None:
    """The words that are looked for are those of the schema."""
    assert choices("reveal") == ["volunteered", "direct_question", "rapport_required"]
    assert choices("kind") == ["known", "hidden"]


def test_the_table_of_keys_is_that_of_the_schema() -> None:
    """Every top-level key has one row, which says for each shape what the checks say."""
    table = {key: row[1:4] for row in rows("Top-level keys") for key in keys(row[0])}
    assert table == {key: [standing(key, shape) for shape in SHAPES] for key in ScenarioFile.model_fields}


def test_the_table_of_rules_has_every_operator() -> None:
    """Every rule operator has a row, in the order of the schema, and so has `turns`."""
    assert list(dict.fromkeys(row[0] for row in rows("Rules"))) == [f"`{name}`" for name in (*OPERATORS, "turns")]


@pytest.mark.parametrize(("key", "example"), [(*keys(row[0]), *keys(row[1])) for row in rows("Rules")])
def test_examples_of_rules_are_valid_in_the_starter(key: str, example: str) -> None:
    """The example of a row uses what the row is about, and is a valid rule of the scenario that `init` makes."""
    rule = yaml.safe_load(example)
    metric = {"id": "example", "text": "An example.", "when": rule}
    assert key in rule
    scenario = parse_scenario(yaml.safe_dump({**STARTER, "criteria": {"success_metrics": [metric]}}))
    assert scenario.dimensions == ("success_metrics", "discovery")


def test_the_table_of_state_items_has_every_kind_and_trigger() -> None:
    """The table has a row for each way in which a state item is revealed."""
    section = PAGE.partition("| `kind` |")[2].partition("\n\n")[0]
    ways = [tuple(keys(cell) for cell in line.split("|")[1:3]) for line in section.splitlines()[2:]]
    assert ways == [*((["known"], [trigger]) for trigger in choices("reveal")), (["hidden"], [])]
