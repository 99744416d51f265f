"""The bundled load, for machines without wrk: 32 connections of asyncio streams."""

import asyncio
import sys
import time

import orjson

CONNECTIONS = 32
CHANGING = (
    "Could you tell me what happened on that day, in your own words, from the beginning? ",
    "That sounds hard, and I am glad that you called; take all the time that you need for it. ",
    "Do you have any other work at the moment, a second job perhaps, or something at weekends? ",
    "Are you worried about going back, and is there somebody who could help you with it? ",
    "I understand. Thank you for telling me, I will write it down as you said it just now. ",
    "Before anything is decided we should wait for the results, whatever they will be. ",
    "The weather has been rather good this week, so the roads should be dry all the way. ",
)
FILLER = "I would like to understand the situation a little better before we go on with it. " * 16


def request(mark: str, count: int) -> bytes:
    """A request whose six messages of 1.5 KB no server has seen before, and that says different things."""
    messages, draw = [], count * 7_919
    for index in range(6):
        content = f"{mark}-{count}-{index} {CHANGING[draw % 7]}{CHANGING[draw // 7 % 7]}{FILLER}"
        messages.append({"role": "user" if index % 2 == 0 else "assistant", "content": content})
        draw = draw // 5 + index
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
        writer.write(request(name, answered))
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
