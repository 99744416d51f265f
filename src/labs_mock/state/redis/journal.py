"""The journal in a stream: pages of it, and one blocking reader for all who follow it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from redis.exceptions import MovedError, RedisError

from labs_mock.errors import StoreUnavailable
from labs_mock.state.record import JournalCounts, Record
from labs_mock.state.redis.connection import Lost, NotSent, Pipe
from labs_mock.state.redis.packing import unpack_record
from labs_mock.state.redis.scripts import Operations

PAGE = 500  # records that are read at a time
BLOCK_MS = 1_000  # after so much real time without a record a reader looks whether the journal was reset elsewhere
PAUSE = 0.2  # seconds of real time until a reader tries again to reach the store

COUNTED = "last", "dropped", "info", "warning"


class RedisJournal:
    """Reads the stream; `wake` makes followers look at once."""

    def __init__(self, operations: Operations, pipe: Pipe, stream: str) -> None:
        self._operations, self._pipe, self._stream = operations, pipe, stream
        self._woken: list[asyncio.Event] = []
        self._reader: asyncio.Task[None] | None = None

    async def page(self, after: int, limit: int) -> tuple[str, list[Record]]:
        """So many records behind a number, and of which journal: it has another name after a reset."""
        _, name, found = await self._operations.run("records", max(0, after), min(limit, PAGE), again=True)
        return name.decode(), [unpack_record(*one) for one in found]

    async def records(self, after: int, limit: int) -> list[Record]:
        """The same in as many pages as it takes, of one journal."""
        name, found = await self.page(after, limit)
        while found and len(found) % PAGE == 0 and len(found) < limit:
            other, more = await self.page(found[-1].number, limit - len(found))
            if other != name:
                return await self.records(after, limit)
            if not more:
                break
            found += more
        return found

    async def counts(self) -> JournalCounts:
        """How many records there are, and how many have gone."""
        _, values = await self._operations.run("read", "HMGET", "journal.counts", *COUNTED, again=True)
        last, dropped, *findings = [int(value or 0) for value in values]
        named = zip(COUNTED[2:], findings, strict=True)
        return JournalCounts(last - dropped, dropped, tuple([(name, number) for name, number in named if number]))

    async def follow(self, after: int) -> AsyncIterator[Record]:
        """What `Store.follow` says."""
        woken = asyncio.Event()
        self._woken.append(woken)
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())
        try:
            name, page = await self.page(after, PAGE)
            while True:
                for record in page:
                    yield record
                    after = record.number
                if len(page) < PAGE:
                    await woken.wait()
                woken.clear()
                present, page = await self.page(after, PAGE)
                if present != name:
                    return
        finally:
            self._woken.remove(woken)

    def wake(self) -> None:
        """Let followers look for records and resets."""
        for woken in self._woken:
            woken.set()

    async def close(self) -> None:
        """End the reader."""
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        await self._pipe.close()

    async def _read(self) -> None:
        """Wake followers with each record, and now and then, as long as there are any."""
        last: Any = "$"
        try:
            while self._woken:
                try:
                    reply = await self._pipe.send("XREAD", "COUNT", 1, "BLOCK", BLOCK_MS, "STREAMS", self._stream, last)
                except MovedError as error:
                    await self._pipe.move(error.host, error.port)
                    continue
                except (Lost, NotSent, RedisError, StoreUnavailable):
                    await asyncio.sleep(PAUSE)
                    continue
                last = "$" if not reply else reply[0][1][-1][0]
                self.wake()
        finally:
            self._reader = None
