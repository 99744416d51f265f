"""Workers that are killed in the middle of what they do, over a real Redis."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from tests.serving.players import DEADLINE, HEADERS, WHERE, check_played, playing
from tests.serving.test_server import eventually, serving
from tests.serving.test_workers import children
from tests.state.redis_server import MISSING, RedisProcess, redis_is_installed, redis_process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not redis_is_installed(), reason=MISSING),
    pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="who serves a connection is read from /proc"),
]

EXPORT = "/api/v1/training-datasets/b81e4c07-92d3-4f6a-8b15-0c7d9e2f6a31/export"


@pytest.fixture
def redis() -> Iterator[RedisProcess]:
    """A Redis for a test."""
    with redis_process() as process:
        yield process


def clients_of(process: int) -> set[int]:
    """The ports of the clients whose connections a process has."""
    sockets: set[str] = set()
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):  # closed by now
            sockets.add(str(file.readlink()))
    rows = [row.split() for row in Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]]
    return {int(row[2].partition(":")[2], 16) for row in rows if f"socket:[{row[9]}]" in sockets}


def test_workers_that_are_killed_while_the_store_is_silent(redis: RedisProcess) -> None:
    """Others take their places, respond 503 as long as it is, and go on with what there was (GEN-2)."""
    with (
        serving("--state", redis.url, "--json", "--workers", "2") as (process, line),
        httpx.Client(base_url=json.loads(line)["url"], headers=HEADERS, trust_env=False, timeout=DEADLINE) as client,
    ):
        episode = client.post("/api/v1/episodes", json=WHERE).json()["episode_id"]
        redis.send(signal.SIGSTOP)
        before = children(process.pid)
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        assert eventually(lambda: len(children(process.pid) - before) == 2)
        for place in ("/_mock/ready", "/api/v1/catalog"):
            with httpx.Client(base_url=client.base_url, headers=HEADERS, trust_env=False, timeout=DEADLINE) as another:
                assert another.get(place).status_code == 503
        redis.send(signal.SIGCONT)
        assert eventually(lambda: client.get("/_mock/ready").status_code == 200)
        turn = {"messages": [{"role": "assistant", "content": "Where were we?"}]}
        assert client.post(f"/api/v1/episodes/{episode}/turns", json=turn).json()["turn"] == 1
        assert process.poll() is None


def test_a_worker_that_is_killed_loses_and_repeats_nothing(redis: RedisProcess) -> None:
    """In the middle of 64 clients' turns: what was acknowledged is there once, with its reward. Its exports break off without
    their end, those of the other worker are whole, and another one takes its place (EP-15, DS-4).
    """
    with serving("--state", redis.url, "--json", "--workers", "2") as (process, line), ExitStack() as stack:
        base = json.loads(line)["url"]
        with playing(base, number=64) as players:
            players.take_turns(2)
            workers = children(process.pid)
            killed = max(workers, key=lambda worker: len(clients_of(worker)))
            exports: dict[bool, httpx.Response] = {}  # by whether the worker that sends it is the one to be killed
            client = stack.enter_context(
                httpx.Client(base_url=base, headers=HEADERS, trust_env=False, timeout=DEADLINE)
            )
            while len(exports) < 2:
                response = stack.enter_context(client.stream("GET", EXPORT))
                port = response.extensions["network_stream"].get_extra_info("client_addr")[1]
                exports[port in clients_of(killed)] = response
            os.kill(killed, signal.SIGKILL)
            players.take_turns(3)
            assert eventually(lambda: len(children(process.pid) - workers) == 1)
        broken, whole = [exports[name].iter_raw() for name in (True, False)]
        with pytest.raises(httpx.TransportError):
            list(broken)
        assert sum([part.count(b"\n") for part in whole]) == int(exports[False].headers["x-row-count"])
        assert any(one.broken for one in players.all)
        check_played(base, players.acknowledged)
