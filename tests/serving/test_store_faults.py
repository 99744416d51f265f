"""A Redis that pauses, restarts, fills up or fails over while clients of two workers play on."""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from time import monotonic, sleep

import httpx
import pytest
from redis import Redis

from tests.serving.players import DEADLINE, HEADERS, WHERE, check_played, playing
from tests.serving.proxy import Proxy, proxy
from tests.serving.test_server import eventually, serving
from tests.state.redis_server import MISSING, RedisProcess, redis_is_installed, redis_process
from tests.support import KEY

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not redis_is_installed(), reason=MISSING)]

SILENT, FULL = "does not answer", "is full; reset it"


@contextmanager
def two_workers(url: str) -> Iterator[str]:
    """The address of two workers whose state is in a Redis."""
    with serving("--state", url, "--json", "--workers", "2") as (_, line):
        yield json.loads(line)["url"]


def check_refusal(response: httpx.Response, message: str) -> None:
    """It is a 503 in the envelope, with an id and without the headers of the quota."""
    body = response.json()
    assert (response.status_code, set(body), set(body["data"])) == (503, {"message", "data"}, {"request_id"})
    assert message in body["message"]
    assert response.headers["x-request-id"] == body["data"]["request_id"]
    assert not [name for name in response.headers if name.startswith("x-ratelimit")]
    assert KEY not in response.text


def check_refused_in_time(base: str) -> None:
    """A request gets its 503 within two seconds, and as much more as this machine now takes for one that needs no store."""
    seconds, others = [], []
    with httpx.Client(base_url=base, headers=HEADERS, trust_env=False, timeout=DEADLINE) as client:
        for _ in range(3):
            begun = monotonic()
            assert client.get("/_mock/health").status_code == 200
            others.append(monotonic() - begun)
            check_refusal(client.get("/api/v1/catalog"), SILENT)
            seconds.append(monotonic() - begun)
    assert min(seconds) < 2 + 10 * max(others)


@pytest.mark.parametrize("seconds", [1.5, 10])
def test_a_store_that_pauses(seconds: float) -> None:
    """Requests get a 503 in time, and once it goes on, so do the clients, with all that was acknowledged: no turn is there
    twice, or without its record or its reward (GEN-2, ID-1, EP-15).
    """
    with redis_process() as redis, two_workers(redis.url) as base:
        with playing(base) as players:
            players.take_turns(2)
            end = monotonic() + seconds
            redis.send(signal.SIGSTOP)
            if seconds > 2:
                players.are_refused()
                check_refused_in_time(base)
            sleep(max(0.0, end - monotonic()))
            redis.send(signal.SIGCONT)
            players.take_turns(2)
        refused = players.refused
        for response in refused:
            check_refusal(response, SILENT)
        assert len({response.headers["x-request-id"] for response in refused}) == len(refused)
        assert not players.lost
        check_played(base, players.acknowledged)


def test_a_store_that_restarts_with_all_that_it_has_acknowledged() -> None:
    """Where it writes each change to its disk before it replies, as with `appendfsync always`, nothing is lost (EP-15)."""
    with (
        redis_process("--appendonly", "yes", "--appendfsync", "always") as redis,
        two_workers(redis.url) as base,
    ):
        with playing(base) as players:
            players.take_turns(2)
            redis.kill()
            players.are_refused()
            check_refused_in_time(base)
            redis.start()
            players.take_turns(2)
        assert not players.lost
        check_played(base, players.acknowledged)


def test_a_store_that_restarts_empty() -> None:
    """That is a reset: old episodes are not found, and clients that begin new ones play on (EP-13)."""
    with redis_process() as redis, two_workers(redis.url) as base:
        body = {**WHERE, "score_turns": True}  # as the clients begin theirs, which get no id that there was before
        old = httpx.post(f"{base}/api/v1/episodes", json=body, headers=HEADERS, timeout=DEADLINE).json()["episode_id"]
        with playing(base) as players:
            players.take_turns(2)
            redis.kill()
            redis.start()
            counts = players.counts()
            players.take_turns(3)
        turn = {"messages": [{"role": "assistant", "content": "Hello?"}]}
        response = httpx.post(f"{base}/api/v1/episodes/{old}/turns", json=turn, headers=HEADERS, timeout=DEADLINE)
        assert (response.status_code, response.json()["message"]) == (404, "Episode not found")
        assert players.lost
        check_played(base, players.acknowledged_since(counts))


