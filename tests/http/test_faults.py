import re
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import orjson
import pytest
import requests

from labs_mock.config.fault_entry import BESIDE, KINDS
from labs_mock.config.library import Library, load_library, shipped_library
from labs_mock.contract.responses import BatchEvaluated
from labs_mock.http.faults.kinds import RESPONSE_FAULTS, RESULT_FAULTS
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.state import World
from tests.http.clients import CLIENTS, HEADERS, PATIENCE, ClientRequest, Received, quiet, received_by_all, with_httpx
from tests.http.datasets import with_datasets
from tests.support import KEY, Live, world

CLAIM = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
MESSAGES = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Please tell me what happened."}]
ITEMS = [{"id": name, **CLAIM, "messages": MESSAGES} for name in "abc"]
EVALUATE = ClientRequest("/api/v1/evaluate", {**CLAIM, "messages": MESSAGES})
BATCH = ClientRequest("/api/v1/batch/evaluate", {"items": ITEMS})
BY_HAND = "0a9d5c7e-3e21-4b6f-b8f0-62d4e1a7c938"
EXPORT = ClientRequest(f"/api/v1/training-datasets/{BY_HAND}/export")


@pytest.fixture(scope="module")
def known() -> Library:
    """The shipped library."""
    return load_library(shipped_library())


@pytest.fixture
def served(known: Library) -> Iterator[Live]:
    """A server of the shipped library that must not log anything, now or when it stops."""
    with quiet(World(world().settings, known)) as server:
        yield server


def add(server: Live, **fault: Any) -> None:
    """Add a fault."""
    assert server.client.post("/_mock/faults", json=fault).status_code == 200


def send(server: Live, sent: ClientRequest) -> httpx.Response:
    """A response as it is without faults."""
    return server.client.request(sent.method, sent.path, content=sent.content, headers=HEADERS)


def whole(server: Live, sent: ClientRequest) -> bytes:
    """The body of such a response."""
    response = send(server, sent)
    assert response.status_code == 200
    return response.content


def line(number: int) -> Callable[[bytes], int]:
    """How long a body is up to the end of a line."""
    return lambda body: len(b"".join(body.splitlines(keepends=True)[:number]))


NOTHING = -1
DISCONNECTED = (httpx.RemoteProtocolError, requests.ConnectionError, 52)
RESET = (httpx.ReadError, requests.ConnectionError, 56)
RESET_IN_BODY = (httpx.ReadError, requests.exceptions.ChunkedEncodingError, 56)
CUT = (httpx.RemoteProtocolError, requests.exceptions.ChunkedEncodingError, 18)
SILENT = (httpx.ReadTimeout, requests.ReadTimeout, 28)
SILENT_IN_BODY = (httpx.ReadTimeout, requests.ConnectionError, 28)

