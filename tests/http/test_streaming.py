import json
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from hashlib import sha256
from http.client import HTTPResponse, IncompleteRead
from itertools import chain, repeat
from pathlib import Path

import httpx
import pytest

from labs_mock.engine.generated_rows import GeneratedRows, RowLine
from tests.http.datasets import LONG, dataset, get, scenarios, talks, with_datasets
from tests.http.test_batch import WHERE, conversation
from tests.serving.test_server import serving
from tests.support import KEY, Live, live, result_of

ROWS = 40_000
EXPORT = f"/api/v1/training-datasets/{LONG}/export"
BUFFER = 64 * 1024


@pytest.fixture
def server() -> Iterator[Live]:
    """A fresh server with a dataset of 40,000 rows, of which none is made yet."""
    with live(with_datasets(dataset(LONG, count=ROWS))) as running:
        yield running


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """A socket with a small buffer on which an export has been requested."""
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        client.settimeout(30)
        client.connect((host, int(port)))
        client.sendall(f"GET {EXPORT} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
        yield client


@contextmanager
def exporting(url: str) -> Iterator[HTTPResponse]:
    """The response to such a request, to be read at leisure."""
    with connected(url) as client, closing(HTTPResponse(client)) as response:  # closed is the socket when both are
        response.begin()
        yield response


def made(server: Live) -> int:
    """How many rows have been made."""
    (dataset,) = [one.dataset for one in result_of(server.world.store.datasets()) if one.dataset.id == LONG]
    spool = server.world.caches.spool(dataset)
    return spool.rows if spool else 0


def busy(server: Live, requests: int = 50) -> None:
    """Requests that take their turns with the making of rows: a row or more is made for each, unless that has stopped."""
    for _ in range(requests):
        assert get(server, LONG, "status").status_code == 200


def settled(server: Live) -> int:
    """How many rows are made when no more are made."""
    before = -1
    for _ in range(100):
        if made(server) == before:
            return before
        before = made(server)
        busy(server, 400)
    raise AssertionError("rows are made on and on")


def whole(server: Live) -> bytes:
    """The export, as a client reads it that is in a hurry."""
    return get(server, LONG, "export", timeout=60).content


def test_the_first_line_comes_before_the_last_is_made(server: Live) -> None:
    """Rows are sent as they are made: when the first one has been read, most of them are not there yet (DS-4)."""
    with exporting(server.url) as response:
        assert json.loads(response.readline())["metadata"]["rollout_index"] == 0
        assert made(server) < ROWS // 2


@pytest.mark.slow
def test_no_more_rows_are_made_than_are_read(server: Live) -> None:
    """A client that does not read stops the making of rows, again and again; then it gets all of them (DS-4)."""
    with exporting(server.url) as response:
        body = b""
        for _ in range(4):
            body += response.read(2_000_000)
            lead = settled(server) - body.count(b"\n")
            assert 0 < lead < ROWS // 2
            busy(server, 400)
            assert made(server) == lead + body.count(b"\n")
        body += response.read()
    assert body.count(b"\n") == made(server) == ROWS
    assert body == whole(server)


@pytest.mark.slow
@pytest.mark.parametrize("reads", [0, 100_000, 6_000_000])
def test_a_client_that_leaves_stops_the_work(reads: int, caplog: pytest.LogCaptureFixture) -> None:
    """Whether it waits for rows or the server waits for it: no more than a few are made once it is gone, and nobody
    else is the worse for it.
    """
    with live(with_datasets(dataset(LONG, count=ROWS))) as server:
        with exporting(server.url) as response:
            assert len(response.read(reads)) == reads
            if not reads:
                settled(server)
        left = made(server)
        assert settled(server) <= left + 1_000 < ROWS
        assert whole(server).count(b"\n") == ROWS
    assert caplog.records == []  # no task was left that the server had to cancel when it stopped


def test_requests_at_a_time_do_not_disturb_each_other(server: Live) -> None:
    """Exports that read on, wait or leave, and evaluations between them: the same responses as each alone (DET-2)."""
    body = {**WHERE, "messages": conversation("Tell me what happened.")}

    def leave(_: int) -> bool:
        with exporting(server.url) as response:
            return bool(response.read(500_000))

    def evaluate(_: int) -> float:
        return float(server.post("/evaluate", body).json()["reward"])

    with exporting(server.url) as waiting, ThreadPoolExecutor(8) as pool:
        leaving = [pool.submit(leave, number) for number in range(2)]
        reading = [pool.submit(whole, server) for _ in range(3)]
        rewards = list(pool.map(evaluate, range(100)))
        assert all(future.result() for future in leaving)
        bodies = {waiting.read(), *(future.result() for future in reading)}
    assert set(rewards) == {evaluate(0)}
    assert bodies == {whole(server)}
    assert bodies.pop().count(b"\n") == ROWS


@pytest.mark.parametrize(("sign", "reads_on"), [(signal.SIGINT, False), (signal.SIGTERM, True)])
def test_a_server_that_stops_breaks_streams_off(tmp_path: Path, sign: signal.Signals, reads_on: bool) -> None:
    """It waits a little and ends without a traceback, and the client sees that the rows are not all (DS-4)."""
    folder = str(scenarios(tmp_path, 1_000_000))
    with serving(folder, "--json") as (process, line), exporting(json.loads(line)["url"]) as response:
        response.readline()
        process.send_signal(sign)
        if not reads_on:
            process.wait(10)
        with pytest.raises((IncompleteRead, ConnectionResetError)):
            response.read()
        _, errors = process.communicate(timeout=10)
    assert "Traceback" not in errors


def breaking_at(row: int) -> Callable[[GeneratedRows, int], RowLine]:
    """The making of rows, with a defect at one of them."""
    line = GeneratedRows.line

    def breaks(self: GeneratedRows, index: int) -> RowLine:
        if index == row:
            raise RuntimeError("a secret of the server")
        return line(self, index)

    return breaks


@pytest.mark.parametrize("row", [0, 50, 2_000])
def test_a_defect_breaks_the_stream_off(
    server: Live, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, row: int
) -> None:
    """No last chunk, nothing of the error for the client, and a log entry under the request's id (ID-1, ERR-1)."""
    monkeypatch.setattr(GeneratedRows, "line", breaking_at(row))
    with connected(server.url) as client:
        received = b"".join(iter(lambda: client.recv(BUFFER), b""))
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not received.endswith(b"\r\n0\r\n\r\n")
    assert b"Traceback" not in received
    assert b"secret" not in received
    assert received.count(b'"rollout_index"') <= row
    (failed,) = [record for record in caplog.records if record.exc_info]
    (name,) = [line for line in received.split(b"\r\n") if line.startswith(b"x-request-id: ")]
    assert (failed.name, failed.levelno) == ("labs_mock", logging.ERROR)
    assert name.decode().removeprefix("x-request-id: ") in failed.getMessage()


def test_a_defect_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """All exports that wait for the same row break off; once the cause is gone, the next one is whole (DS-6)."""
    served = with_datasets(dataset(LONG, count=2_000))
    with live(served) as server, ThreadPoolExecutor(4) as pool:
        with monkeypatch.context() as patch:
            patch.setattr(GeneratedRows, "line", breaking_at(500))
            for future in [pool.submit(whole, server) for _ in range(4)]:
                with pytest.raises(httpx.RemoteProtocolError):
                    future.result()
        rows = GeneratedRows(result_of(served.store.datasets())[0].dataset, talks(), 0)
        assert whole(server) == b"".join(rows.line(index).text for index in range(2_000))


# How many rows, of 463 bytes each: all of them would be three times what memory may grow by, and are six spools.
MANY = int(os.environ.get("TEST_ROWS", "200000"))
SPOOL = 16 << 20
LEFT = ("", 0)
PROCESSES = Path("/proc")


def resident(pid: int) -> float:
    """The resident memory of a process in MB."""
    status = (PROCESSES / str(pid) / "status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1_024 / 1e6


def read_slowly(url: str) -> tuple[str, int]:
    """Take some seconds over the first rows, then read the others; the digest of all and their number."""
    digest, lines = sha256(), 0
    with exporting(url) as response:
        assert response.headers["x-row-count"] == str(MANY)
        for pause in chain(repeat(0.01, 300), repeat(0.0)):
            time.sleep(pause)
            block = response.read(2_048 if pause else 1 << 20)
            if not block:
                return digest.hexdigest(), lines
            digest.update(block)
            lines += block.count(b"\n")
    raise AssertionError("the rows do not end")


def leave_half_way(url: str) -> tuple[str, int]:
    """Read half of the rows and leave."""
    with exporting(url) as response:
        lines = 0
        while lines < MANY // 2:
            block = response.read(BUFFER)
            assert block, "the rows end too soon"
            lines += block.count(b"\n")
    return LEFT


def read_whole(url: str) -> tuple[str, int]:
    """Read all rows as fast as they come."""
    digest, lines = sha256(), 0
    with exporting(url) as response:
        while block := response.read(1 << 20):
            digest.update(block)
            lines += block.count(b"\n")
    return digest.hexdigest(), lines


@pytest.mark.slow
@pytest.mark.skipif(not PROCESSES.exists(), reason="resident memory is read from /proc")
def test_memory_stays_where_it_was(tmp_path: Path) -> None:
    """Many rows to a slow client, one that leaves and two at a time, from a small spool and from one that holds them
    all: memory grows by less than 30 MB, and two processes send the same bytes (DS-4, DS-6, DET-2).
    """
    folder, digests = str(scenarios(tmp_path, MANY)), set()
    body = {**WHERE, "messages": conversation("Tell me what happened.")}
    slow, twice = (read_slowly, leave_half_way), (read_whole, read_whole)
    for options, pairs in (("--spool", str(SPOOL)), [slow]), ((), [slow, twice]):
        with serving(folder, "--json", *options) as (process, line), ThreadPoolExecutor(2) as pool:
            url = json.loads(line)["url"]
            response = httpx.post(f"{url}/api/v1/evaluate", json=body, headers={"authorization": f"Bearer {KEY}"})
            assert response.status_code == 200
            most = before = resident(process.pid)
            for pair in pairs:
                reading = [pool.submit(read, url) for read in pair]
                while wait(reading, 0.05).not_done:
                    most = max(most, resident(process.pid))
                digests |= {future.result() for future in reading}
        assert most - before < 30
    ((_, lines),) = {result for result in digests if result != LEFT}
    assert lines == MANY