def test_a_store_that_is_full() -> None:
    """Requests get a 503 that says so; what was acknowledged is there, and can be looked at; a reset makes room (GEN-2)."""
    with (
        redis_process("--maxmemory", "8mb", "--maxmemory-policy", "noeviction") as redis,
        two_workers(redis.url) as base,
        httpx.Client(base_url=base, headers=HEADERS, timeout=DEADLINE) as client,
    ):
        noise = [" ".join([blake2b(b"%d" % (10 * number + n)).hexdigest() for n in range(10)]) for number in range(80)]

        def status(number: int) -> int:
            messages = [{"role": "assistant", "content": f"{number} {text}"} for text in noise]
            return client.post("/api/v1/evaluate", json={**WHERE, "messages": messages}).status_code

        with playing(base) as players:
            players.take_turns(1)
            assert any(status(number) == 503 for number in range(1_000))
            players.are_refused()
        for response in players.refused:
            check_refusal(response, FULL)
        assert client.get("/_mock/ready").status_code == 200
        check_played(base, players.acknowledged)
        assert client.post("/_mock/reset", json={}).is_success
        assert eventually(lambda: status(0) == 200)  # Redis frees memory in the background
        with playing(base) as players:
            players.take_turns(1)
        check_played(base, players.acknowledged)


class Replicated:
    """A Redis and its replica, and the one address of both, which is a proxy."""

    def __init__(self, primary: RedisProcess, replica: RedisProcess, link: Proxy, address: Proxy) -> None:
        self.primary, self.replica, self._link, self._address = primary, replica, link, address
        self.url = f"redis://127.0.0.1:{address.port}/0"
        with Redis.from_url(replica.url) as redis:
            redis.replicaof("127.0.0.1", str(link.port))
            assert eventually(lambda: redis.info("replication")["master_link_status"] == "up")

    def wait(self) -> None:
        """Wait until the replica has all that the primary has now."""
        with Redis.from_url(self.primary.url) as redis:
            redis.set("another program's", "last")
            assert redis.wait(1, 30_000) == 1

    def cut(self) -> None:
        """Replicate nothing from now on."""
        self._link.turn_to()

    def fail_over(self) -> None:
        """Have the replica at the address, as the primary."""
        with Redis.from_url(self.replica.url) as redis:
            redis.replicaof("NO", "ONE")
        self._address.turn_to(self.replica.socket)


@pytest.fixture
def replicated() -> Iterator[Replicated]:
    """Both, for a test."""
    with ExitStack() as stack:
        primary, replica = [stack.enter_context(redis_process("--repl-diskless-sync-delay", "0")) for _ in range(2)]
        link, address = [stack.enter_context(proxy(primary.socket)) for _ in range(2)]
        yield Replicated(primary, replica, link, address)


def test_a_failover_loses_nothing_that_was_replicated(replicated: Replicated) -> None:
    """Requests get a 503 until the address leads to the new primary, and then all goes on (GEN-2, EP-15)."""
    with two_workers(replicated.url) as base:
        with playing(base) as players:
            players.take_turns(2)
        before = check_played(base, players.acknowledged)
        replicated.wait()
        replicated.primary.send(signal.SIGSTOP)
        check_refused_in_time(base)
        replicated.fail_over()
        assert check_played(base, players.acknowledged) == before
        with playing(base) as others:
            others.take_turns(2)
        check_played(base, [*players.acknowledged, *others.acknowledged])


def test_a_failover_in_the_middle_of_turns(replicated: Replicated) -> None:
    """Acknowledged turns that were not replicated may be missing; what is there is whole, and clients play on (GEN-2, EP-15)."""
    with two_workers(replicated.url) as base:
        with playing(base) as players:
            players.take_turns(2)
            replicated.cut()
            players.take_turns(2)
            replicated.primary.kill()
            players.are_refused()
            replicated.fail_over()
            players.take_turns(2)
            counts = players.counts()
            players.take_turns(3)
        check_played(base, players.acknowledged_since(counts))
