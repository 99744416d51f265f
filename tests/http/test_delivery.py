"""What the journal says of responses that were not sent at once and whole."""

from contextlib import suppress
from typing import Any

import httpx
import pytest

from labs_mock.testing import LabsMock
from tests.http.datasets import LONG, dataset, get, in_state, name_of, with_datasets
from tests.http.test_batch import WHERE, conversation, item
from tests.http.test_streaming import exporting
from tests.support import KEY, Live, live, world

EVALUATE = "/api/v1/evaluate"
BODY = {**WHERE, "messages": conversation("Tell me what happened.")}
DATASET = name_of("ready")
SIZE = 1_000


def last(url: str) -> dict[str, Any]:
    """The newest record, requested over a connection of its own."""
    with httpx.Client(base_url=url) as client:
        record: dict[str, Any] = client.get("/_mock/requests", params={"limit": 1}).json()["requests"][0]
    return record


def after(fault: dict[str, Any], path: str, body: Any = None) -> dict[str, Any]:
    """The record of a request that triggered a fault, looked up as soon as its client has seen the end."""
    with live(with_datasets(in_state("ready"))) as server:
        server.client.post("/_mock/faults", json={"path": path, **fault}).raise_for_status()
        with suppress(httpx.TransportError), httpx.Client(base_url=server.url, timeout=0.5) as client:
            client.request(
                "GET" if body is None else "POST", path, json=body, headers={"authorization": f"Bearer {KEY}"}
            )
        return last(server.url)


@pytest.mark.parametrize(
    ("fault", "delivery"),
    [
        ({"close": True}, ["closed"]),
        ({"cut": 120}, ["cut after 120 bytes"]),
        ({"cut": 0}, ["cut after 0 bytes"]),
        ({"cut": 100_000}, []),
        ({"reset": "head"}, ["reset before the head"]),
        ({"reset": 1}, ["reset after 1 byte"]),
        ({"stall": "head"}, ["stalled before the head"]),
        ({"stall": 40}, ["stalled after 40 bytes"]),
        ({"garbage": True}, ["garbage"]),
        ({"content_type": "text/html"}, ["content type text/html"]),
        ({"status": 503}, []),
        ({"row_count": 1}, []),
        ({"duplicate_line": 1}, []),
        ({"fail_item": 0}, []),
    ],
)
def test_what_a_fault_did_is_in_the_record(fault: dict[str, Any], delivery: list[str]) -> None:
    """As soon as the client has seen it; what a response does not have was not changed."""
    record = after(fault, EVALUATE, BODY)
    assert (record["delivery"], record["status"]) == (delivery, fault.get("status", 200))
    assert record["findings"] == []
    assert record["faults"] == ["fault-1"]


@pytest.mark.parametrize(
    ("fault", "delivery"),
    [
        ({"duplicate_line": 2}, ["line 2 twice"]),
        ({"swap_lines": 1}, ["lines 1 and 2 swapped"]),
        ({"swap_lines": 50}, []),
        ({"error_line": 50}, ["an error before line 50"]),
        ({"error_line": 51}, []),
        ({"row_count": -1}, ["X-Row-Count off by -1"]),
        ({"cut_after_line": 0}, ["cut after 0 bytes"]),
    ],
)
def test_so_is_what_it_did_to_an_export(fault: dict[str, Any], delivery: list[str]) -> None:
    """Lines that an export does not have are not changed (DS-4)."""
    assert after(fault, f"/api/v1/training-datasets/{DATASET}/export")["delivery"] == delivery


@pytest.mark.parametrize(
    ("fault", "delivery"),
    [
        ({"fail_item": 0}, ["1 result failed"]),
        ({"drop_result": "b"}, ["1 result dropped"]),
        ({"reverse_results": True}, ["results reversed"]),
        ({"fail_item": "c"}, []),
    ],
)
def test_so_is_what_it_did_to_a_batch(fault: dict[str, Any], delivery: list[str]) -> None:
    """Items that a batch does not have are not changed (BAT-1)."""
    body = {"items": [item("a"), item("b", scenario_slug="x")]}
    assert after(fault, "/api/v1/batch/evaluate", body)["delivery"] == delivery


@pytest.mark.parametrize("before", ["head", "body", "chunk"])
def test_a_client_that_leaves_during_a_delay_is_a_finding(before: str) -> None:
    """With the bytes that were sent before; that is a finding, and no warning (GEN-4)."""
    record = after({"delay": 60, "before": before}, EVALUATE, BODY)
    place = "before the head" if before == "head" else "after 0 bytes"
    assert record["delivery"] == [f"{before} delayed by 60 s", f"client left {place}"]
    assert record["findings"] == [{"code": "client_left", "severity": "info", "place": "", "hint": place}]


def test_a_client_that_leaves_is_known_on_a_connection_that_is_open_already() -> None:
    """The journal is read at once, over a connection that needs no time to be made."""
    with live(world()) as server:
        server.client.post("/_mock/faults", json={"path": EVALUATE, "delay": 60}).raise_for_status()
        for number in range(1, 6):
            with suppress(httpx.TransportError):
                httpx.post(f"{server.url}{EVALUATE}", json=BODY, timeout=0.1)
            found = server.client.get("/_mock/requests", params={"finding": "client_left"}).json()
            assert found["count"] == number


def test_a_client_that_leaves_an_export_is_a_finding() -> None:
    """In the middle of a stream without any fault, with the bytes that were given to the network (DS-4)."""
    with live(with_datasets(dataset(LONG, count=20_000))) as server:
        with exporting(server.url) as response:
            response.read(1_000)
        record = last(server.url)
        (finding,) = record["findings"]
        assert (finding["code"], finding["severity"]) == ("client_left", "info")
        assert record["delivery"] == [f"client left {finding['hint']}"]
        length = int(finding["hint"].split()[1].replace(",", ""))
        assert 1_000 <= length < len(get(server, LONG, "export").content)
        assert last(server.url)["delivery"] == []


def test_a_response_that_is_sent_whole_has_no_notes(server: Live) -> None:
    """Nothing is noted of it."""
    server.post("/evaluate", BODY)
    record = last(server.url)
    assert (record["delivery"], record["findings"]) == ([], [])


def test_a_line_of_a_request_shows_how_its_response_was_sent() -> None:
    """In whatever shows it, such as a failed assertion and the section of a failed test."""
    with LabsMock() as mock:
        mock.add_fault(path=EVALUATE, nth=1, close=True)
        mock.add_fault(path=EVALUATE, nth=2, cut=120)
        for _ in range(2):
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.post(
                    f"{mock.url}{EVALUATE}",
                    json={**BODY, "scenario_slug": "lower-back-claim"},
                    headers={"authorization": f"Bearer {mock.api_key}"},
                )
        assert [str(request) for request in mock.requests] == [
            f"POST {EVALUATE} -> 200 (closed)",
            f"POST {EVALUATE} -> 200 (cut after 120 bytes)",
        ]
        with pytest.raises(AssertionError, match=r"-> 200 \(closed\)"):
            mock.assert_requested("GET", EVALUATE)
