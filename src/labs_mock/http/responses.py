"""Bytes: the one JSON encoder and the one error encoder (ERR-1)."""

from typing import Any

import orjson
from starlette.types import Send

from labs_mock.errors import MethodNotAllowed, RequestError

Headers = list[tuple[bytes, bytes]]


def error_body(error: RequestError, request_id: str) -> dict[str, Any]:
    """The error envelope."""
    return {"message": error.message, "data": {"request_id": request_id}}


def error_headers(error: RequestError) -> Headers:
    """Headers that an error brings with it."""
    return [(b"allow", error.allow.encode())] if isinstance(error, MethodNotAllowed) else []


async def send_json(send: Send, status: int, value: dict[str, Any], headers: Headers) -> None:
    """One JSON answer."""
    body = orjson.dumps(value)
    start = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
