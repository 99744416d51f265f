"""Datasets with their lifecycles, and one of them with what moves it on, a form that forces a status, and its first rows."""

from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from labs_mock.clock import instant_text
from labs_mock.contract.dataset_status import DATASET_STATUSES
from labs_mock.contract.limits import BASE_PATH
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.contract.wording import DATASET_NOT_FOUND
from labs_mock.errors import NotFound
from labs_mock.http.control.dataset_rows import first_rows
from labs_mock.http.control.journal import number_of
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.inspector.charts import LineChart, steps
from labs_mock.http.inspector.conversation import fair_limit, text_size
from labs_mock.http.inspector.rendering import own_url, page
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.state import World
from labs_mock.state.dataset_progress import Progress, StoredDataset

LISTED = 40  # datasets of a page
STAGES = 20  # of a lifecycle, around the present one
ROWS = 5
LINES = 60  # messages of all rows together
TEXTS = 60_000  # bytes that their texts may take


class ShownStage(NamedTuple):
    """A stage of a lifecycle; `place` is past, present or later, and `ends` says what ends it."""

    number: int
    stage: Stage
    place: str
    ends: str


class ShownRowMessage(NamedTuple):
    """A message of a row: who spoke in it, and what it thought."""

    speaker: str
    role: str
    text: str
    thinking: str
    silent: bool


class ShownRow(NamedTuple):
    """A row of a dataset: its fields but the messages, those that are shown, and how many are not."""

    fields: dict[str, Any]
    lines: list[ShownRowMessage]
    more: int


def dataset_page_routes(prefix: str) -> list[BaseRoute]:
    """`GET /datasets` and `/datasets/{id}`."""

    async def list_datasets(request: Request) -> Response:
        world = world_of(request)
        first = number_of(request.query_params.get("from") or "0", "from")
        stored, now = await world.store.datasets(), (await world.store.clock()).now()
        rows = [_summary(one, now) for one in stored[first : first + LISTED]]
        more = first + LISTED if first + LISTED < len(stored) else None
        return await page(request, "datasets", rows=rows, count=len(stored), first=first, more=more)

    async def show_dataset(request: Request) -> Response:
        world, name = world_of(request), request.path_params["id"].lower()
        found = [one for one in await world.store.datasets() if one.dataset.id == name]
        if not found:
            raise NotFound(DATASET_NOT_FOUND)
        (stored,) = found
        rows, problem = await _first_rows(world, stored.dataset)
        now = (await world.store.clock()).now()
        return await page(
            request,
            "dataset",
            **_summary(stored, now),
            polled=[instant_text(moment) for moment in stored.progress.polled],
            keep_exhausted=stored.keep_exhausted,
            statuses=list(DATASET_STATUSES),
            rows=rows,
            problem=problem,
            limit=_limit(rows),
            url=f"{own_url(request)}{BASE_PATH}/training-datasets/{stored.dataset.id}/export",
            requests=f"{BASE_PATH}/training-datasets/{stored.dataset.id}/*",
        )

    return [
        resource(f"{prefix}/datasets", GET=list_datasets),
        resource(f"{prefix}/datasets/{{id}}", GET=show_dataset),
    ]


def _summary(stored: StoredDataset, now: float) -> dict[str, Any]:
    """A dataset and where it stands."""
    progress = stored.progress
    stages = [
        ShownStage(number, stage, _place(number - 1, progress), _ends(number - 1, progress, now))
        for number, stage in enumerate(progress.stages, 1)
    ]
    start = max(0, min(progress.position - STAGES // 2, len(stages) - STAGES))
    return {
        "dataset": stored.dataset,
        "stage": stored.stage,
        "export": DATASET_STATUSES[stored.stage.status].export,
        "forced": progress.stages != stored.dataset.stages,
        "polls": progress.polls,
        "stages": stages[start : start + STAGES],
        "stage_count": len(stages),
        "chart": _chart(stages[start : start + STAGES]),
    }


def _place(index: int, progress: Progress) -> str:
    return "past" if index < progress.position else "later" if index > progress.position else "present"


def _ends(index: int, progress: Progress, now: float) -> str:
    """What ends a stage, and for the present one how far that is (DS-7)."""
    stage, present = progress.stages[index], index == progress.position
    if stage.polls is not None:
        had = f"; it has had {progress.polls}" if present else ""
        return f"ends with its poll number {stage.polls:,}{had}"
    if stage.seconds is not None:
        end = progress.since + stage.seconds
        left = f", at {instant_text(end)}: in {max(end - now, 0):,.4g} s" if present else ""
        return f"ends {stage.seconds:,.10g} s after it began{left}"
    return "stays"


def _chart(stages: list[ShownStage]) -> LineChart:
    return steps([(one.place, f"{one.number}: {one.stage.status}, {one.place}") for one in stages])


async def _first_rows(world: World, dataset: Dataset) -> tuple[list[ShownRow], str]:
    """The first rows, whether or not clients may have them yet, and why there are none where they cannot be made."""
    try:
        found = await first_rows(world, dataset, ROWS)
    except NotFound as error:
        return [], error.message
    left, rows = LINES, []
    for row in found:
        rows.append(_row(row, left))
        left -= len(rows[-1].lines)
    return rows, ""


def _row(row: dict[str, Any], room: int) -> ShownRow:
    lines = [
        ShownRowMessage(
            "operator" if one["role"] == "assistant" else "persona",
            one["role"],
            one["content"],
            one.get("thinking", ""),
            one["content"] == NO_RESPONSE,
        )
        for one in row["messages"][:room]
    ]
    fields = {name: row[name] for name in ("scenario_id", "agent_template_id")} | row["metadata"]
    return ShownRow(fields, lines, len(row["messages"]) - len(lines))


def _limit(rows: list[ShownRow]) -> int:
    """How many bytes each text of the rows may take."""
    return fair_limit(
        (text_size(text) for row in rows for one in row.lines for text in (one.text, one.thinking)), TEXTS
    )
