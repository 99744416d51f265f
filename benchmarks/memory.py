"""The ceiling of exports: a server that streams the same bytes out of its memory, in chunks of 64 KiB."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import uvicorn

from labs_mock.serving.server import UVICORN

CHUNK = 64 * 1024
CONTENT = Path(os.environ.get("EXPORTED", os.devnull)).read_bytes()


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request with everything."""
    del scope, receive
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/x-ndjson")]})
    for start in range(0, len(CONTENT), CHUNK):
        await send({"type": "http.response.body", "body": CONTENT[start : start + CHUNK], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    parser = ArgumentParser()
    parser.add_argument("--port", type=int)
    uvicorn.run(app, port=parser.parse_args().port, **UVICORN)
