"""The journal as a table with filters, and one request with its response, its findings and its faults."""

import json
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from labs_mock.contract.findings import KINDS, RUN_KINDS
from labs_mock.errors import BadRequest, NotFound
from labs_mock.http.control.findings import findings_of, recorded
from labs_mock.http.control.journal import (
    FILTERS,
    newest_first,
    number_of,
    record_of,
    redactor_of,
    settled,
    shown,
    summary_of,
)
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.delivery import is_spoilt
from labs_mock.http.inspector.rendering import own_url, page
from labs_mock.http.inspector.replay_code import FORMS as CODE
from labs_mock.http.inspector.replay_code import sent_request, why_not
from labs_mock.state import World
from labs_mock.state.record import JournalCounts, Record

ROWS = 100  # of a page of the journal
SHOWN_FILTERS = ("method", "path", "status", "episode", "finding", "severity", "fault", "organisation", "user_agent")
BODIES = ("request", "response")


def request_routes(prefix: str) -> list[BaseRoute]:
    """`GET /requests`, `/requests/{number}`, its bodies as text, and as code."""

    async def list_requests(request: Request) -> Response:
        world, query = world_of(request), dict(request.query_params)
        before = number_of(query.pop("before"), "before") if query.get("before") else None
        filters = {name: query.get(name, "") for name in SHOWN_FILTERS}
        await settled()
        counts = await world.store.journal_counts()
        rows, older = await _rows(world, counts, {name: value for name, value in filters.items() if value}, before)
        return await page(request, "requests", rows=rows, filters=filters, older=older, before=before, counts=counts)

    async def show_request(request: Request) -> Response:
        world, record = world_of(request), await _record(request)
        found = shown(record, world)
        return await page(
            request,
            "request",
            record=found,
            failed=record.status >= 400 or is_spoilt(record.delivery),
            findings=await _findings(world, record),
            neighbours=await _neighbours(world, record),
            replay=list(CODE),
            why_not=why_not(record, redactor_of(record, world)),
        )

    async def show_body(request: Request) -> Response:
        record, name = await _record(request), request.path_params["body"]
        if name not in BODIES:
            raise NotFound("A request has the bodies 'request' and 'response'")
        body = shown(record, world_of(request))[name]
        return PlainTextResponse(body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False))

    async def show_code(request: Request) -> Response:
        world, record = world_of(request), await _record(request)
        make = CODE.get(request.path_params["form"])
        if make is None:
            raise NotFound(f"A request can be copied as: {', '.join(CODE)}")
        reason = why_not(record, redactor_of(record, world))
        if reason:
            raise BadRequest(f"It cannot be sent again. {reason}")
        return PlainTextResponse(make(sent_request(record, own_url(request))))

    return [
        resource(f"{prefix}/requests", GET=list_requests),
        resource(f"{prefix}/requests/{{number}}", GET=show_request),
        resource(f"{prefix}/requests/{{number}}/code/{{form}}", GET=show_code),
        resource(f"{prefix}/requests/{{number}}/{{body}}", GET=show_body),
    ]


async def _record(request: Request) -> Record:
    """The record that a path names. Raises `NotFound` for one that is not there."""
    text = request.path_params["number"]
    record = await record_of(world_of(request), int(text)) if text.isdecimal() and len(text) < 18 else None
    if record is None:
        raise NotFound("The journal has no request with this number, or no longer")
    return record


async def _rows(
    world: World, counts: JournalCounts, filters: dict[str, str], before: int | None
) -> tuple[list[dict[str, Any]], int | None]:
    """The newest requests that pass all filters, and the number before which there are more; None if there are none."""
    rows: list[dict[str, Any]] = []
    async for record in newest_first(world, counts, before):
        if all(FILTERS[name](record, value) for name, value in filters.items()):
            if len(rows) == ROWS:
                return rows, rows[-1]["number"]
            rows.append(_row(record, world))
    return rows, None


def _row(record: Record, world: World) -> dict[str, Any]:
    return {
        **summary_of(record, redactor_of(record, world)),
        "failed": record.status >= 400 or is_spoilt(record.delivery),
        "duration_ms": record.duration_ms,
        "rewards": record.rewards,
        "findings": list(dict.fromkeys((finding.code, finding.severity) for finding in record.findings)),
        "faults": record.faults,
    }


async def _findings(world: World, record: Record) -> Sequence[dict[str, Any]]:
    """The findings that a request proves, alone or with others, each with its cause and what to do about it."""
    redact = redactor_of(record, world)
    found = await findings_of(world, await recorded(world, await world.store.journal_counts()))
    return [
        {
            "code": finding.code,
            "severity": finding.severity,
            "place": redact(finding.place),
            "hint": redact(finding.hint),
            "others": [number for number in finding.requests if number != record.number],
            "cause": (KINDS.get(finding.code) or RUN_KINDS[finding.code]).cause,
            "cure": (KINDS.get(finding.code) or RUN_KINDS[finding.code]).cure,
        }
        for finding in found
        if record.number in finding.requests
    ]


async def _neighbours(world: World, record: Record) -> tuple[int | None, int | None]:
    """The numbers of the requests before and after one, where the journal has them."""
    counts = await world.store.journal_counts()
    former, later = record.number - 1, record.number + 1
    return former if former > counts.dropped else None, later if later <= counts.last else None