Failures = tuple[type[Exception] | int, ...]
BREAKS: list[tuple[dict[str, Any], ClientRequest, Failures, int | Callable[[bytes], int]]] = [
    ({"close": True}, EVALUATE, DISCONNECTED, NOTHING),
    ({"close": True}, EXPORT, DISCONNECTED, NOTHING),
    ({"reset": "head"}, EVALUATE, RESET, NOTHING),
    ({"reset": 0}, EVALUATE, RESET_IN_BODY, 0),
    ({"reset": 40}, EVALUATE, RESET_IN_BODY, 40),
    ({"reset": 700}, EXPORT, RESET_IN_BODY, 700),
    ({"cut": 0}, EVALUATE, CUT, 0),
    ({"cut": 40}, EVALUATE, CUT, 40),
    ({"cut": 700}, EXPORT, CUT, 700),
    ({"cut": 0}, EXPORT, CUT, 0),
    ({"stall": "head"}, EVALUATE, SILENT, NOTHING),
    ({"stall": 40}, EVALUATE, SILENT_IN_BODY, 40),
    ({"stall": 0}, EXPORT, SILENT_IN_BODY, 0),
    ({"delay": 60}, EVALUATE, SILENT, NOTHING),
    ({"delay": 60, "before": "head"}, EXPORT, SILENT, NOTHING),
    ({"delay": 60, "before": "body"}, EVALUATE, SILENT_IN_BODY, 0),
    ({"delay": 60, "before": "chunk"}, EXPORT, SILENT_IN_BODY, 0),
    ({"cut_after_line": 0}, EXPORT, CUT, 0),
    ({"cut_after_line": 1}, EXPORT, CUT, line(1)),
    ({"cut_after_line": 2}, EXPORT, CUT, line(2)),
    ({"cut_in_line": 2}, EXPORT, CUT, lambda body: (line(1)(body) + len(body)) // 2),
    ({"stall_after_line": 1}, EXPORT, SILENT_IN_BODY, line(1)),
]


@pytest.mark.parametrize(("fault", "sent", "failures", "length"), BREAKS)
def test_three_clients_see_an_answer_break_off(
    served: Live, fault: dict[str, Any], sent: ClientRequest, failures: Failures, length: int | Callable[[bytes], int]
) -> None:
    """Each says what its users know it to say; what came before the break is what would have come anyway."""
    body = whole(served, sent)
    size = length(body) if callable(length) else length
    add(served, id="broken", **fault)
    received = received_by_all(served.url, sent, 0.5 if failures in (SILENT, SILENT_IN_BODY) else PATIENCE)
    assert [one.failure for one in received] == list(failures)
    assert [one.status for one in received] == [0 if size == NOTHING else 200] * len(CLIENTS)
    assert [one.body for one in received] == [body[: max(size, 0)]] * len(CLIENTS)
    (fault_shown,) = served.client.get("/_mock/faults").json()["faults"]
    assert (fault_shown["matched"], fault_shown["applied"]) == (3, 3)
    served.remove_faults()
    assert whole(served, sent)[:40] == body[:40]


def lines_of(received: Received) -> list[bytes]:
    """The lines of an export."""
    return received.body.splitlines(keepends=True)


def results_of(received: Received) -> list[Any]:
    """The results of a batch, which must be what the contract says they are."""
    BatchEvaluated.model_validate_json(received.body)
    return list(orjson.loads(received.body)["results"])


def is_json(received: Received) -> bool:
    """Whether a body is JSON."""
    try:
        return bool(orjson.loads(received.body))
    except orjson.JSONDecodeError:
        return False


def failed(result: dict[str, Any]) -> dict[str, Any]:
    """The error item in the place of a result (BAT-2)."""
    return {"id": result["id"], "status": "error", "error": "A fault of the mock server's fault plan"}


def without_ids(received: Received) -> bytes:
    """The body without the id of its request, which differs from one request to the next."""
    return re.sub(rb"req_\w+", b"", received.body)


def with_nan(number: int) -> Callable[[bytes], bytes]:
    """What a body is when its n-th reward is NaN, from 0, as Python's `json` reads and writes it: all else is as it was."""

    def change(body: bytes) -> bytes:
        found = list(re.finditer(rb'"reward":([\d.]+)', body))[number]
        return body[: found.start(1)] + b"NaN" + body[found.end(1) :]

    return change


CHANGES: list[tuple[dict[str, Any], ClientRequest, Callable[[Received], Any], Callable[[Any], Any]]] = [
    ({"status": 503}, EVALUATE, lambda received: (received.status, "message" in orjson.loads(received.body)), lambda _: (503, True)),
    ({"status": 404, "message": "Gone"}, EXPORT, lambda received: (received.status, b'"Gone"' in received.body), lambda _: (404, True)),
    ({"garbage": True}, EVALUATE, lambda received: (received.status, is_json(received)), lambda _: (200, False)),
    ({"garbage": True}, EXPORT, lambda received: (received.status, is_json(received)), lambda _: (200, False)),
    ({"body": '{"reward": 0.5}'}, EVALUATE, without_ids, lambda _: b'{"reward": 0.5}'),
    ({"body": ""}, EXPORT, without_ids, lambda _: b""),
    ({"nan_reward": 0}, EVALUATE, without_ids, with_nan(0)),
    ({"nan_reward": 1}, BATCH, without_ids, with_nan(1)),
    ({"content_type": "text/html"}, EVALUATE, lambda received: received.headers["content-type"], lambda _: "text/html"),
    ({"content_type": "text/html"}, EXPORT, lambda received: received.headers["content-type"], lambda _: "text/html"),
    ({"row_count": 3}, EXPORT, lambda received: received.headers["x-row-count"], lambda _: "5"),
    ({"row_count": -3}, EXPORT, lambda received: received.headers["x-row-count"], lambda _: "0"),
    ({"duplicate_line": 1}, EXPORT, lines_of, lambda lines: [lines[0], *lines]),
    ({"swap_lines": 1}, EXPORT, lines_of, lambda lines: lines[::-1]),
    ({"error_line": 2}, EXPORT, lambda received: [set(orjson.loads(one)) for one in lines_of(received)],
     lambda keys: [keys[0], {"error"}, keys[1]]),
    ({"fail_item": 1}, BATCH, results_of, lambda results: [results[0], failed(results[1]), results[2]]),
    ({"reverse_results": True}, BATCH, results_of, lambda results: results[::-1]),
    ({"fail_item": "c"}, BATCH, results_of, lambda results: [*results[:2], failed(results[2])]),
    ({"drop_result": "a", "item": "b"}, BATCH, results_of, lambda results: results[1:]),
    ({"drop_result": 0}, BATCH, results_of, lambda results: results[1:]),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "sent", "look", "change"), CHANGES)
