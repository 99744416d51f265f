"""`labs-mock scenarios`: what a library has, and one of its scenarios as its author sees it.

It shows what must never leave `/api/v1` (NEVER-1): it is for the command line.
"""

from collections.abc import Iterator
from typing import Any

from labs_mock.cli.tables import as_text, table
from labs_mock.config.library import Library
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.compiled.summary import identity, plain, summary_tables
from labs_mock.scenario.files.yaml_text import rule_text

COLUMNS = ("scenario", "shape", "difficulty", "max_turns", "name")


def listing(library: Library) -> list[dict[str, Any]]:
    """Every scenario in a few fields, sorted by collection and slug."""
    return [
        {
            "scenario": _address(scenario),
            "name": scenario.file.name,
            "description": scenario.file.description,
            "shape": scenario.file.shape,
            "difficulty": scenario.file.difficulty,
            "max_turns": scenario.file.max_turns,
            "tools": list(scenario.tools),
            "operators": list(scenario.file.operators),
        }
        for scenario in library.scenarios
    ]


def listing_table(library: Library) -> str:
    """The same as a table, without what would make it too wide."""
    rows = ([entry[column] for column in COLUMNS] for entry in listing(library))
    return as_text(table("Scenarios", [column.replace("_", " ") for column in COLUMNS], rows))


def details(scenario: Scenario) -> dict[str, Any]:
    """Where a scenario is, its version, and all that its file says."""
    return {"scenario": _address(scenario), "version": scenario.version, **plain(scenario.file)}


def details_tables(scenario: Scenario) -> str:
    """A scenario for a person: how it opens, what is true, what counts, and who plays it."""
    return as_text(*_head(scenario), *(table(*part) for part in summary_tables(scenario)))


def _head(scenario: Scenario) -> Iterator[str]:
    file = scenario.file
    yield f"{_address(scenario)}: {file.name}"
    yield f"{file.description} ({file.difficulty} {file.shape.replace('_', ' ')}, at most {file.max_turns} turns)\n"
    if file.persona is not None:
        yield f"Persona: {', '.join(f'{name} {value}' for name, value in identity(scenario).items())}"
    yield f"Opens with: {scenario.first_observation}\n"
    if file.scoring.requires is not None:
        yield f"Nothing is rewarded before:\n{rule_text(file.scoring.requires)}\n"


def _address(scenario: Scenario) -> str:
    return f"{scenario.collection}/{scenario.slug}"
