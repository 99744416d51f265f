"""The ceiling of exports: a server that streams the bytes of a file, its argument, out of its memory, in chunks of 64 KiB."""

import sys
from pathlib import Path
from typing import Any

from benchmarks.servers import serve

CHUNK = 64 * 1024
CONTENT = Path(sys.argv[1]).read_bytes() if sys.argv[1:] else b""
HEADERS = [(b"content-type", b"application/x-ndjson")]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request with everything."""
    del receive
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    if scope["path"] != "/_mock/health":
        for start in range(0, len(CONTENT), CHUNK):
            await send({"type": "http.response.body", "body": CONTENT[start : start + CHUNK], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    serve(app)
