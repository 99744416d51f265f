"""Datasets over the control plane: where each stands, and how to put it somewhere else."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.contract.dataset_status import DATASET_STATUSES, WITH_ERROR, StatusName
from labs_mock.contract.parsing import read_model
from labs_mock.errors import BadRequest
from labs_mock.http.control.resources import checked, json_of, resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.scenario.compiled.datasets import Dataset, Stage, compile_dataset
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.dataset_checks import check_dataset
from labs_mock.scenario.files.dataset_schema import DatasetFile
from labs_mock.scenario.files.fields import FileModel, Text
from labs_mock.scenario.files.row_checks import check_rows
from labs_mock.state import World
from labs_mock.state.datasets import Held


class Forced(FileModel):
    """The stage in which a dataset shall stay, until the next change or reset."""

    status: StatusName
    row_count: Annotated[int, Field(ge=0)] | None = None
    message: Text | None = None
    error: Text | None = None


def dataset_routes(prefix: str) -> list[BaseRoute]:
    """`GET` and `POST /datasets`, and `PATCH /datasets/{id}` to force a status."""

    async def list_datasets(request: Request) -> Payload:
        world = world_of(request)
        return {"datasets": [_shown(world, held) for held in world.datasets]}

    async def add_dataset(request: Request) -> Payload:
        world = world_of(request)
        value = await json_of(request)
        scenarios = {f"{scenario.collection}/{scenario.slug}": scenario for scenario in world.library.scenarios}
        # In a thread, since thousands of rows take seconds, in which others want answers.
        dataset = await asyncio.to_thread(_dataset, value, scenarios)
        if any(held.dataset.id == dataset.id for held in world.datasets):
            raise BadRequest("id: there is a dataset with this id; PATCH changes its status")
        return _shown(world, world.datasets.add(dataset, world.clock.now()))

    async def change_dataset(request: Request) -> Payload:
        world = world_of(request)
        held = world.datasets.get(request.path_params["id"])
        held.lifecycle.force(_stage(read_model(Forced, await json_of(request)), held))
        return _shown(world, held)

    return [
        resource(f"{prefix}/datasets", GET=list_datasets, POST=add_dataset),
        resource(f"{prefix}/datasets/{{id}}", PATCH=change_dataset),
    ]


def _dataset(value: Payload, scenarios: Mapping[str, Scenario]) -> Dataset:
    """Raises `BadRequest` for what is no dataset file."""
    file = checked(DatasetFile, value, lambda data: [*check_dataset(data), *check_rows(data, scenarios)])
    if file.rows is not None and file.rows.file is not None:
        raise BadRequest("rows.file: the control plane reads no files; send 'inline' rows, or 'generate' them")
    return compile_dataset("", file, scenarios)


def _stage(forced: Forced, held: Held) -> Stage:
    """Raises `BadRequest` for what a dataset cannot be."""
    if (forced.error is not None) != (forced.status in WITH_ERROR):
        raise BadRequest("error: expected beside the status 'failed', and only there")
    if forced.status == "ready" and not held.dataset.row_count:
        raise BadRequest("status: this dataset has no rows, so it cannot get ready; give its file 'rows'")
    count = held.dataset.row_count if forced.status == "ready" else forced.row_count
    message = forced.message or DATASET_STATUSES[forced.status].message
    return Stage(forced.status, message, row_count=count, error=forced.error)


def _shown(world: World, held: Held) -> Payload:
    """A dataset as it stands; `keep_exhausted` is null before the first whole export."""
    stage = held.lifecycle.stage(world.clock.now())
    return {
        "id": held.dataset.id,
        "name": held.dataset.name,
        "status": stage.status,
        "row_count": stage.row_count,
        "message": stage.message,
        "error": stage.error,
        "rows": held.dataset.row_count,
        "keep_exhausted": held.keep_exhausted,
    }
