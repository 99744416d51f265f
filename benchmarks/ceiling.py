"""The ceiling: a bare ASGI callable that parses the body and answers a constant, on the same uvicorn.

Its argument is the number of bytes that it answers.
"""

import sys
from typing import Any

import orjson

from benchmarks.servers import serve

SIZE = int(sys.argv[1]) if sys.argv[1:] else 1_000
ANSWER = orjson.dumps({"padding": "x" * (SIZE - len('{"padding":""}'))})
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request."""
    chunks = []
    more = scope["method"] == "POST"
    while more:
        message = await receive()
        chunks.append(message["body"])
        more = message["more_body"]
    if chunks:
        orjson.loads(b"".join(chunks))
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


if __name__ == "__main__":
    serve(app)
