import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest
from redis import Redis
from redis.exceptions import RedisError

from labs_mock.state.redis.store import RedisStore
from tests.state.redis_server import MISSING, redis_is_installed
from tests.state.samples import START, arrival, commit, episode, initial, record, run, turn

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not redis_is_installed(), reason=MISSING)]

SLOTS = 16_384


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """The ports of a cluster of three, each with a third of the slots."""
    with ExitStack() as stack:
        ports = [_start(stack, tmp_path_factory.mktemp("node")) for _ in range(3)]
        clients = [stack.enter_context(Redis(port=port)) for port in ports]
        for number, client in enumerate(clients):
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", ports[0])
        end = monotonic() + 20
        while not all("cluster_state:ok" in str(client.execute_command("CLUSTER", "INFO")) for client in clients):
            assert monotonic() < end, "the cluster does not come together"
            sleep(0.1)
        yield ports


def _start(stack: ExitStack, folder: Path) -> int:
    """Start a node; its port. Another one is tried if a port is taken by then."""
    for port in range(21_000, 21_200):
        command = ["redis-server", "--port", str(port), "--cluster-enabled", "yes", "--save", "", "--dir", str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            with suppress(RedisError), Redis(port=port) as client:
                if client.info("server")["process_id"] == process.pid:
                    stack.callback(process.wait)
                    stack.callback(process.kill)
                    return port
            sleep(0.05)
    raise AssertionError("no port is free")


def test_namespaces_are_on_different_nodes(nodes: list[int]) -> None:
    """Each is whole on one node, which is found from any: requests, journal and followers work as with a single server (EP-15)."""

    async def play(name: str) -> list[str]:
        store = await RedisStore.open(f"redis://127.0.0.1:{nodes[0]}/0", name, initial())
        try:
            epoch = (await store.arrive(arrival())).epoch
            following = store.follow(0)
            waiting = asyncio.ensure_future(anext(following))
            await commit(store, epoch=epoch, created=episode("a"), record=record(path=f"/{name}"))
            await commit(store, epoch=epoch, turn=turn("a", 0))
            found = await store.load_episode(epoch, "a", START)
            assert found is not None
            assert found.turns == 1
            return [(await asyncio.wait_for(waiting, 5)).path]
        finally:
            await store.close()

    async def check() -> None:
        names = ["one", "two", "three", "four"]
        assert await asyncio.gather(*map(play, names)) == [[f"/{name}"] for name in names]

    run(check())
    homes: dict[str, int] = {}
    for port in nodes:
        with Redis(port=port) as client:
            homes |= {key.decode().partition("}")[0][1:]: port for key in client.scan_iter("*")}
    assert set(homes) == {"one", "two", "three", "four"}
    assert len(set(homes.values())) > 1
