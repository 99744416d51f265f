"""The bundled load, for machines without wrk: 32 connections of asyncio streams."""

import asyncio
import sys
import time

import orjson

CONNECTIONS = 32
SENTENCES = (
    "I hear you, and I would like to understand the situation a little better before we go on. ",
    "Could you tell me what happened on that day, and what you were doing when you noticed it? ",
    "We can take our time with this; there is no need to decide anything in this conversation. ",
)


def request(mark: str) -> bytes:
    """A request whose six messages of 1.5 KB no server has seen before."""
    messages = [
        {
            "role": "user" if index % 2 == 0 else "assistant",
            "content": f"{mark} {index} {(SENTENCES[index % 3] * 17)[:1485]}",
        }
        for index in range(6)
    ]
    body = orjson.dumps(
        {"collection_slug": "case-management", "scenario_slug": "lower-back-claim", "messages": messages}
    )
    head = (
        "POST /api/v1/evaluate HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer lab_local\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def connection(port: int, name: str, end: float) -> int:
    """Send requests one after the other until the end; how many were answered with 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = 0
    while time.perf_counter() < end:
        writer.write(request(f"{name}-{answered}"))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        answered += head.startswith(b"HTTP/1.1 200")
    writer.close()
    return answered


async def load(port: int, mark: str, seconds: float) -> float:
    """Requests a second."""
    end = time.perf_counter() + seconds
    answered = await asyncio.gather(*(connection(port, f"{mark}-{index}", end) for index in range(CONNECTIONS)))
    return sum(answered) / seconds


if __name__ == "__main__":
    print(asyncio.run(load(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))))
