"""The lease of a server on its namespace: while one lives, the namespace stays, and no other program replaces its data."""

import asyncio
from contextlib import suppress

from labs_mock.errors import StoreUnavailable
from labs_mock.state.redis.namespace import FORMAT, KEYS
from labs_mock.state.redis.scripts import Operations

SECONDS = 15  # of real time, for which a lease is valid
RENEWED_EVERY = 5.0  # seconds of real time


class Lease:
    """The lease of a server by its name, which all of its processes have; one of them begins it, and it renews itself until it is closed."""

    def __init__(self, operations: Operations, server: str) -> None:
        self._operations, self._server = operations, server
        self._renewing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Take it, and renew it from now on."""
        await self.renew()
        self._renewing = asyncio.create_task(self._keep())

    async def renew(self) -> int:
        """Renew it; how many servers live, this one among them."""
        _, servers = await self._operations.run("touch", FORMAT, SECONDS, self._server, *KEYS, again=True)
        return int(servers)

    async def close(self) -> None:
        """End it, if it was begun."""
        if self._renewing is not None:
            self._renewing.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewing
            with suppress(StoreUnavailable):  # then it ends by itself
                await self._operations.run("leave", self._server, again=True)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(RENEWED_EVERY)
            with suppress(StoreUnavailable):  # which requests report
                await self.renew()
