"""Bytes: the one JSON encoder, the one error encoder (ERR-1), and streams."""

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any

from starlette.types import Receive, Scope, Send

from labs_mock.errors import HeadTooLarge, MethodNotAllowed, RequestError
from labs_mock.http.delivery import Delivery

Headers = list[tuple[bytes, bytes]]

CONNECTION = "labs_mock.connection"
"""The extension of a scope in which the server puts its transport."""

BROKEN = "broken by an error of the mock"
"""What the journal says of a stream that a defect of ours ends."""

log = logging.getLogger("labs_mock")


@dataclass(frozen=True, slots=True)
class Stream:
    """A response in chunks; an empty one only gives other requests their turn.

    `finish` is called once no more chunks are made, whether or not all were.
    """

    content_type: bytes
    headers: Headers
    chunks: Generator[bytes, None, None]
    finish: Callable[[], Awaitable[None]]

    async def close(self) -> None:
        """Make no more chunks; to close it twice does no harm."""
        self.chunks.close()
        await self.finish()


def error_body(message: str, request_id: str) -> dict[str, Any]:
    """The error envelope."""
    return {"message": message, "data": {"request_id": request_id}}


def error_headers(error: RequestError) -> Headers:
    """The headers of an error beside those of every response."""
    if isinstance(error, MethodNotAllowed):
        return [(b"allow", error.allow.encode())]
    return [(b"connection", b"close")] if isinstance(error, HeadTooLarge) else []


async def send_stream(receive: Receive, send: Send, stream: Stream, headers: Headers, delivery: Delivery) -> None:
    """Send a response in chunks, as fast as the client receives them; none is made after it has left.

    If a chunk cannot be made, the response breaks off without its end, so that no client takes it for complete.
    """
    gone = asyncio.ensure_future(left(receive))
    start = [(b"content-type", stream.content_type), *stream.headers, *headers]
    try:
        await send({"type": "http.response.start", "status": 200, "headers": start})
        delivery.bytes_sent = 0
        for chunk in stream.chunks:
            if chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                delivery.bytes_sent += len(chunk)
            await asyncio.sleep(0)
            if gone.done():
                await delivery.save_client_left()
                return
        await stream.close()
        await send({"type": "http.response.body", "body": b""})
    except Exception:
        await delivery.save_break(BROKEN)
        log.exception("request %s failed in the middle of its answer", dict(headers)[b"x-request-id"].decode())
    finally:
        gone.cancel()
        await stream.close()


async def left(receive: Receive) -> None:
    """Ends when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def reset(connection: asyncio.Transport) -> None:
    """Close a connection so that the client sees an error: a TCP reset instead of an orderly end."""
    if not connection.is_closing():
        with socket.socket(fileno=socket.dup(connection.get_extra_info("socket").fileno())) as twin:
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.abort()


async def break_off(scope: Scope, receive: Receive) -> bool:
    """Break off a response wherever it is, and wait until its connection is gone; whether there was one.

    It is reset, since a response for HTTP/1.0 that is merely closed looks complete.
    """
    connection = scope.get("extensions", {}).get(CONNECTION, {}).get("transport")
    if connection is None:
        return False
    reset(connection)
    await left(receive)
    return True


async def send_json(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """Send a JSON response, in one piece where `send` is that of our own server, and nobody stands between."""
    start = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *headers]
    respond = getattr(getattr(send, "__self__", None), "respond", None)
    if respond is not None:
        await respond(status, start, body)
        return
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
