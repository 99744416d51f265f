"""A server that has answered many requests against a fresh one: what a request costs must not grow with age.

Both answer evaluations of conversations never seen before, in alternating rounds of one run. What is compared is the time that
the servers' threads had a processor, where the system tells (Linux), else the time on the clock.
"""

import asyncio
import time
from itertools import count
from pathlib import Path
from statistics import median

import orjson

from benchmarks.servers import LABS_MOCK, running

OLD, FRESH = 300_000, 30_000  # requests before the first round
ROUNDS = 15
REQUESTS = 2_000  # a round
CONNECTIONS = 8
PIPELINED = 25  # requests that a connection sends at once
GOAL = 1.05

_numbers = count()


def request() -> bytes:
    """An evaluation of a short conversation that no server has seen."""
    number = next(_numbers)
    body = orjson.dumps(
        {
            "collection_slug": "case-management",
            "scenario_slug": "lower-back-claim",
            "messages": [
                {"role": "user", "content": f"Hello, this is number {number}."},
                {"role": "assistant", "content": f"Could you tell me what happened, number {number}?"},
            ],
        }
    )
    head = (
        "POST /api/v1/evaluate HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer lab_local\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def connection(port: int, requests: int) -> None:
    """Send so many requests, and read the answers. Exits if anything but 200 came back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for start in range(0, requests, PIPELINED):
        sent = min(PIPELINED, requests - start)
        writer.write(b"".join([request() for _ in range(sent)]))
        for _ in range(sent):
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"a request failed: {head!r}")
            await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
    writer.close()


def ask(port: int, requests: int) -> None:
    """Send so many requests over several connections."""

    async def all_at_once() -> None:
        await asyncio.gather(*(connection(port, requests // CONNECTIONS) for _ in range(CONNECTIONS)))

    asyncio.run(all_at_once())


def seconds(process: int) -> float:
    """What a process has used of a processor in its first thread; else the time on the clock."""
    used = Path(f"/proc/{process}/schedstat")
    return int(used.read_text().split()[0]) / 1e9 if used.exists() else time.perf_counter()


def microseconds(port: int, process: int) -> float:
    """What a request of one round costs."""
    before = seconds(process)
    ask(port, REQUESTS)
    return (seconds(process) - before) / REQUESTS * 1e6


def main() -> None:
    """Print the ratio of the medians."""
    old, fresh = [], []
    with running(LABS_MOCK, 18_771) as first, running(LABS_MOCK, 18_772) as second:
        ask(18_771, OLD)
        ask(18_772, FRESH)
        for _ in range(ROUNDS):
            old.append(microseconds(18_771, first.process))
            fresh.append(microseconds(18_772, second.process))
    ratio = median(old) / median(fresh)
    print(
        f"age           {median(old):>8.1f} µs a request after {OLD:,}, {median(fresh):.1f} after {FRESH:,}: "
        f"{ratio:.2f} times (goal {GOAL} or less)"
    )


if __name__ == "__main__":
    main()
