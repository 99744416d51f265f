"""The journal over the control plane: look things up, forget them."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

import orjson
from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.clock import instant_text
from labs_mock.contract.limits import MAX_NESTING
from labs_mock.errors import BadRequest
from labs_mock.http.control.resources import resource
from labs_mock.http.exchange import Payload
from labs_mock.redaction import Redact, masked
from labs_mock.text import did_you_mean
from labs_mock.world import World
from labs_mock.world.journal import Record

FILTERS: dict[str, Callable[[Record, str], bool]] = {
    "method": lambda record, method: record.method == method.upper(),
    "path": lambda record, pattern: fnmatchcase(record.path, pattern),
    "status": lambda record, status: str(record.status) == status,
    "episode": lambda record, episode: record.episode == episode,
    "finding": lambda record, code: any(finding.code == code for finding in record.findings),
    "fault": lambda record, name: name in record.faults,
    "organisation": lambda record, name: record.account is not None and record.account.organisation == name,
    "after": lambda record, number: record.number > int(number),
}
DEFAULT_LIMIT = 1_000


def journal_routes(world: World, prefix: str) -> list[BaseRoute]:
    """`GET` and `DELETE /requests`."""

    async def list_requests(request: Request) -> Payload:
        asked = dict(request.query_params)
        limit = _number(asked.pop("limit", str(DEFAULT_LIMIT)), "limit")
        for name in asked:
            if name not in FILTERS:
                raise BadRequest(f"{name[:80]}: unknown filter; {did_you_mean(name, [*FILTERS, 'limit'])}")
        if "after" in asked:
            _number(asked["after"], "after")
        found = [record for record in world.journal if all(FILTERS[name](record, asked[name]) for name in asked)]
        newest = islice(found, max(0, len(found) - limit), None)
        return {
            "requests": [shown(record, world) for record in newest],
            "count": len(found),
            "dropped": world.journal.dropped,
        }

    async def forget_requests(_: Request) -> Payload:
        world.journal.reset()
        return {"requests": [], "count": 0, "dropped": 0}

    return [resource(f"{prefix}/requests", GET=list_requests, DELETE=forget_requests)]


def shown(record: Record, world: World) -> Payload:
    """A record as JSON, in which no key can be read."""
    account = record.account
    redact = world.redactor.including((account.key,) if account else record.credentials)
    return {
        "number": record.number,
        "received": instant_text(record.received),
        "method": record.method,
        "path": redact(record.path),
        "query": redact(record.query),
        "organisation": account and account.organisation,
        "key": account and masked(account.key),
        "request_id": record.request_id,
        "status": record.status,
        "duration_ms": record.duration_ms,
        "episode_id": record.episode and redact(record.episode),
        "turn": record.turn,
        "rewards": record.rewards,
        "scorers": {"run": record.run, "skipped": record.skipped},
        "findings": [
            {**_hidden(finding._asdict(), redact), "severity": finding.severity} for finding in record.findings
        ],
        "faults": record.faults,
        "request": _content(record.request, redact),
        "request_size": record.size,
        "response": _content(record.response, redact),
    }


def _content(body: bytes, redact: Redact) -> Any:
    """A body as the JSON that it is, else as text; None for an empty one."""
    try:
        return _hidden(orjson.loads(body), redact)
    except ValueError:  # it is none, it was cut, or it is nested deeper than it could be shown
        return redact(body.decode("utf-8", "replace")) or None


def _hidden(value: Any, redact: Redact, levels: int = MAX_NESTING) -> Any:
    """A JSON value in which no key can be read. Raises `ValueError` if it has more levels than a request may have."""
    if isinstance(value, str):
        return redact(value)
    if not isinstance(value, dict | list):
        return value
    if not levels:
        raise ValueError("too deep")
    if isinstance(value, list):
        return [_hidden(child, redact, levels - 1) for child in value]
    return {redact(name): _hidden(child, redact, levels - 1) for name, child in value.items()}


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise BadRequest(f"{name}: expected a whole number")
    return int(text)
