"""The scenarios of the library, and each as its author sees it: in tables, and as YAML with its warnings."""

import asyncio
from collections import defaultdict
from functools import lru_cache
from typing import Any, NamedTuple

from markupsafe import escape
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from labs_mock.engine.extra_warnings import extra_warnings
from labs_mock.http.control.journal import number_of
from labs_mock.http.control.resources import arrived_of, resource, world_of
from labs_mock.http.inspector.rendering import page, shown
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.compiled.summary import SummaryTable, identity, summary_tables
from labs_mock.scenario.files.yaml_text import rule_text, yaml_text, yaml_warnings

ROWS = 100  # of a page of the list
TABLE_ROWS = 30  # of each of the five tables of a scenario
YAML_LINES, YAML_BYTES = 2_000, 40_000  # of HTML


class YamlLine(NamedTuple):
    """A line of YAML and what is to be said about it."""

    number: int
    text: str
    warnings: tuple[str, ...]


class AuthorText(NamedTuple):
    """A scenario as YAML: its first lines, and how many there are in all."""

    lines: tuple[YamlLine, ...]
    total: int
    warnings: int


def scenario_page_routes(prefix: str) -> list[BaseRoute]:
    """`GET /scenarios`, `/scenarios/{collection}/{scenario}`, and its YAML as text."""

    async def list_scenarios(request: Request) -> Response:
        text = request.query_params.get("start", "")
        start = number_of(text, "start") if text else 0
        scenarios = (await world_of(request).library()).scenarios
        rows = [_row(scenario) for scenario in scenarios[start : start + ROWS]]
        older = start + ROWS if start + ROWS < len(scenarios) else None
        return await page(request, "scenarios", rows=rows, count=len(scenarios), start=start, older=older)

    async def show_scenario(request: Request) -> Response:
        scenario = await scenario_of(request)
        file = scenario.file
        tables = [(_cut(table), len(table.rows) - TABLE_ROWS) for table in summary_tables(scenario)]
        return await page(
            request,
            "scenario",
            scenario=_row(scenario) | {"version": scenario.version, "description": file.description},
            identity=identity(scenario),
            opening=scenario.first_observation,
            requires=rule_text(file.scoring.requires) if file.scoring.requires else "",
            tables=tables,
            text=await asyncio.to_thread(_author_text, scenario),
        )

    async def show_yaml(request: Request) -> Response:
        return PlainTextResponse(yaml_text((await scenario_of(request)).file))

    path = f"{prefix}/scenarios/{{collection}}/{{scenario}}"
    return [
        resource(f"{prefix}/scenarios", GET=list_scenarios),
        resource(path, GET=show_scenario),
        resource(f"{path}/yaml", GET=show_yaml),
    ]


async def scenario_of(request: Request) -> Scenario:
    """The scenario that a path names. Raises `NotFound` for one that the library has not."""
    names = request.path_params["collection"], request.path_params["scenario"]
    return (await world_of(request).player(arrived_of(request).revision, None, *names)).scenario


def _row(scenario: Scenario) -> dict[str, Any]:
    file = scenario.file
    return {
        "collection": scenario.collection,
        "slug": scenario.slug,
        "name": file.name,
        "shape": file.shape.replace("_", " "),
        "difficulty": file.difficulty,
        "max_turns": file.max_turns,
    }


def _cut(table: SummaryTable) -> SummaryTable:
    return table._replace(rows=table.rows[:TABLE_ROWS])


@lru_cache(maxsize=64)
def _author_text(scenario: Scenario) -> AuthorText:
    """A scenario as YAML with its warnings, which takes a tenth of a second; those of an equal version are the same."""
    text = yaml_text(scenario.file)
    warnings: dict[int, list[str]] = defaultdict(list)
    for one in yaml_warnings(text, extra_warnings):
        warnings[one.line].append("; ".join(part for part in (one.message, one.expected) if part))
    lines, room = [], YAML_BYTES
    all_lines = text.splitlines()
    for number, line in enumerate(all_lines[:YAML_LINES], 1):
        found = tuple(warnings.get(number, ()))
        room -= 60 + len(escape(line).encode()) + sum(len(escape(one).encode()) for one in found)
        if room < 0:
            break
        lines.append(YamlLine(number, shown(line), found))
    return AuthorText(tuple(lines), len(all_lines), sum(map(len, warnings.values())))
