"""Sending a response with its delays and breaks."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NoReturn

from starlette.types import Receive, Scope, Send

from labs_mock.clock import Clock, sleep
from labs_mock.contract.wording import FAULTED
from labs_mock.http.bodies import Disconnected
from labs_mock.http.delivery import Delivery
from labs_mock.http.faults.response import Break, FaultyResponse
from labs_mock.http.sending import CONNECTION, Headers, left, reset

if sys.platform == "linux":
    from fcntl import ioctl
    from termios import TIOCOUTQ

ReadClock = Callable[[], Awaitable[Clock]]
"""The clock as it is at that moment."""

PATIENCE = 5_000  # milliseconds for a client to receive what was sent before a reset


async def send_faulty(
    response: FaultyResponse, read_clock: ReadClock, scope: Scope, receive: Receive, send: Send
) -> None:
    """Send a response with its delays and breaks. Raises `Disconnected` when the client leaves before the end.

    Without a connection of our own server (`httpx.ASGITransport`) a break raises `ConnectionResetError`.
    """
    connection = scope.get("extensions", {}).get(CONNECTION, {}).get("transport")
    gone = asyncio.ensure_future(left(receive))
    headers: Headers = list(response.headers.items())
    delivery = response.delivery
    pause = partial(_pause, read_clock, delivery, gone)
    try:
        await pause(response.delays["head"])
        if response.break_before_head is not None:
            await _break(response.break_before_head, delivery, connection, gone)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        delivery.bytes_sent = 0
        await pause(response.delays["body"])
        for piece in response.pieces:
            await delivery.save()
            if isinstance(piece, Break):
                await _break(piece, delivery, connection, gone)
            await pause(response.delays["chunk"] if piece else 0.0)
            if piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                delivery.bytes_sent += len(piece)
        await response.close()
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        await response.close()


async def _pause(read_clock: ReadClock, delivery: Delivery, gone: asyncio.Future[None], seconds: float) -> None:
    """Wait on the clock, or only until other requests had their turn. Raises `Disconnected` if the client has left."""
    sleeping = asyncio.ensure_future(sleep(read_clock, seconds) if seconds else asyncio.sleep(0))
    try:
        await asyncio.wait([sleeping, gone], return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeping.cancel()
    if gone.done():
        await delivery.save_client_left()
        raise Disconnected
    if seconds:
        await delivery.save_progress()


async def _break(
    how: Break, delivery: Delivery, connection: asyncio.Transport | None, gone: asyncio.Future[None]
) -> NoReturn:
    """Break off, and raise `Disconnected` once the client has left; without a connection, `ConnectionResetError`."""
    await delivery.save_break(how.value)
    if connection is None:
        raise ConnectionResetError(FAULTED)
    if how is Break.CLOSE:
        connection.close()
    elif how is Break.RESET:
        for _ in range(PATIENCE):
            if connection.is_closing():  # the client was faster
                raise Disconnected
            if not _unsent(connection):
                break
            await asyncio.sleep(0.001)
        reset(connection)
    await asyncio.wait([gone])
    raise Disconnected


def _unsent(connection: asyncio.Transport) -> int:
    """Bytes that the client's system has not received yet and that a reset would discard, as far as this system knows."""
    size = connection.get_write_buffer_size()
    if sys.platform == "linux":
        waiting = ioctl(connection.get_extra_info("socket").fileno(), TIOCOUTQ, bytes(4))
        size += int.from_bytes(waiting, sys.byteorder)
    return size
