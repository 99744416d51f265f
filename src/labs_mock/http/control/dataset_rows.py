"""The first rows of a dataset over the control plane, whether or not clients may have them yet."""

import asyncio
from typing import Any

import orjson
from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.errors import BadRequest
from labs_mock.http.control.datasets import dataset_of
from labs_mock.http.control.journal import hidden, number_of
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.scenario.compiled.datasets import Dataset
from labs_mock.state import World

DEFAULT_LIMIT, MAX_LIMIT = 5, 100


def row_routes(prefix: str) -> list[BaseRoute]:
    """`GET /datasets/{id}/rows`."""

    async def show_rows(request: Request) -> Payload:
        query = dict(request.query_params)
        limit = number_of(query.pop("limit", str(DEFAULT_LIMIT)), "limit")
        for name in query:
            raise BadRequest(f"{name[:80]}: unknown parameter; expected 'limit'")
        if not 0 < limit <= MAX_LIMIT:
            raise BadRequest(f"limit: expected 1 to {MAX_LIMIT}")
        dataset = await dataset_of(request)
        return {"rows": await first_rows(world_of(request), dataset, limit), "count": dataset.row_count}

    return [resource(f"{prefix}/datasets/{{id}}/rows", GET=show_rows)]


async def first_rows(world: World, dataset: Dataset, limit: int) -> list[Any]:
    """Up to so many rows as an export has them, whether or not clients may have them yet."""
    chunks = (await world.export(dataset)).chunks
    lines = b""
    try:
        for chunk in chunks:
            lines += chunk
            if lines.count(b"\n") >= limit:
                break
            await asyncio.sleep(0)  # others want responses, too
    finally:
        chunks.close()
    return [hidden(orjson.loads(line), world.redactor) for line in lines.split(b"\n")[:limit] if line]
