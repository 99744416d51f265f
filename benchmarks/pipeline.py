"""Many requests to a server, a number of them on the way at a time on each connection, and their responses."""

import asyncio
from typing import Any

import orjson

PIPELINED = 25  # requests that a connection sends at once


def post(path: str, body: Any) -> bytes:
    """A POST of JSON under `/api/v1`."""
    content = orjson.dumps(body)
    head = (
        f"POST /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer lab_local\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def send_all(port: int, connections: list[list[bytes]]) -> list[list[bytes]]:
    """The bodies of the responses to the requests of each connection. Exits if anything but 200 came back."""

    async def at_once() -> list[list[bytes]]:
        return await asyncio.gather(*(_connection(port, requests) for requests in connections))

    return asyncio.run(at_once())


async def _connection(port: int, requests: list[bytes]) -> list[bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    bodies = []
    for start in range(0, len(requests), PIPELINED):
        chunk = requests[start : start + PIPELINED]
        writer.write(b"".join(chunk))
        for _ in chunk:
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"a request failed: {head!r}")
            bodies.append(await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])))
    writer.close()
    return bodies


def send(port: int, request: bytes) -> int:
    """Send a request of HTTP/1.0 and read its response to the end; its bytes. Exits if anything but 200 came back."""

    async def once() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        status = await reader.readline()
        if b" 200 " not in status:
            raise SystemExit(f"a request failed: {status!r}")
        size = 0
        while chunk := await reader.read(1 << 20):
            size += len(chunk)
        writer.close()
        return size

    return asyncio.run(once())
