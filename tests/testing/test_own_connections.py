"""Connections that threads do not share."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.support import live, world

THREADS, ROUNDS = 8, 3


def test_each_thread_keeps_a_connection_of_its_own() -> None:
    """Requests that eight threads make with one client, in three rounds, come on eight connections; a ninth is the caller's."""
    with live(world()) as server, ThreadPoolExecutor(THREADS) as pool:
        together = Barrier(THREADS)

        def send(_: int) -> None:
            together.wait(30)
            for _ in range(ROUNDS):
                server.client.get("/api/v1/catalog")

        list(pool.map(send, range(THREADS)))
        server.client.get("/api/v1/catalog")
        connections = [record.peer for record in server.records()]
    assert sorted(connections.count(peer) for peer in set(connections)) == [1, *[ROUNDS] * THREADS]
