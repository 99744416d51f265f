"""The ceiling: a bare ASGI callable that parses the body and answers a constant, on the same uvicorn."""

from argparse import ArgumentParser
from typing import Any

import orjson
import uvicorn

from labs_mock.serving.server import UVICORN

ANSWER = orjson.dumps({"reward": 0.5, "padding": "x" * 1_060})
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
    parser = ArgumentParser()
    parser.add_argument("--port", type=int)
    uvicorn.run(app, port=parser.parse_args().port, **UVICORN)
