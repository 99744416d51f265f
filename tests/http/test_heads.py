from contextlib import suppress
from itertools import pairwise

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.contract.limits import MAX_FIELDS, MAX_HEAD
from tests.http.clients import quiet
from tests.http.raw import BODY, LENGTH, Response, connected, get, post
from tests.support import Live, world

FIELD = b"X-Filler: "
MESSAGE = "head: expected at most 65,536 bytes and 100 fields"


def of_size(size: int) -> bytes:
    """A request whose head has so many bytes."""
    return get("/api/v1/catalog", FIELD + b"x" * (size - len(get("/api/v1/catalog", FIELD, b"\r\n"))) + b"\r\n")


def of_fields(number: int) -> bytes:
    """A request with so many fields."""
    return get("/api/v1/catalog", *(b"X-%d: x\r\n" % index for index in range(number - 3)))


def ended(server: Live, *segments: bytes) -> Response:
    """The response after which the server closes the connection: with a reset where some of the head was not read."""
    with connected(server.url) as connection:
        connection.send(*segments)
        response = connection.response()
        with suppress(ConnectionResetError):
            assert connection.rest() == b""
    return response


def check_refused(response: Response) -> str:
    """A 431 in the envelope, without headers of the limiter; its request id (GEN-3, ID-1, ID-2, ERR-1, RL-1)."""
    name = response.headers["x-request-id"]
    assert response.status == 431
    assert orjson.loads(response.body) == {"message": MESSAGE, "data": {"request_id": name}}
    assert response.headers["connection"] == "close"
    assert not [header for header in response.headers if header.startswith("x-ratelimit")]
    return name


@pytest.mark.parametrize("request_", [of_size(MAX_HEAD), of_fields(MAX_FIELDS)], ids=["bytes", "fields"])
@pytest.mark.parametrize("cuts", [0, 1, 4])
def test_a_head_within_the_limits_is_read(server: Live, request_: bytes, cuts: int) -> None:
    """The largest head, in one segment or several, is answered like any other, and the connection goes on (GEN-3)."""
    step = len(request_) // (cuts + 1) + 1
    with connected(server.url) as connection:
        connection.send(*[request_[start : start + step] for start in range(0, len(request_), step)])
        assert connection.response().status == 200
        connection.send(get("/api/v1/catalog"))
        assert connection.response().status == 200


@pytest.mark.parametrize("request_", [of_size(MAX_HEAD + 1), of_fields(MAX_FIELDS + 1)], ids=["bytes", "fields"])
@pytest.mark.parametrize("cuts", [0, 1, 4])
def test_a_head_beyond_them_is_refused(server: Live, request_: bytes, cuts: int) -> None:
    """One byte or field more is a 431 that ends the connection, whatever key it has (GEN-3, ID-1, ID-2, ERR-1, RL-1)."""
    step = len(request_) // (cuts + 1) + 1
    check_refused(ended(server, *[request_[start : start + step] for start in range(0, len(request_), step)]))


@pytest.mark.parametrize(
    "start",
    [b"GET /api/v1/catalog HTTP/1.1\r\nX: ", b"GET /", b"GET /x?", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nX"],
    ids=["value", "path", "query", "fields", "name"],
)
def test_a_head_without_end_is_refused_while_it_is_read(server: Live, start: bytes) -> None:
    """A target, a name, a value or fields that never end: refused soon after the limit, and no more is read (GEN-3)."""
    part = b"A: b\r\n" * 200 if start.endswith(b"\n") else b"x" * 8_192
    with connected(server.url) as connection:
        connection.send(start)
        for _ in range(2 * MAX_HEAD // len(part)):
            try:
                connection.send(part)
            except OSError:  # refused
                break
        check_refused(connection.response())


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 80_000), max_size=4))
def test_ids_of_refusals_do_not_depend_on_segments(shared_server: Live, places: list[int]) -> None:
    """However the head arrives, the first refusal has the same id, and the next another (ID-1, DET-1, DET-3)."""
    shared_server.reset()
    content = of_size(MAX_HEAD + 20_000)
    borders = [0, *sorted(set(places) - {0}), len(content)]
    segments = [content[start:end] for start, end in pairwise(borders)]
    first = check_refused(ended(shared_server, content))
    shared_server.reset()
    assert check_refused(ended(shared_server, content[:10], content[10:])) == first
    shared_server.reset()
    with connected(shared_server.url) as connection:
        with suppress(OSError):
            connection.send(*[segment for segment in segments if segment])
        assert check_refused(connection.response()) == first
    assert check_refused(ended(shared_server, content)) != first


def test_a_body_does_not_count_as_head(server: Live) -> None:
    """A head of ordinary size is read whatever follows it at once: a large body, or many requests (GEN-3)."""
    body = BODY[:-1] + b" " * 300_000 + BODY[-1:]
    with connected(server.url) as connection:
        connection.send(post(b"Content-Length: %d\r\n" % len(body), body=body))
        assert connection.response().status == 200
        chunks = b"".join([b"1\r\n%c\r\n" % byte for byte in BODY + b" " * 50_000]) + b"0\r\n\r\n"
        connection.send(post(b"Transfer-Encoding: chunked\r\n", body=chunks))
        assert connection.response().status == 200
        connection.send(post(LENGTH) * 300)
        assert {connection.response().status for _ in range(300)} == {200}


@pytest.mark.parametrize("part", [b"A: b\r\n" * 200, b"A: " + b"b" * 4_096, b"2;" + b"x" * 4_096], ids=str)
def test_a_chunked_body_without_end_is_broken_off(server: Live, part: bytes) -> None:
    """Trailers, one of them, or the extension of a chunk that never ends: the connection is closed (GEN-3)."""
    begin = b"" if part.startswith(b"2") else b"0\r\n"
    with connected(server.url) as connection, suppress(ConnectionError):
        connection.send(post(b"Transfer-Encoding: chunked\r\n", body=begin + part))
        for _ in range(40):
            connection.send(part.removeprefix(b"2;").removeprefix(b"A: bb"))
        assert connection.rest() == b""


def test_a_refused_head_behind_a_request_is_answered_after_it(server: Live) -> None:
    """Responses stay in order; what follows the refused one is not read (GEN-3)."""
    with connected(server.url) as connection:
        connection.send(post(LENGTH) + of_fields(MAX_FIELDS + 1) + post(LENGTH))
        assert connection.response().status == 200
        check_refused(connection.response())
        assert connection.rest() == b""


def test_refusals_are_journalled_and_not_logged() -> None:
    """The journal has them, with as much of the target as is sure to have come, and without fields (GEN-3)."""
    with quiet(world()) as server:
        check_refused(ended(server, of_fields(MAX_FIELDS + 1)))
        check_refused(ended(server, get("/" + "x" * 70_000)))
        first, second = server.client.get("/_mock/requests").json()["requests"]
        assert (first["path"], first["status"], first["organisation"]) == ("/api/v1/catalog", 431, None)
        assert (len(second["path"]), second["status"]) == (1_000, 431)
