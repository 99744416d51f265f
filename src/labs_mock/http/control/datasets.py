"""Datasets over the control plane: the status of each, and how to force another."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.clock import instant_text
from labs_mock.contract.dataset_status import DATASET_STATUSES, WITH_ERROR, StatusName
from labs_mock.contract.parsing import read_model
from labs_mock.contract.wording import DATASET_NOT_FOUND
from labs_mock.errors import BadRequest, NotFound
from labs_mock.http.control.resources import checked, json_of, resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.scenario.compiled.datasets import Dataset, Stage, compile_dataset
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.dataset_checks import check_dataset
from labs_mock.scenario.files.dataset_schema import DatasetFile
from labs_mock.scenario.files.fields import FileModel, Text
from labs_mock.scenario.files.row_checks import check_rows
from labs_mock.state.dataset_progress import StoredDataset


class Forced(FileModel):
    """The status that a dataset is to keep until the next change or reset."""

    status: StatusName
    row_count: Annotated[int, Field(ge=0)] | None = None
    message: Text | None = None
    error: Text | None = None


def dataset_routes(prefix: str) -> list[BaseRoute]:
    """`GET` and `POST /datasets`, and `PATCH /datasets/{id}` to force a status."""

    async def list_datasets(request: Request) -> Payload:
        return {"datasets": [_shown(state) for state in await world_of(request).store.datasets()]}

    async def add_dataset(request: Request) -> Payload:
        world = world_of(request)
        value = await json_of(request)
        library = await world.library()
        scenarios = {f"{scenario.collection}/{scenario.slug}": scenario for scenario in library.scenarios}
        # In a thread, since thousands of rows take seconds, and other requests would have to wait.
        dataset = await asyncio.to_thread(_dataset, value, scenarios)
        state = await world.store.add_dataset(dataset)
        if state is None:
            raise BadRequest("id: there is a dataset with this id; PATCH changes its status")
        return _shown(state)

    async def change_dataset(request: Request) -> Payload:
        dataset = await dataset_of(request)
        stage = _stage(read_model(Forced, await json_of(request)), dataset)
        state = await world_of(request).store.force_dataset(dataset.id, stage)
        if state is None:  # a reset has removed it meanwhile
            raise NotFound(DATASET_NOT_FOUND)
        return _shown(state)

    return [
        resource(f"{prefix}/datasets", GET=list_datasets, POST=add_dataset),
        resource(f"{prefix}/datasets/{{id}}", PATCH=change_dataset),
    ]


async def dataset_of(request: Request) -> Dataset:
    """The dataset in a path, in either case. Raises `NotFound`."""
    name = request.path_params["id"].lower()
    for state in await world_of(request).store.datasets():
        if state.dataset.id == name:
            return state.dataset
    raise NotFound(DATASET_NOT_FOUND)


def _dataset(value: Payload, scenarios: Mapping[str, Scenario]) -> Dataset:
    """Raises `BadRequest` for what is no dataset file."""
    file = checked(DatasetFile, value, lambda data: [*check_dataset(data), *check_rows(data, scenarios)])
    if file.rows is not None and file.rows.file is not None:
        raise BadRequest("rows.file: the control plane reads no files; send 'inline' rows, or 'generate' them")
    return compile_dataset("", file, scenarios)


def _stage(forced: Forced, dataset: Dataset) -> Stage:
    """Raises `BadRequest` for what a dataset cannot be."""
    if (forced.error is not None) != (forced.status in WITH_ERROR):
        raise BadRequest("error: expected beside the status 'failed', and only there")
    if forced.status == "ready" and not dataset.row_count:
        raise BadRequest("status: this dataset has no rows, so it cannot get ready; give its file 'rows'")
    count = dataset.row_count if forced.status == "ready" else forced.row_count
    message = forced.message or DATASET_STATUSES[forced.status].message
    return Stage(forced.status, message, row_count=count, error=forced.error)


def _shown(state: StoredDataset) -> Payload:
    """A dataset as it stands; `keep_exhausted` is null before the first whole export."""
    dataset, stage = state.dataset, state.stage
    return {
        "id": dataset.id,
        "name": dataset.name,
        "status": stage.status,
        "row_count": stage.row_count,
        "message": stage.message,
        "error": stage.error,
        "rows": dataset.row_count,
        "keep_exhausted": state.keep_exhausted,
        "lifecycle": {
            "stages": [asdict(one) for one in state.progress.stages],
            "position": state.progress.position,
            "polls": state.progress.polls,
            "since": instant_text(state.progress.since),
        },
    }
