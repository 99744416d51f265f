"""A scenario in tables, as its author sees it: what is true, what the operator can do, and what counts.

It shows what must never leave `/api/v1` (NEVER-1): it is for the command line and the control plane.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.fields import FileModel
from labs_mock.scenario.files.schema import ToolFile


class SummaryTable(NamedTuple):
    """A part of a scenario; rows are as long as the columns."""

    title: str
    columns: tuple[str, ...]
    rows: list[list[Any]]


def summary_tables(scenario: Scenario) -> list[SummaryTable]:
    """The parts of a scenario that are not empty."""
    tables = [
        SummaryTable("State", ("id", "kind", "revealed", "weight", "fact"), [*_state(scenario)]),
        SummaryTable("Tools", ("id", "type", "takes", "name"), [*_tools(scenario)]),
        SummaryTable("Criteria", ("part", "id", "weight", "text"), [*_criteria(scenario)]),
        SummaryTable("Dimensions", ("dimension", "score name", "weight"), [*_dimensions(scenario)]),
        SummaryTable("Operators", ("operator", "agent template", "turns"), [*_operators(scenario)]),
    ]
    return [table for table in tables if table.rows]


def identity(scenario: Scenario) -> dict[str, str]:
    """Who the persona is; empty without one."""
    persona = scenario.file.persona
    return {} if persona is None else {name: cell(value) for name, value in plain(persona.identity).items()}


def plain(model: FileModel) -> dict[str, Any]:
    """What a part of a file says, and nothing of what it leaves out."""
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


def cell(value: Any) -> str:
    """A value of a file as one line."""
    return orjson.dumps(value).decode() if isinstance(value, dict) else str(value)


def _state(scenario: Scenario) -> Iterator[list[Any]]:
    for item in scenario.file.state:
        yield [item.id, item.kind, item.reveal or "-", f"{item.weight:g}", item.fact]


def _tools(scenario: Scenario) -> Iterator[list[Any]]:
    for one in scenario.file.tools:
        yield [one.id, one.type, _takes(one), one.name]


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
        wanted = output.expected if output.exemplar is None else cell(output.exemplar)
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
