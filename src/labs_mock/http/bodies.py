"""Request bodies: read whole, and no further than the limit (GEN-3)."""

from starlette.types import Receive


class Disconnected(Exception):
    """The client left before its request was complete; nothing is done and nobody is answered."""


async def read_body(receive: Receive, declared: bytes | None, limit: int) -> tuple[bytes, bool]:
    """The body, and whether it is larger than the limit; then only so much of it.

    A body that says beforehand that it is too large is not read: its declared length stands for it.
    """
    if declared is not None and (not declared.isdigit() or int(declared[:20]) > limit):
        return declared, True
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body"):
        return body[:limit], len(body) > limit
    chunks, size = [body], len(body)
    while message["type"] == "http.request" and message.get("more_body") and size <= limit:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
    if message["type"] != "http.request":
        raise Disconnected
    return b"".join(chunks)[:limit], size > limit
