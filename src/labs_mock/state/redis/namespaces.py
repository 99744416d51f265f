"""All namespaces of a Redis: which there are, and how one is removed."""

import asyncio
from functools import partial
from typing import Any, NamedTuple

from redis.exceptions import MovedError, NoPermissionError, RedisError, ResponseError

from labs_mock.errors import LabsMockError, NotFound, StartError, StoreUnavailable
from labs_mock.state.redis.connection import Lost, NotSent, Pipe, connection_of
from labs_mock.state.redis.connection_failures import start_error
from labs_mock.state.redis.namespace import KEYS
from labs_mock.state.redis.scripts import Operations

SUFFIX = "}:meta"
FIELDS = "format", "epoch"  # that a namespace has; what has none is somebody else's
PAGE = 1_000  # keys that are looked at at a time
DEADLINE = 5.0  # seconds of real time for a reply, of a page of namespaces as of one: no request waits for it


class StoredNamespace(NamedTuple):
    """A namespace: whether a server uses it, or did 15 seconds ago, and how many seconds it stays if none does."""

    name: str
    used: bool
    left: int


class Namespaces:
    """The namespaces of a Redis, or of one node of a cluster. Raises `SettingsError` for an address or a file that cannot be used."""

    def __init__(self, url: str, password: str | None, ca: str | None) -> None:
        connect = partial(connection_of, url, password, ca, DEADLINE)
        connect()  # raises what is wrong with the address
        self._pipe, self._url = Pipe(connect), url

    async def close(self) -> None:
        """End the connection."""
        await self._pipe.close()

    async def all(self) -> list[StoredNamespace]:
        """All that its user may read, by their names. Raises `StartError` if Redis does not answer, or refuses."""
        found: dict[str, StoredNamespace] = {}
        cursor = b"0"
        while True:
            cursor, keys = await self._send("SCAN", cursor, "MATCH", "{*" + SUFFIX, "COUNT", PAGE)
            names = [key[1 : -len(SUFFIX)].decode("utf-8", "replace") for key in keys]
            listed = await asyncio.gather(*[self._one(name) for name in names])
            found |= {one.name: one for one in listed if one is not None}
            if cursor == b"0":
                return [found[name] for name in sorted(found)]

    async def drop(self, name: str) -> None:
        """Remove one. Raises `NotFound` for an unknown one, `LabsMockError` while a server uses it, and `StartError` as `all` does."""
        if await self._one(name) is None:
            raise NotFound(f"no namespace {name[:80]!r}; labs-mock state list prints those that there are")
        try:
            status, *_ = await Operations(self._pipe, f"{{{name}}}:meta", 0).run("drop", "unused", *KEYS, again=True)
        except (StoreUnavailable, ResponseError) as error:
            raise self._start_error(error) from None
        if status == b"used":
            raise LabsMockError(
                f"a server uses the namespace {name!r}, or did in the last 15 seconds; stop it, and try again"
            )

    async def _one(self, name: str) -> StoredNamespace | None:
        """A namespace by its name; None for one that is not there, or not for this user, and for keys of somebody else."""
        if not name or "{" in name or "}" in name:
            return None
        meta, lease = f"{{{name}}}{SUFFIX[1:]}", f"{{{name}}}:lease"
        kind = await self._send("TYPE", meta)
        if kind != b"hash":
            return None
        fields = await self._send("HMGET", meta, *FIELDS)
        used, left = await self._send("EXISTS", lease), await self._send("TTL", meta)
        return None if None in fields else StoredNamespace(name, bool(used), left)

    async def _send(self, *command: object) -> Any:
        """The reply to a command; None for the type of a key that is not for this user."""
        try:
            async with asyncio.timeout(DEADLINE):
                while True:
                    try:
                        return await self._pipe.send(*command)
                    except MovedError as error:  # of a cluster
                        await self._pipe.move(error.host, error.port)
        except (TimeoutError, NotSent, Lost, RedisError) as error:
            if command[0] == "TYPE" and isinstance(error, NoPermissionError):
                return None
            raise self._start_error(error) from None

    def _start_error(self, error: Exception) -> StartError:
        return start_error(self._url, self._pipe.failure or error)
