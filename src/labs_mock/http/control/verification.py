"""Whether requests were made, over the control plane: what was sent is compared, and what is shown has no key in it."""

import asyncio
from difflib import SequenceMatcher
from fnmatch import fnmatchcase
from typing import Annotated, Any

import orjson
from pydantic import Field
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import BaseRoute

from labs_mock.contract.parsing import read_model
from labs_mock.http.control.journal import hidden, listing, records_of, redactor_of, settled, shown
from labs_mock.http.control.resources import json_of, resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.scenario.files.fields import FileModel
from labs_mock.state import World
from labs_mock.state.record import Record

DROPPED = "its body, which was dropped"
NEAREST = 3  # requests that are shown where too few or too many were found


class Expected(FileModel):
    """Requests that should have been made, `times` often or at least once; `path` may have *, `json` is a part of the body."""

    method: str
    path: str
    times: Annotated[int, Field(ge=0)] | None = None
    content: Any = Field(None, alias="json")


def verification_routes(prefix: str) -> list[BaseRoute]:
    """`POST /requests/verify`."""

    async def verify(request: Request) -> StreamingResponse:
        world = world_of(request)
        expected = read_model(Expected, await json_of(request))
        await settled()
        counts = await world.store.journal_counts()
        made = [record async for record in records_of(world, counts)]
        found, rest = await _verified(world, expected, made, counts.dropped)
        return listing(world, found, rest)

    return [resource(f"{prefix}/requests/verify", POST=verify)]


async def _verified(world: World, expected: Expected, made: list[Record], dropped: int) -> tuple[list[Record], Payload]:
    """What was found, and the verdict: `met`, `unmet`, or `undecidable` where it depends on what the journal no longer has."""
    found, unknown = [], []
    for record in made:
        if _fits(record, expected):
            place = _place(record, expected)
            if place is DROPPED:
                unknown.append(record.number)
            elif place is None:
                found.append(record)
            await asyncio.sleep(0)  # bodies may be large, and others wait
    verdict = _verdict(expected.times, len(found), len(found) + len(unknown) + dropped)
    rest: Payload = {"verdict": verdict, "bodies_dropped": unknown, "requests_dropped": dropped}
    if verdict != "met":
        rest["expected"] = hidden(expected.model_dump(by_alias=True), world.redactor)
        rest["nearest"] = _nearest(world, expected, made, found)
    return found, rest


def _verdict(times: int | None, least: int, most: int) -> str:
    """Of an expectation, where at least and at most so many requests meet it."""
    if times is None:
        return "met" if least else "undecidable" if most else "unmet"
    if least <= times <= most:
        return "met" if least == most else "undecidable"
    return "unmet"


def _nearest(world: World, expected: Expected, made: list[Record], found: list[Record]) -> list[Payload]:
    """The requests that come nearest to what was expected, each with the place in its body that differs."""
    others = {record.number: record for record in made}
    for record in found:
        del others[record.number]
    near = sorted(others.values(), key=lambda record: -_nearness(record, expected))[:NEAREST]
    return [
        {"request": shown(record, world), "differs_at": place and redactor_of(record, world)(place)}
        for record in near
        for place in [_place(record, expected) if _fits(record, expected) else None]
    ]


def _fits(record: Record, expected: Expected) -> bool:
    return record.method == expected.method.upper() and fnmatchcase(record.path, expected.path)


def _place(record: Record, expected: Expected) -> str | None:
    """Where its body differs from what was expected; None where it does not."""
    if expected.content is None:
        return None
    return DROPPED if record.request is None else _difference(_sent(record), expected.content)


def _sent(record: Record) -> Any:
    """A body as the JSON that it is, else as text; None for an empty one."""
    body = record.body("request") or b""
    try:
        return orjson.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace") or None


def _difference(value: Any, part: Any, place: str = "") -> str | None:
    """Where a JSON value lacks something that another has; None if it has it all. Lists must be of one length."""
    inner: list[tuple[Any, Any, Any]]
    if isinstance(part, dict) and isinstance(value, dict):
        inner = [(name, value.get(name, ...), one) for name, one in part.items()]
    elif isinstance(part, list) and isinstance(value, list) and len(part) == len(value):
        inner = [(index, *pair) for index, pair in enumerate(zip(value, part, strict=True))]
    else:
        return None if value == part and isinstance(value, bool) == isinstance(part, bool) else place or "the body"
    found = (_difference(one, other, f"{place}.{step}" if place else f"{step}") for step, one, other in inner)
    return next((place for place in found if place is not None), None)


def _nearness(record: Record, expected: Expected) -> float:
    alike = SequenceMatcher(None, record.path, expected.path).ratio() + 0.5 * (record.method == expected.method.upper())
    return alike + 0.1 * (expected.content is not None and _fits(record, expected))
