"""The clock over the control plane: read it, set it, advance it."""

from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.clock import END, Clock, instant_text, parse_instant
from labs_mock.contract.parsing import read_model
from labs_mock.contract.wording import quote
from labs_mock.errors import BadRequest, SettingsError
from labs_mock.http.control.resources import json_of, resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.scenario.files.fields import FileModel


class ClockChange(FileModel):
    """What time it shall be, and how the clock shall run."""

    now: str | None = None
    mode: str | None = None


class Advance(FileModel):
    """By how much the clock shall move forward."""

    seconds: Annotated[float, Field(ge=0, le=1e10, allow_inf_nan=False)]


def clock_routes(prefix: str) -> list[BaseRoute]:
    """`GET` and `PUT /clock`, `POST /clock/advance`."""

    async def show_clock(request: Request) -> Payload:
        return _shown(await world_of(request).store.clock())

    async def change_clock(request: Request) -> Payload:
        store = world_of(request).store
        change = read_model(ClockChange, await json_of(request))
        instant = None if change.now is None else _instant(change.now)
        clock = await store.clock()
        if instant is not None and instant < clock.now():
            raise _past(clock)
        try:
            changed = await store.set_clock(instant, change.mode)
        except SettingsError:
            mode = quote(change.mode or "")
            raise BadRequest(f"mode: expected real, frozen or x<number>, got {mode}") from None
        if changed is None:  # the clock has moved on meanwhile
            raise _past(await store.clock())
        return _shown(changed)

    async def advance_clock(request: Request) -> Payload:
        store = world_of(request).store
        clock = await store.advance_clock(read_model(Advance, await json_of(request)).seconds)
        if clock is None:
            left = END - (await store.clock()).now()
            raise BadRequest(f"seconds: expected at most {int(left):,}; the clock ends with the year 9999")
        return _shown(clock)

    return [
        resource(f"{prefix}/clock", GET=show_clock, PUT=change_clock),
        resource(f"{prefix}/clock/advance", POST=advance_clock),
    ]


def _shown(clock: Clock) -> Payload:
    return {"now": instant_text(clock.now()), "mode": clock.mode}


def _instant(text: str) -> float:
    """A time in unix seconds. Raises `BadRequest` for what is no time."""
    try:
        return parse_instant(text)
    except ValueError:
        raise BadRequest("now: not a time; expected an ISO 8601 time such as 2026-12-31T00:00:00Z") from None


def _past(clock: Clock) -> BadRequest:
    return BadRequest(
        f"now: expected a time that is not before {instant_text(clock.now())}; the clock does not go back"
    )
