import shutil
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.http.clients import quiet
from tests.http.raw import BODY, LENGTH, connected, get, post
from tests.support import KEY, Live, world

H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
WEBSOCKET = b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n%x;a=b\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (9, BODY[:9], len(BODY) - 9, BODY[9:])
WISHES = {"none": b"", "h2c": H2C, "websocket": WEBSOCKET}
FRAMES = {"length": post(LENGTH), "chunks": post(CHUNKED, body=CHUNKS)}


def wishing(wish: str, frame: str) -> bytes:
    """An evaluation that offers an upgrade."""
    return FRAMES[frame].replace(b"Host:", WISHES[wish] + b"Host:", 1)


def rewards(server: Live, segments: Sequence[bytes], count: int) -> list[float]:
    """What is answered to so many evaluations on one connection, which then is as good as before."""
    with connected(server.url) as connection:
        connection.send(*segments)
        responses = [connection.response() for _ in range(count)]
        assert {response.status for response in responses} == {200}
        connection.send(get("/api/v1/catalog"))
        assert connection.response().status == 200
    return [orjson.loads(response.body)["reward"] for response in responses]


def cut(content: bytes, places: Sequence[int]) -> list[bytes]:
    """Bytes in segments that begin at some places."""
    borders = [0, *sorted({place % len(content) for place in places} - {0}), len(content)]
    return [content[start:end] for start, end in pairwise(borders)]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("place", [1, 30, -len(BODY), -len(BODY) - 2, -1])
def test_an_upgrade_is_ignored(server: Live, wish: str, frame: str, place: int) -> None:
    """A request that offers one is answered as HTTP/1.1, with its body, in one segment and in two (GEN-1, EV-1)."""
    (expected,) = rewards(server, [post(LENGTH)], 1)
    request = wishing(wish, frame)
    assert rewards(server, [request], 1) == [expected]
    assert rewards(server, cut(request, [place]), 1) == [expected]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([*WISHES]), st.sampled_from([*FRAMES])), min_size=1, max_size=4),
    st.lists(st.integers(0, 5_000), max_size=3),
)
def test_requests_in_a_row_are_apart_however_they_arrive(
    shared_server: Live, requests: list[tuple[str, str]], places: list[int]
) -> None:
    """Several on one connection, sent at once and cut anywhere, with and without an upgrade: one response each, in order."""
    (expected,) = rewards(shared_server, [post(LENGTH)], 1)
    content = b"".join(wishing(*request) for request in requests)
    assert rewards(shared_server, cut(content, places), len(requests)) == [expected] * len(requests)


def test_an_upgrade_without_a_body_is_ignored(server: Live) -> None:
    """A GET that offers one, and what comes right behind it, are two requests (GEN-1)."""
    with connected(server.url) as connection:
        connection.send(get("/api/v1/catalog", H2C) + get("/api/v1/nowhere"))
        assert [connection.response().status for _ in range(2)] == [200, 404]


def test_what_a_body_ends_with_is_no_header(server: Live) -> None:
    """A key in the trailers of a body is not a key (AUTH-1)."""
    key = f"Authorization: Bearer {KEY}\r\n".encode()
    request = post(CHUNKED, body=CHUNKS).replace(key, b"", 1).replace(b"X-Trailer: 1\r\n", key)
    with connected(server.url) as connection:
        connection.send(request)
        assert connection.response().status == 401


@pytest.mark.parametrize("behind", [b"", b"\x16\x03\x01", get("/api/v1/catalog")])
def test_a_tunnel_is_refused(server: Live, behind: bytes) -> None:
    """`CONNECT` names a path that does not exist; nothing behind it is read, and the connection ends (GEN-3, ID-1)."""
    with connected(server.url) as connection:
        connection.send(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n" + behind)
        response = connection.response()
        assert (response.status, response.headers.get("connection", "close")) == (404, "close")
        assert orjson.loads(response.body)["data"]["request_id"] == response.headers["x-request-id"]
        assert connection.rest() == b""


def test_nothing_is_logged_of_upgrades() -> None:
    """They are nothing out of the ordinary."""
    with quiet(world()) as server:
        assert len(rewards(server, [wishing("h2c", "length"), wishing("websocket", "chunks")], 2)) == 2


@pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java on this machine")
def test_java_can_post(server: Live) -> None:
    """Java's default client, which offers h2c with every request: with a length and in chunks (GEN-1, EV-1)."""
    (expected,) = rewards(server, [post(LENGTH)], 1)
    command = ["java", "-XX:TieredStopAtLevel=1", str(Path(__file__).with_name("Client.java"))]
    ended = subprocess.run(
        [*command, f"{server.url}/api/v1/evaluate", KEY, BODY.decode()],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    lines = [line.split(" ", 2) for line in ended.stdout.splitlines()]
    assert [line[:2] for line in lines] == [["200", "HTTP_1_1"]] * 2
    assert [orjson.loads(line[2])["reward"] for line in lines] == [expected] * 2
