"""`labs-mock scenarios`: what a library has, and one of its scenarios as its author sees it.

It shows what must never leave `/api/v1` (NEVER-1): it is for the command line.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from labs_mock.cli.tables import as_text, table
from labs_mock.config.library import Library
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.fields import FileModel
from labs_mock.scenario.files.schema import ToolFile

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
    return {"scenario": _address(scenario), "version": scenario.version, **_plain(scenario.file)}


def details_tables(scenario: Scenario) -> str:
    """A scenario for a person: how it opens, what is true, what counts, and who plays it."""
    file = scenario.file
    parts = [
        table("State", ("id", "kind", "revealed", "weight", "fact"), _state(scenario)),
        table(
            "Tools", ("id", "type", "takes", "name"), [[one.id, one.type, _takes(one), one.name] for one in file.tools]
        ),
        table("Criteria", ("part", "id", "weight", "text"), _criteria(scenario)),
        table("Dimensions", ("dimension", "score name", "weight"), _dimensions(scenario)),
        table("Operators", ("operator", "agent template", "turns"), _operators(scenario)),
    ]
    return as_text(*_head(scenario), *(part for part in parts if part.row_count))


def _head(scenario: Scenario) -> Iterator[str]:
    file = scenario.file
    yield f"{_address(scenario)}: {file.name}"
    yield f"{file.description} ({file.difficulty} {file.shape.replace('_', ' ')}, at most {file.max_turns} turns)\n"
    if file.persona is not None:
        identity = ", ".join(f"{name} {_cell(value)}" for name, value in _plain(file.persona.identity).items())
        yield f"Persona: {identity}"
    yield f"Opens with: {scenario.first_observation}\n"
    if file.scoring.requires is not None:
        yield f"Nothing is rewarded before: {_cell(_plain(file.scoring.requires))}\n"


def _state(scenario: Scenario) -> Iterator[list[Any]]:
    for item in scenario.file.state:
        yield [item.id, item.kind, item.reveal or "-", f"{item.weight:g}", item.fact]


def _takes(tool: ToolFile) -> str:
    if tool.options is not None:
        return " | ".join(tool.options)
    return ", ".join((tool.json_schema or {}).get("properties", {}))


def _criteria(scenario: Scenario) -> Iterator[list[Any]]:
    criteria = scenario.file.criteria
    for part in ("success_metrics", "failure_metrics", "best_practices"):
        for metric in getattr(criteria, part):
            critical = " (critical)" if getattr(metric, "critical", False) else ""
            yield [part, metric.id, f"{metric.weight:g}", metric.text + critical]
    for rubric in criteria.rubrics:
        for row in rubric.criteria:
            levels = ", ".join(f"{level.label} {level.score:g}" for level in row.levels)
            yield ["rubrics", row.id, "-", f"{row.text or rubric.name}: {levels}"]
    yield from _outputs_and_gate(scenario)


def _outputs_and_gate(scenario: Scenario) -> Iterator[list[Any]]:
    criteria = scenario.file.criteria
    for output in criteria.outputs:
        wanted = output.expected if output.exemplar is None else _cell(output.exemplar)
        yield ["outputs", output.tool, "-", wanted]
    for prohibition in criteria.scope.prohibited:
        yield ["prohibited", prohibition.id, "-", prohibition.text or ""]
    for referral in criteria.scope.must_refer:
        yield ["must_refer", referral.id, "-", referral.text or ""]
    for term in criteria.terminology:
        yield ["terminology", term.use, "-", f"instead of {', '.join(term.instead_of)}"]


def _dimensions(scenario: Scenario) -> Iterator[list[Any]]:
    for dimension in scenario.dimensions:
        yield [dimension, scenario.names[dimension], f"{scenario.weights.get(dimension, 0.0):g}"]


def _operators(scenario: Scenario) -> Iterator[list[Any]]:
    for name, operator in scenario.file.operators.items():
        yield [name, operator.agent_template_id, len(operator.says)]


def _address(scenario: Scenario) -> str:
    return f"{scenario.collection}/{scenario.slug}"


def _plain(model: FileModel) -> dict[str, Any]:
    """What a part of a file says, and nothing of what it leaves out."""
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _cell(value: Any) -> str:
    return orjson.dumps(value).decode() if isinstance(value, dict) else str(value)
