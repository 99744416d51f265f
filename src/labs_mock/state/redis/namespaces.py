"""All namespaces of a Redis: which there are, and how one is removed."""

import asyncio
from functools import partial
from typing import Any, NamedTuple

from redis.exceptions import RedisError

from labs_mock.errors import LabsMockError, NotFound, StartError, StoreUnavailable
from labs_mock.state.redis.connection import Lost, NotSent, Pipe, connection_of
from labs_mock.state.redis.namespace import KEYS
from labs_mock.state.redis.scripts import DEADLINE, UNREACHABLE, Operations

SUFFIX = "}:meta"
PAGE = 1_000  # keys that are looked at at a time


class StoredNamespace(NamedTuple):
    """A namespace: whether a server uses it, or did 15 seconds ago, and how many seconds it stays if none does."""

    name: str
    used: bool
    left: int


class Namespaces:
    """The namespaces of a Redis. Raises `SettingsError` for an address that cannot be used."""

    def __init__(self, url: str, password: str | None, ca: str | None) -> None:
        connect = partial(connection_of, url, password, ca, DEADLINE)
        connect()  # raises what is wrong with the address
        self._pipe, self._url = Pipe(connect), url

    async def close(self) -> None:
        """End the connection."""
        await self._pipe.close()

    async def all(self) -> list[StoredNamespace]:
        """All of them, by their names. Raises `StartError` if Redis does not answer."""
        found: list[str] = []
        cursor = b"0"
        while True:
            cursor, keys = await self._send("SCAN", cursor, "MATCH", "{*" + SUFFIX, "COUNT", PAGE)
            found += [key.decode("utf-8", "replace")[1 : -len(SUFFIX)] for key in keys]
            if cursor == b"0":
                return [await self._one(name) for name in sorted(set(found))]

    async def drop(self, name: str) -> None:
        """Remove one. Raises `NotFound` for an unknown one, `LabsMockError` while a server uses it, `StartError` without an answer."""
        if name not in [one.name for one in await self.all()]:
            raise NotFound(f"no namespace {name[:80]!r}")
        if (await self._one(name)).used:
            raise LabsMockError(f"a server uses the namespace {name!r}, or did 15 seconds ago: stop it first")
        try:
            await Operations(self._pipe, f"{{{name}}}:meta", 0).run("drop", *KEYS, again=True)
        except StoreUnavailable as error:
            raise StartError(f"state: {self._url}: {error.message}") from None

    async def _one(self, name: str) -> StoredNamespace:
        used = await self._send("EXISTS", f"{{{name}}}:lease")
        return StoredNamespace(name, bool(used), await self._send("TTL", f"{{{name}}}:meta"))

    async def _send(self, *command: object) -> Any:
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._pipe.send(*command)
        except (TimeoutError, NotSent, Lost, RedisError):
            raise StartError(f"state: {self._url}: {UNREACHABLE.partition(';')[0]}") from None
