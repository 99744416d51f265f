import signal
from pathlib import Path

import orjson
import pytest

from tests.http.datasets import LONG, dataset, scenarios, with_datasets
from tests.http.raw import LENGTH, connected, get, post
from tests.serving.test_server import serving
from tests.support import Live, live

EXPORT = f"/api/v1/training-datasets/{LONG}/export"


def exported(server: Live) -> bytes:
    """The export as HTTP/1.1 has it."""
    with connected(server.url) as connection:
        connection.send(get(EXPORT))
        response = connection.response()
        assert response.headers["transfer-encoding"] == "chunked"
        return response.body


@pytest.mark.parametrize("fields", [b"", b"Connection: keep-alive\r\n"])
def test_an_export_has_no_marks_of_chunks(fields: bytes) -> None:
    """HTTP/1.0 knows no chunks: the rows come as they are, and end where the connection does (DS-4)."""
    with live(with_datasets(dataset(LONG, count=2_000))) as server, connected(server.url) as connection:
        connection.send(get(EXPORT, fields, version=b"1.0"))
        response = connection.response()
        assert (response.status, response.headers.get("connection", "close")) == (200, "close")
        assert not {"transfer-encoding", "content-length"} & set(response.headers)
        assert response.headers["x-row-count"] == "2000"
        assert response.body == exported(server)


def test_faults_reach_the_body_without_marks() -> None:
    """A row twice and a delay: what a fault does to an export, it does here, too (DS-4)."""
    with live(with_datasets(dataset(LONG, count=50))) as server, connected(server.url) as connection:
        server.client.post("/_mock/faults", json={"duplicate_line": 2})
        connection.send(get(EXPORT, version=b"1.0"))
        body = connection.response().body
        assert body == exported(server)
        assert len(body.splitlines()) == 51


def test_whatever_has_a_length_keeps_it(server: Live) -> None:
    """JSON and a HEAD for a page are as they are for HTTP/1.1, and then the connection ends (GEN-1)."""
    for request in (
        post(LENGTH, version=b"1.0"),
        get("/api/v1/catalog", version=b"1.0"),
        get("/openapi.json", version=b"1.0"),
    ):
        with connected(server.url) as connection:
            connection.send(request)
            response = connection.response()
            assert (response.status, response.headers.get("connection", "close")) == (200, "close")
            assert len(response.body) == int(response.headers["content-length"])
            assert orjson.loads(response.body)
            assert connection.rest() == b""
    with connected(server.url) as connection:
        connection.send(get("/docs", version=b"1.0").replace(b"GET", b"HEAD"))
        head, _, body = connection.rest().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert body == b""


def test_an_export_that_breaks_off_does_not_look_whole(tmp_path: Path) -> None:
    """A server that stops resets the connection, since its end would be the end of the rows (DS-4)."""
    folder = str(scenarios(tmp_path, 1_000_000))
    with serving(folder, "--json") as (process, line), connected(orjson.loads(line)["url"]) as connection:
        connection.send(get(EXPORT, version=b"1.0"))
        assert b"\n" in connection.stream.read(100_000)
        process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionResetError):
            connection.rest()
