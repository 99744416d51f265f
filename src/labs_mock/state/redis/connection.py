"""A connection to Redis that all operations of a process share: those of one turn of the event loop go out together."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError, ResponseError

from labs_mock.config.settings import by_name
from labs_mock.errors import SettingsError


class NotSent(Exception):
    """There was no connection, so that the command has not been sent."""


class Lost(Exception):
    """The connection ended between the command and its reply: nobody knows whether it was done."""


def connection_of(url: str, password: str | None, ca: str | None, connect_timeout: float) -> AbstractConnection:
    """A connection to `redis://host:port/0`, `rediss://…` or `unix:///path?db=0`, not yet open. It never tries anything again by itself.

    Raises `SettingsError` for another address, for one with a password, which `ps` would show, and for a file `ca` without certificates.
    """
    by_name({"state": url})
    options: dict[str, Any] = dict(parse_url(url))
    kind: type[AbstractConnection] = options.pop("connection_class", Connection)
    if issubclass(kind, SSLConnection):
        options |= {"ssl_ca_certs": ca, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
    if ca is not None:
        _check_ca(ca, kind)
    made: AbstractConnection = kind(
        **options,
        password=password,
        socket_timeout=None,
        socket_connect_timeout=connect_timeout,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    return made


def _check_ca(ca: str, kind: type[AbstractConnection]) -> None:
    if not issubclass(kind, SSLConnection):
        raise SettingsError("state_ca: certificates are for rediss:// alone; write that, or leave them out")
    try:
        ssl.create_default_context(cafile=ca)
    except OSError:
        raise SettingsError(f"state_ca: expected a file with certificates (PEM), got {ca}") from None


class Pipe:
    """Commands and their replies over one connection, in order; each turn of the event loop is one write.

    It opens a connection when there is something to send, and a new one after that was lost. It belongs to one event loop.
    """

    def __init__(self, make: Callable[[], AbstractConnection]) -> None:
        self._make = make
        self._connection: AbstractConnection | None = None
        self._node: tuple[str, int] | None = None
        self._queue: list[tuple[tuple[Any, ...], asyncio.Future[Any]]] = []
        self._sent: deque[asyncio.Future[Any]] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self.replied = 0.0  # when the last reply came, by the loop's time
        self.failure: BaseException | None = None  # of the newest attempt to open a connection

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
        self._node = host, port

    async def close(self) -> None:
        """End the connection, and with it what is waited for."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        self._refuse(NotSent())
        await self._break(self._connection)

    async def _write(self) -> None:
        """Send what waits, and what comes in while it is sent."""
        try:
            while self._queue:
                connection = self._connection or await self._open()
                batch, self._queue = self._queue, []
                packed: list[bytes] = []
                for command, future in batch:
                    if not future.done():  # nobody waits for it any more, so it must not be done later
                        packed.append(pack_command(command))  # an eighth of the time of the client library's own
                        self._sent.append(future)
                await connection.send_packed_command(packed, check_health=False)
        except (AuthenticationError, ResponseError) as error:
            self._refuse(error)
        except (RedisError, OSError):
            self._refuse(NotSent())
            await self._break(self._connection)
        finally:
            if self._writer is asyncio.current_task():
                self._writer = None
        if self._queue and self._writer is None:  # of those who came while the connection was ended
            self._writer = asyncio.create_task(self._write())

    async def _open(self) -> AbstractConnection:
        connection = self._make()
        if self._node is not None and isinstance(connection, Connection):
            connection.host, connection.port = self._node
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException as error:
            self._node = None
            if isinstance(error, Exception):  # and was not cancelled
                self.failure = error
            await _end(connection)
            if isinstance(error.__cause__, AuthenticationError):  # which the client library wraps
                raise error.__cause__ from None
            raise
        self.replied, self.failure = asyncio.get_running_loop().time(), None
        self._connection = connection
        self._reader = asyncio.create_task(self._read(connection))
        return connection

    async def _read(self, connection: AbstractConnection) -> None:
        reply: Any
        try:
            while True:
                try:
                    reply = await connection.read_response(disconnect_on_error=False)
                except (AuthenticationError, ResponseError, BusyLoadingError) as error:
                    reply = error
                self.replied = asyncio.get_running_loop().time()
                future = self._sent.popleft()
                if future.done():
                    continue
                if isinstance(reply, Exception):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
        except (RedisError, OSError, IndexError):
            await self._break(connection)

    def _refuse(self, error: Exception) -> None:
        """Fail what has not been sent."""
        queue, self._queue = self._queue, []
        for _, future in queue:
            if not future.done():
                future.set_exception(error)

    async def _break(self, connection: AbstractConnection | None) -> None:
        """End a connection, and fail what was sent over it; what comes now has another one."""
        if connection is None or connection is not self._connection:
            return
        sent, self._sent = self._sent, deque()
        reader, self._reader = self._reader, None
        self._connection = self._node = None
        if reader is not None and reader is not asyncio.current_task():
            reader.cancel()
        for future in sent:
            if not future.done():
                future.set_exception(Lost())
        await _end(connection)


async def _end(connection: AbstractConnection) -> None:
    with suppress(RedisError, OSError):
        await connection.disconnect(nowait=True)
