"""Training datasets: their status, and their rows as NDJSON (section 5)."""

import re
from collections.abc import Generator

from labs_mock.contract.dataset_status import DATASET_STATUSES
from labs_mock.contract.findings import Finding
from labs_mock.contract.limits import UUID_ON_THE_WIRE
from labs_mock.contract.wording import DATASET_NOT_FOUND, quote
from labs_mock.errors import BadRequest, NotFound
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.http.sending import Stream
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.state.dataset_progress import Poll

_UUID = re.compile(UUID_ON_THE_WIRE)


def check_dataset_id(parameters: dict[str, str], _: None) -> None:
    """Raises `BadRequest` for what cannot be the id of a dataset (DS-5)."""
    if not _UUID.fullmatch(parameters["id"]):
        raise BadRequest(f"id: expected a UUID, got {quote(parameters['id'])}")


async def dataset_status(exchange: Exchange, _: None) -> Payload:
    """`GET /training-datasets/{id}/status`; it renders no row (DS-2)."""
    return _state((await _poll(exchange)).stage)


async def export_dataset(exchange: Exchange, _: None) -> Payload | Stream:
    """`GET /training-datasets/{id}/export`: all rows once it is ready, and until then its status (DS-3, DS-4)."""
    poll = await _poll(exchange)
    stage = poll.stage
    if stage.status == "ready":
        return await _stream(exchange, poll.dataset)
    exchange.status = DATASET_STATUSES[stage.status].export
    if exchange.status == 202:
        exchange.findings.append(Finding("export_before_ready", "id"))
    return _state(stage)


async def _poll(exchange: Exchange) -> Poll:
    """A poll of the dataset in the path, in either case. Raises `NotFound` (DS-5)."""
    arrived = exchange.arrived
    poll = await exchange.world.store.poll_dataset(arrived.epoch, exchange.request.parameters["id"], arrived.now)
    if poll is None:
        raise NotFound(DATASET_NOT_FOUND)
    if poll.too_often and arrived.clock.runs and not DATASET_STATUSES[poll.stage.status].final:
        exchange.findings.append(Finding("polled_too_often", "id"))
    return poll


async def _stream(exchange: Exchange, dataset: Dataset) -> Stream:
    """All rows of a dataset; once all were made, that is stored."""
    export = await exchange.world.export(dataset)
    headers = [
        (b"content-disposition", f'attachment; filename="training-dataset-{dataset.id}.jsonl"'.encode()),
        (b"x-row-count", b"%d" % dataset.row_count),
    ]

    unreported = False  # until all rows were made

    def chunks() -> Generator[bytes, None, None]:
        nonlocal unreported
        yield from export.chunks
        unreported = True

    async def finish() -> None:
        nonlocal unreported
        if unreported:
            unreported = False
            await exchange.world.store.finish_export(exchange.arrived.epoch, dataset.id, export.keep_exhausted)

    return Stream(b"application/x-ndjson", headers, chunks(), finish)


def _state(stage: Stage) -> Payload:
    error = {} if stage.error is None else {"error": stage.error}
    return {"status": stage.status, "row_count": stage.row_count, "message": stage.message, **error}
