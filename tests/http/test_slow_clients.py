import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from labs_mock.serving import server as serving
from tests.http.clients import quiet
from tests.http.datasets import LONG, dataset, with_datasets
from tests.http.raw import BODY, LENGTH, Connection, connected, get, post
from tests.support import Live, live, world

SWEEP = 0.05  # seconds
PATIENCE = 6  # sweeps
KEEP_ALIVE = 30
HEAD = post(LENGTH, body=b"")
CHUNKED = post(b"Transfer-Encoding: chunked\r\n", body=b"5\r\n{")
EXPORT = get(f"/api/v1/training-datasets/{LONG}/export")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that wait for a fraction of a second instead of thirty."""
    monkeypatch.setattr(serving, "SWEEP", SWEEP)
    monkeypatch.setattr(serving, "PATIENCE", PATIENCE)
    monkeypatch.setattr(serving, "KEEP_ALIVE", KEEP_ALIVE)


@pytest.fixture
def server() -> Iterator[Live]:
    """A server that logs nothing of this."""
    with quiet(world()) as running:
        yield running


def seconds_until_closed(connection: Connection) -> float:
    """How long the server waits before it closes a connection without a word."""
    start = time.monotonic()
    with suppress(ConnectionResetError):
        assert connection.rest() == b""
    return time.monotonic() - start


def test_the_design_says_thirty_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of real time, as sweeps of a second (GEN-3)."""
    monkeypatch.undo()
    assert serving.SWEEP * serving.PATIENCE == 30


@pytest.mark.parametrize(
    "part",
    [b"", b"G", HEAD[:40], HEAD[:-2], HEAD, HEAD + BODY[:-1], CHUNKED, HEAD + BODY + b"POST"],
    ids=["nothing", "method", "field", "fields", "head", "body", "chunk", "second"],
)
def test_a_request_that_does_not_come_on_is_dropped(server: Live, part: bytes) -> None:
    """Wherever in its head or body a client stops: the connection is closed without a response to it (GEN-3)."""
    with connected(server.url) as connection:
        connection.send(part)
        if part.startswith(HEAD + BODY):
            assert connection.response().status == 200
        assert seconds_until_closed(connection) >= SWEEP * (PATIENCE - 1)
    assert server.client.get("/_mock/requests").json()["count"] == part.count(BODY)


def test_a_client_that_goes_on_is_waited_for(server: Live) -> None:
    """One that sends a little now and then takes as long as it likes (GEN-3)."""
    with connected(server.url) as connection:
        for part in (HEAD[:7], HEAD[7:60], HEAD[60:], BODY[:20], BODY[20:40], BODY[40:]):
            connection.send(part)
            time.sleep(SWEEP * PATIENCE * 0.6)
        assert connection.response().status == 200


def test_what_keeps_others_waiting_is_not_the_client(server: Live) -> None:
    """A fault that delays or stalls, and what waits behind it, are answered or kept waiting for as long as they say."""
    fault = {"path": "/api/v1/evaluate", "first": 1, "delay": 3_600}
    server.client.post("/_mock/faults", json=fault)
    with connected(server.url) as connection, connected(server.url) as behind:
        connection.send(post(LENGTH))
        behind.send(post(LENGTH), post(LENGTH) + HEAD)
        assert behind.response().status == 200
        assert behind.response().status == 200
        time.sleep(SWEEP * PATIENCE * 2)
        server.client.post("/_mock/clock/advance", json={"seconds": 3_600})
        assert connection.response().status == 200


def test_what_comes_behind_a_delayed_answer_is_not_late(server: Live) -> None:
    """The beginning of a request behind one that a fault delays is not read on, and so not given up (GEN-3)."""
    server.client.post("/_mock/faults", json={"path": "/api/v1/evaluate", "first": 1, "delay": 3_600})
    with connected(server.url) as connection:
        connection.send(post(LENGTH) + HEAD + BODY[:9])
        time.sleep(SWEEP * PATIENCE * 2)
        server.client.post("/_mock/clock/advance", json={"seconds": 3_600})
        assert connection.response().status == 200
        connection.send(BODY[9:])
        assert connection.response().status == 200


def test_slow_readers_and_idle_connections_are_no_slow_clients() -> None:
    """An export is read as slowly as a client likes, and a connection may rest between requests (GEN-3, DS-4)."""
    with live(with_datasets(dataset(LONG, count=20_000))) as server, connected(server.url) as connection:
        connection.send(get("/api/v1/catalog"))
        assert connection.response().status == 200
        time.sleep(SWEEP * PATIENCE * 2)
        connection.send(EXPORT)
        time.sleep(SWEEP * PATIENCE * 2)
        assert connection.response().body.count(b"\n") == 20_000


def test_a_connection_that_rests_too_long_is_closed() -> None:
    """In order, with no response, and so that a client may send its next request over another one."""
    with live(world()) as server, connected(server.url) as connection:
        connection.send(get("/api/v1/catalog"))
        assert connection.response().status == 200
        connection.socket.settimeout(SWEEP * KEEP_ALIVE * 10)
        assert connection.stream.read() == b""


def test_nobody_waits_for_slow_clients_when_a_server_stops() -> None:
    """Heads that never end do not hold a server up; bodies do for its two seconds at most."""
    others = threading.enumerate()  # another module's server may run in this process
    with live(world()) as server:
        connections = [connected(server.url) for _ in range(3)]
        opened = [context.__enter__() for context in connections]
        for connection, part in zip(opened, (b"", HEAD[:20], HEAD), strict=True):
            connection.send(part)
        start = time.monotonic()
    assert time.monotonic() - start < 5
    assert not [one for one in threading.enumerate() if one.name == "labs-mock" and one not in others]
    for context in connections:
        context.__exit__(None, None, None)
