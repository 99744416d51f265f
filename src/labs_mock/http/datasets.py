"""Training datasets: their status, and their rows as NDJSON (section 5)."""

import re

from labs_mock.contract.dataset_status import DATASET_STATUSES
from labs_mock.contract.findings import Finding
from labs_mock.contract.limits import UUID_ON_THE_WIRE
from labs_mock.contract.wording import quote
from labs_mock.errors import BadRequest
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.http.sending import Stream
from labs_mock.scenario.compiled.datasets import Stage
from labs_mock.state.datasets import Held

_UUID = re.compile(UUID_ON_THE_WIRE)


def check_dataset_id(parameters: dict[str, str], _: None) -> None:
    """Raises `BadRequest` for what cannot be the id of a dataset (DS-5)."""
    if not _UUID.fullmatch(parameters["id"]):
        raise BadRequest(f"id: expected a UUID, got {quote(parameters['id'])}")


def dataset_status(exchange: Exchange, _: None) -> Payload:
    """`GET /training-datasets/{id}/status`; it renders no row (DS-2)."""
    return _state(_poll(exchange)[1])


def export_dataset(exchange: Exchange, _: None) -> Payload | Stream:
    """`GET /training-datasets/{id}/export`: all rows once it is ready, and until then its status (DS-3, DS-4)."""
    held, stage = _poll(exchange)
    if stage.status == "ready":
        return Stream(b"application/x-ndjson", _head(held), held.export())
    exchange.status = DATASET_STATUSES[stage.status].export
    if exchange.status == 202:
        exchange.findings.append(Finding("export_before_ready", "id"))
    return _state(stage)


def _poll(exchange: Exchange) -> tuple[Held, Stage]:
    held = exchange.world.datasets.get(exchange.request.parameters["id"])
    stage, often = held.poll(exchange.now)
    if often and exchange.world.clock.runs and not DATASET_STATUSES[stage.status].final:
        exchange.findings.append(Finding("polled_too_often", "id"))
    return held, stage


def _head(held: Held) -> list[tuple[bytes, bytes]]:
    name = f'attachment; filename="training-dataset-{held.dataset.id}.jsonl"'
    return [(b"content-disposition", name.encode()), (b"x-row-count", b"%d" % held.dataset.row_count)]


def _state(stage: Stage) -> Payload:
    error = {} if stage.error is None else {"error": stage.error}
    return {"status": stage.status, "row_count": stage.row_count, "message": stage.message, **error}
