"""What requests are made, as they are made: Server-Sent Events, for pages that stay current."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from labs_mock.errors import TooManyPages
from labs_mock.http.control.journal import number_of, slim
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.sending import CONNECTION, left, reset
from labs_mock.state import World
from labs_mock.state.record import Record
from labs_mock.state.store import Store

MAX_PAGES = 32  # that are open at a time, in each worker
BATCH = 500  # records in an event
PAUSE = 0.1  # seconds of real time between two events
PATIENCE = 10.0  # seconds of real time in which a page reads on, or is dropped
RETRY_MS = 500  # after which a page connects again
HEAD = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]


def event_routes(prefix: str) -> list[BaseRoute]:
    """`GET /events`."""
    pages = set[EventStream]()

    async def follow_requests(request: Request) -> Response:
        world = world_of(request)
        epoch, last = await world.store.epoch(), (await world.store.journal_counts()).last
        after = _resumed(request.headers.get("last-event-id", ""), epoch, last)
        return EventStream(world, epoch, last if after is None else after, lost=after is None, pages=pages)

    return [resource(f"{prefix}/events", GET=follow_requests)]


def _resumed(text: str, epoch: str, last: int) -> int | None:
    """The number behind which a page goes on, or that of the newest record for a new page; None where what it knew is no more."""
    if not text:
        return last
    known, _, number = text.rpartition("-")
    if known != epoch or not number.isdecimal() or len(number) > 18 or int(number) > last:
        return None
    return number_of(number, "Last-Event-ID")


class EventStream(Response):
    """A response that goes on until its page leaves, the journal is reset, or the server stops.

    An event is `start`, `records` with slim records, or `reset`: what the page knew is no more, or it has missed some. Its id is the
    epoch and the number of the newest record, with which a page that connects again goes on. Raises `TooManyPages`.
    """

    def __init__(self, world: World, epoch: str, after: int, *, lost: bool, pages: "set[EventStream]") -> None:
        super().__init__()
        self._world, self._epoch, self._after, self._lost, self._pages = world, epoch, after, lost, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events."""
        if len(self._pages) >= MAX_PAGES:
            raise TooManyPages(f"{MAX_PAGES} pages are open on this server; close one of them")
        if scope["method"] == "HEAD":
            await send({"type": "http.response.start", "status": 200, "headers": HEAD})
            await send({"type": "http.response.body"})
            return
        connection = scope.get("extensions", {}).get(CONNECTION, {}).get("transport")
        with self._open(connection):
            tasks = [asyncio.ensure_future(self._send(send)), asyncio.ensure_future(left(receive))]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if tasks[0].done() and not tasks[1].done():
                    tasks[0].result()
            except TimeoutError:
                if connection is not None:
                    reset(connection)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    @contextmanager
    def _open(self, connection: asyncio.Transport | None) -> Iterator[None]:
        """Within the block it is one of the open pages, and its response ends when the server stops."""
        protocol: Any = None if connection is None else connection.get_protocol()
        self._pages.add(self)
        if protocol is not None:
            protocol.endless = True
        try:
            yield
        finally:
            self._pages.discard(self)
            if protocol is not None:
                protocol.endless = False

    async def _send(self, send: Send) -> None:
        """Raises `TimeoutError` for a page that does not read."""

        async def send_in_time(message: dict[str, Any]) -> None:
            async with asyncio.timeout(PATIENCE):
                await send(message)

        async def event(kind: str, value: dict[str, Any], number: int) -> None:
            text = b"event: %b\nid: %b-%d\ndata: %b\n\n" % (
                kind.encode(),
                self._epoch.encode(),
                number,
                orjson.dumps(value),
            )
            await send_in_time({"type": "http.response.body", "body": text, "more_body": True})

        await send_in_time({"type": "http.response.start", "status": 200, "headers": HEAD})
        await send_in_time({"type": "http.response.body", "body": b"retry: %d\n\n" % RETRY_MS, "more_body": True})
        after = self._after
        await event("reset" if self._lost else "start", {}, after)
        async for batch in batches(self._world.store, after):
            if batch[0].number != after + 1:
                await event("reset", {}, batch[0].number - 1)
            after = batch[-1].number
            await event("records", {"requests": [slim(record, self._world) for record in batch]}, after)
            await asyncio.sleep(PAUSE)
        self._epoch = await self._world.store.epoch()
        await event("reset", {}, 0)
        await send_in_time({"type": "http.response.body"})


async def batches(store: Store, after: int) -> AsyncIterator[list[Record]]:
    """The records behind a number as they come, those together that are there; it ends when the journal is reset."""
    following = store.follow(after)
    while (record := await anext(following, None)) is not None:
        batch = [record]
        last = (await store.journal_counts()).last  # up to which nobody has to wait
        while batch[-1].number < last and len(batch) < BATCH:
            record = await anext(following, None)
            if record is None:
                return
            batch.append(record)
        yield batch
