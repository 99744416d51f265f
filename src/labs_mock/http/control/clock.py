"""The clock over the control plane: read it, set it, advance it."""

from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.clock import END, MovingClock, instant_text, parse_instant
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
        world = world_of(request)
        return {"now": instant_text(world.clock.now()), "mode": world.clock.mode}

    async def change_clock(request: Request) -> Payload:
        world = world_of(request)
        change = read_model(ClockChange, await json_of(request))
        ahead = 0.0 if change.now is None else _ahead(world.clock, change.now)
        if change.mode is not None:
            try:
                world.clock.run(change.mode)
            except SettingsError:
                raise BadRequest(f"mode: expected real, frozen or x<number>, got {quote(change.mode)}") from None
        world.clock.advance(ahead)
        return await show_clock(request)

    async def advance_clock(request: Request) -> Payload:
        world = world_of(request)
        seconds = read_model(Advance, await json_of(request)).seconds
        left = END - world.clock.now()
        if seconds > left:
            raise BadRequest(f"seconds: expected at most {int(left):,}; the clock ends with the year 9999")
        world.clock.advance(seconds)
        return await show_clock(request)

    return [
        resource(f"{prefix}/clock", GET=show_clock, PUT=change_clock),
        resource(f"{prefix}/clock/advance", POST=advance_clock),
    ]


def _ahead(clock: MovingClock, text: str) -> float:
    """How many seconds a time lies ahead. Raises `BadRequest` for what is no time, and for the past."""
    try:
        instant = parse_instant(text)
    except ValueError:
        instant = None
    if instant is None:
        raise BadRequest("now: not a time; expected an ISO 8601 time such as 2026-12-31T00:00:00Z")
    now = clock.now()
    if instant < now:
        raise BadRequest(f"now: expected a time that is not before {instant_text(now)}; the clock does not go back")
    return instant - now