def test_three_clients_see_an_answer_changed(
    served: Live,
    fault: dict[str, Any],
    sent: ClientRequest,
    look: Callable[[Received], Any],
    change: Callable[[Any], Any],
) -> None:
    """The response ends as it should, and all see the same of it: what the fault did, and nothing else."""
    response = send(served, sent)
    plain = Received(200, dict(response.headers), response.content)
    add(served, **fault)
    received = received_by_all(served.url, sent)
    assert [one.failure for one in received] == [0] * len(CLIENTS)
    assert [look(one) for one in received] == [change(look(plain))] * len(CLIENTS)
    assert {name for one in received for name in one.headers} <= {*plain.headers, "content-length"}
    served.remove_faults()
    assert look(Received(200, dict(send(served, sent).headers), whole(served, sent))) == look(plain)


def test_every_kind_is_seen() -> None:
    """The two tables have all things that can happen."""
    assert {*KINDS} == {name for fault, *_ in (*BREAKS, *CHANGES) for name in fault} & {*KINDS}


def test_every_kind_has_a_function() -> None:
    """The functions that apply faults have the names of the kinds; those with fields beside them have code of their own."""
    assert sorted([*RESULT_FAULTS, *RESPONSE_FAULTS, *BESIDE.values()]) == sorted(KINDS)


UNFIT = [(EVALUATE, {"cut_after_line": 1}), (EVALUATE, {"row_count": 1}), (EVALUATE, {"fail_item": 0}), (EVALUATE, {"cut": 9_999}),
         (EXPORT, {"drop_result": 0}), (EXPORT, {"cut_after_line": 3}), (EXPORT, {"error_line": 3}), (EXPORT, {"swap_lines": 2}),
         (BATCH, {"drop_result": 3}), (BATCH, {"fail_item": 3}), (EXPORT, {"reset": 99_999}), (BATCH, {"duplicate_line": 1}),
         (BATCH, {"nan_reward": 3}), (EXPORT, {"nan_reward": 0})]  # fmt: skip


@pytest.mark.parametrize(("sent", "fault"), UNFIT)
def test_what_an_answer_does_not_have_is_not_changed(served: Live, sent: ClientRequest, fault: dict[str, Any]) -> None:
    """Lines of what is no export, results of what is no batch, and numbers beyond the end: the response is whole."""
    body = whole(served, sent)
    add(served, **fault)
    assert re.sub(rb"req_\w+", b"", whole(served, sent)) == re.sub(rb"req_\w+", b"", body)


def read_off(server: Live, sent: ClientRequest) -> tuple[bytes, bool]:
    """What comes on a bare socket, and whether that ends with a reset."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as client:
        head = f"{sent.method} {sent.path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        head += f"Authorization: Bearer {KEY}\r\nContent-Length: {len(sent.content)}\r\n\r\n"
        client.sendall(head.encode() + sent.content)
        received = b""
        try:
            while part := client.recv(1 << 16):
                received += part
        except ConnectionResetError:
            return received, True
        return received, False


BARE = [
    (EVALUATE, {"reset": "head"}, b"", True),
    (EXPORT, {"reset": "head"}, b"", True),
    (EVALUATE, {"close": True}, b"", False),
    (EXPORT, {"close": True}, b"", False),
    (EVALUATE, {"reset": 0}, b"HTTP/1.1 200 OK", True),
    (EXPORT, {"reset": 40}, b"HTTP/1.1 200 OK", True),
    (EVALUATE, {"cut": 0}, b"HTTP/1.1 200 OK", False),
    (EXPORT, {"cut": 40}, b"HTTP/1.1 200 OK", False),
    (EXPORT, {"cut_in_line": 1}, b"HTTP/1.1 200 OK", False),
    (EXPORT, {"cut_after_line": 1}, b"HTTP/1.1 200 OK", False),
]


@pytest.mark.parametrize(("sent", "fault", "first", "reset"), BARE)
def test_a_reset_is_a_tcp_reset(
    served: Live, sent: ClientRequest, fault: dict[str, Any], first: bytes, reset: bool
) -> None:
    """On a bare socket, receiving fails (ECONNRESET); where a connection is closed, it ends."""
    add(served, **fault)
    received, was_reset = read_off(served, sent)
    assert (received.partition(b"\r\n")[0], was_reset) == (first, reset)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports what was not received yet")
@pytest.mark.parametrize("length", [1, 100_000, 7_000_000])
def test_a_reset_takes_nothing_away_that_was_sent_before(length: int) -> None:
    """However much comes before it: the client gets all of that."""
    lines = tuple(b"%d" % (index % 10) * 9_999 + b"\n" for index in range(800))
    ready = Dataset(BY_HAND, "rows", "Rows", (Stage("ready", ""),), lines)
    with quiet(with_datasets(ready)) as server:
        add(server, reset=length)
        received = with_httpx(server.url, EXPORT)
    assert received.failure is httpx.ReadError
    assert received.body == b"".join(lines)[:length]
