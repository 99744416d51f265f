"""The lease of a server on its namespace: while one lives, the namespace stays, and no other program replaces its data."""

import asyncio
from contextlib import suppress

from labs_mock.errors import StoreUnavailable
from labs_mock.state.redis.namespace import FORMAT, KEYS
from labs_mock.state.redis.scripts import Operations

SECONDS = 15  # of real time, for which a lease is valid
RENEWED_EVERY = 5.0  # seconds of real time


class Lease:
    """Renews itself until it is closed."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._renewing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Take it, and renew it from now on."""
        await self._operations.run("touch", FORMAT, SECONDS, *KEYS, again=True)
        self._renewing = asyncio.create_task(self._renew())

    async def close(self) -> None:
        """Renew it no more."""
        if self._renewing is not None:
            self._renewing.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewing

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEWED_EVERY)
            with suppress(StoreUnavailable):  # which requests report
                await self._operations.run("touch", FORMAT, SECONDS, *KEYS, again=True)
