"""The journal over the control plane: find requests, forget them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import BaseRoute

from labs_mock.clock import instant_text
from labs_mock.contract.limits import MAX_NESTING
from labs_mock.errors import BadRequest, NotFound
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.redaction import Redact
from labs_mock.state import World
from labs_mock.state.record import JournalCounts, Record
from labs_mock.text import did_you_mean

FILTERS: dict[str, Callable[[Record, str], bool]] = {
    "method": lambda record, method: record.method == method.upper(),
    "path": lambda record, pattern: fnmatchcase(record.path, pattern),
    "status": lambda record, status: str(record.status) == status,
    "episode": lambda record, episode: record.episode == episode,
    "finding": lambda record, code: any(finding.code == code for finding in record.findings),
    "severity": lambda record, severity: any(finding.severity == severity for finding in record.findings),
    "fault": lambda record, name: name in record.faults,
    "organisation": lambda record, name: record.organisation == name,
    "peer": lambda record, pattern: fnmatchcase(_peer(record) or "", pattern),
    "user_agent": lambda record, pattern: fnmatchcase(_user_agent(record), pattern),
    "after": lambda record, number: record.number > int(number),
    "before": lambda record, number: record.number < int(number),
}
DEFAULT_LIMIT = 1_000
PAGE = 500  # records that are read at a time
Show = Callable[[Record, World], Payload]


def journal_routes(prefix: str) -> list[BaseRoute]:
    """`GET` and `DELETE /requests`, `GET /requests/{number}`."""

    async def list_requests(request: Request) -> StreamingResponse:
        world = world_of(request)
        filters, limit, show = _query(dict(request.query_params))
        await settled()
        counts = await world.store.journal_counts()
        newest: deque[Record] = deque(maxlen=limit)
        found = 0
        async for record in records_of(world, counts, int(filters.get("after", 0))):
            if all(FILTERS[name](record, filters[name]) for name in filters):
                newest.append(record)
                found += 1
        return listing(world, newest, {"count": found, **counts_of(counts)}, show)

    async def show_request(request: Request) -> Payload:
        text = request.path_params["number"]
        await settled()
        record = await record_of(world_of(request), int(text)) if text.isdecimal() and len(text) < 18 else None
        if record is None:
            raise NotFound("The journal has no request with this number, or no longer")
        return shown(record, world_of(request))

    async def forget_requests(request: Request) -> Payload:
        store = world_of(request).store
        await store.reset(("journal",))
        return {"requests": [], "count": 0, **counts_of(await store.journal_counts())}

    return [
        resource(f"{prefix}/requests", GET=list_requests, DELETE=forget_requests),
        resource(f"{prefix}/requests/{{number}}", GET=show_request),
    ]


def _query(query: dict[str, str]) -> tuple[dict[str, str], int, Show]:
    """The filters of a query, how many records are wanted at most, and how they are shown. Raises `BadRequest`."""
    limit = number_of(query.pop("limit", str(DEFAULT_LIMIT)), "limit")
    bodies = query.pop("bodies", "true")
    if bodies not in ("true", "false"):
        raise BadRequest("bodies: expected true or false")
    for name, value in query.items():
        if name not in FILTERS:
            raise BadRequest(f"{name[:80]}: unknown filter; {did_you_mean(name, [*FILTERS, 'limit', 'bodies'])}")
        if name in ("after", "before"):
            number_of(value, name)
    return query, limit, shown if bodies == "true" else slim


async def records_of(world: World, counts: JournalCounts, after: int = 0) -> AsyncIterator[Record]:
    """The records behind a number that there were when the journal was counted, oldest first."""
    while after < counts.last and (page := await world.store.records(after, PAGE)):
        for record in page:
            if record.number > counts.last:
                return
            yield record
        after = page[-1].number


async def newest_first(world: World, counts: JournalCounts, before: int | None = None) -> AsyncIterator[Record]:
    """The records that there were when the journal was counted, newest first, or those with a smaller number than `before`."""
    end = counts.last if before is None else min(before - 1, counts.last)
    while end > counts.dropped:
        start = max(end - PAGE, counts.dropped)
        for record in reversed(await world.store.records(start, end - start)):
            if record.number <= end:  # others follow where the oldest have gone meanwhile
                yield record
        end = start


async def record_of(world: World, number: int) -> Record | None:
    """The record with a number; None for one that is gone, or has not come yet."""
    found = await world.store.records(number - 1, 1) if number > 0 else []
    return found[0] if found and found[0].number == number else None


async def settled() -> None:
    """Let requests whose client has left notice it, so that they are shown as what they are."""
    for _ in range(5):
        await asyncio.sleep(0)


def listing(world: World, records: Iterable[Record], rest: Payload, show: Show | None = None) -> StreamingResponse:
    """`requests` and the rest, sent record by record: all their bodies at once may be far more than the journal holds."""

    async def parts() -> AsyncIterator[bytes]:
        yield b'{"requests":['
        for index, record in enumerate(records):
            yield b"," * bool(index) + orjson.dumps((show or shown)(record, world))
            await asyncio.sleep(0)
        yield b"]," + orjson.dumps(rest)[1:]

    return StreamingResponse(parts(), media_type="application/json")


def counts_of(counts: JournalCounts) -> Payload:
    """How many records were dropped, and how many findings of each severity with them."""
    dropped = dict(counts.dropped_findings)
    findings = {severity: dropped.get(severity, 0) for severity in ("info", "warning")}
    return {"dropped": counts.dropped, "dropped_findings": findings}


def shown(record: Record, world: World) -> Payload:
    """A record as JSON, in which no key can be read."""
    redact = redactor_of(record, world)
    return {
        **slim(record, world),
        "request": _content(record.body("request"), redact),
        "response": _content(record.body("response"), redact),
    }


def slim(record: Record, world: World) -> Payload:
    """A record without its bodies."""
    redact = redactor_of(record, world)
    return {
        **summary_of(record, redact),
        "key": record.key,
        "request_id": record.request_id,
        "duration_ms": record.duration_ms,
        "rewards": record.rewards,
        "scorers": {"run": record.run, "skipped": record.skipped},
        "findings": [
            {**hidden(finding._asdict(), redact), "severity": finding.severity} for finding in record.findings
        ],
        "faults": record.faults,
        "request_size": record.size,
        "dropped_bodies": record.dropped,
    }


def summary_of(record: Record, redact: Redact) -> Payload:
    """Which request it was, who sent it, and how it was answered."""
    return {
        "number": record.number,
        "received": instant_text(record.received),
        "method": record.method,
        "path": redact(record.path),
        "query": redact(record.query),
        "organisation": record.organisation,
        "peer": _peer(record),
        "user_agent": redact(_user_agent(record)),
        "status": record.status,
        "delivery": list(record.delivery),
        "episode_id": record.episode and redact(record.episode),
        "turn": record.turn,
    }


def _peer(record: Record) -> str | None:
    """Address and port as in a URL."""
    if record.peer is None:
        return None
    host, port = record.peer
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _user_agent(record: Record) -> str:
    return record.user_agent.decode("latin-1")


def redactor_of(record: Record, world: World) -> Redact:
    """Masks all keys, and what a request came with as a proof."""
    return world.redactor.including(record.credentials)


def _content(body: bytes | None, redact: Redact) -> Any:
    """A body as the JSON that it is, else as text; None for an empty one, and for one that was dropped."""
    if not body:
        return None
    try:
        return hidden(orjson.loads(body), redact)
    except ValueError:  # it is none, or it is nested deeper than it could be shown
        return redact(body.decode("utf-8", "replace"))


def hidden(value: Any, redact: Redact, levels: int = MAX_NESTING) -> Any:
    """A JSON value in which no key can be read. Raises `ValueError` if it has more levels than a request may have."""
    if isinstance(value, str):
        return redact(value)
    if not isinstance(value, dict | list):
        return value
    if not levels:
        raise ValueError("too deep")
    if isinstance(value, list):
        return [hidden(child, redact, levels - 1) for child in value]
    return {redact(name): hidden(child, redact, levels - 1) for name, child in value.items()}


def number_of(text: str, name: str) -> int:
    """A whole number in a query. Raises `BadRequest` for anything else."""
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise BadRequest(f"{name}: expected a whole number")
    return int(text)
