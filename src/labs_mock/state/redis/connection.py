"""A connection to Redis that all operations of a process share: those of one turn of the event loop go out together."""

import asyncio
import ssl
from collections import deque
from contextlib import suppress
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from labs_mock.errors import SettingsError


class NotSent(Exception):
    """There was no connection, so that the command has not been sent."""


class Lost(Exception):
    """The connection ended between the command and its reply: nobody knows whether it was done."""


def connection_of(url: str, password: str | None, ca: str | None, connect_timeout: float) -> AbstractConnection:
    """A connection to `redis://host:port/0`, `rediss://…` or `unix:///path?db=0`, not yet open. It never tries anything again by itself.

    Raises `SettingsError` for another address, and for one with a password, which `ps` would show.
    """
    try:
        options: dict[str, Any] = dict(parse_url(url))
    except ValueError:
        raise SettingsError("state: expected redis://host:port/0, rediss://host:port/0 or unix:///path?db=0") from None
    if "password" in options or "username" in options:
        raise SettingsError("state: no password in the address; give it in the environment or in a file")
    kind: type[AbstractConnection] = options.pop("connection_class", Connection)
    if ca is not None and issubclass(kind, SSLConnection):
        options |= {"ssl_ca_certs": ca, "ssl_cert_reqs": ssl.CERT_REQUIRED}
    made: AbstractConnection = kind(
        **options,
        password=password,
        socket_timeout=None,
        socket_connect_timeout=connect_timeout,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    return made


class Pipe:
    """Commands and their replies over one connection, in order; each turn of the event loop is one write.

    It opens the connection when there is something to send, and again after it was lost. It belongs to one event loop.
    """

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._home = getattr(connection, "host", None), getattr(connection, "port", None)
        self._queue: list[tuple[tuple[Any, ...], asyncio.Future[Any]]] = []
        self._sent: deque[asyncio.Future[Any]] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self.replied = 0.0  # when the last reply came, by the loop's time

    async def send(self, *command: Any) -> Any:
        """The reply to a command; one that is an error is raised as `ResponseError`. Raises `NotSent` and `Lost`."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append((command, future))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await future

    async def move(self, host: str, port: int) -> None:
        """Go on with another node of a cluster, which has the namespace, until the connection to that ends."""
        await self.close()
        self._connect_to(host, port)

    async def close(self) -> None:
        """End the connection, and with it what is waited for."""
        for task in (self._writer, self._reader):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self._break(Lost())

    async def _write(self) -> None:
        """Send what waits, and what comes in while it is sent."""
        try:
            if self._reader is None:
                await self._open()
            while self._queue:
                batch, self._queue = self._queue, []
                packed: list[bytes] = []
                for command, future in batch:
                    packed += self._connection.pack_command(*command)
                    self._sent.append(future)
                await self._connection.send_packed_command(packed, check_health=False)
        except (RedisError, OSError) as error:
            await self._break(error)
        finally:
            self._writer = None

    async def _open(self) -> None:
        await self._connection.connect()  # type: ignore[no-untyped-call]
        self.replied = asyncio.get_running_loop().time()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        reply: Any
        try:
            while True:
                try:
                    reply = await self._connection.read_response(disconnect_on_error=False)
                except AuthenticationError:
                    raise
                except (ResponseError, BusyLoadingError) as error:
                    reply = error
                self.replied = asyncio.get_running_loop().time()
                future = self._sent.popleft()
                if future.done():
                    continue
                if isinstance(reply, Exception):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
        except (RedisError, OSError, IndexError) as error:
            self._reader = None
            await self._break(error)

    async def _break(self, error: Exception) -> None:
        """Fail what was sent and what waits, and begin anew with the next command."""
        sent, queue = self._sent, self._queue
        self._sent, self._queue = deque(), []
        if self._reader is not None and self._reader is not asyncio.current_task():
            self._reader.cancel()
        self._reader = None
        for future in sent:
            if not future.done():
                future.set_exception(Lost(str(error)))
        refused = error if isinstance(error, AuthenticationError | ResponseError) else NotSent(str(error))
        for _, future in queue:
            if not future.done():
                future.set_exception(refused)
        with suppress(RedisError, OSError, RedisConnectionError):
            await self._connection.disconnect(nowait=True)
        self._connect_to(*self._home)

    def _connect_to(self, host: str | None, port: int | None) -> None:
        if isinstance(self._connection, Connection) and host is not None and port is not None:
            self._connection.host, self._connection.port = host, port
