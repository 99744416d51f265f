from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labs_mock.config.library import load_library, shipped_library
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.state import World
from tests.http.clients import HEADERS, ClientRequest, quiet, with_httpx
from tests.http.datasets import LONG, dataset, with_datasets
from tests.http.test_streaming import made, settled
from tests.support import Live, world

CHECK_INS = "3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d"
ROWS, MANY = 200, 3_000
KINDS = ("duplicate_line", "swap_lines", "error_line", "cut_after_line", "cut_in_line", "cut", "reset")
CUT = httpx.RemoteProtocolError
FAILURES = {"cut_after_line": CUT, "cut_in_line": CUT, "cut": CUT, "reset": httpx.ReadError}
ERROR = orjson.dumps({"error": "A fault of the mock server's fault plan"}) + b"\n"


def export(name: str) -> ClientRequest:
    """The export of a dataset."""
    return ClientRequest(f"/api/v1/training-datasets/{name}/export")


@pytest.fixture(scope="module")
def shipped() -> Iterator[Live]:
    """A server of the shipped library on which the check-ins are ready; it must not log anything."""
    with quiet(World(world().settings, load_library(shipped_library()))) as server:
        server.client.patch(f"/_mock/datasets/{CHECK_INS}", json={"status": "ready"}).raise_for_status()
        yield server


@pytest.fixture(scope="module")
def lines(shipped: Live) -> list[bytes]:
    """The lines of the check-ins, which are more than one chunk has."""
    shipped.remove_faults()  # which another test may have left
    found = with_httpx(shipped.url, export(CHECK_INS)).body.splitlines(keepends=True)
    assert len(found) == ROWS
    assert sum(map(len, found)) > 2 * 64 * 1_024
    return found


@pytest.fixture
def fresh() -> Iterator[Live]:
    """A server with a dataset of which no row is made yet; it must not log anything."""
    with quiet(with_datasets(dataset(LONG, count=MANY))) as server:
        yield server


def add(server: Live, *plan: dict[str, Any]) -> None:
    """Let faults be the plan."""
    server.remove_faults()
    for fault in plan:
        assert server.client.post("/_mock/faults", json=fault).status_code == 200


def changed(kind: str, number: int, lines: list[bytes]) -> list[bytes]:
    """Lines of which one was changed."""
    before, chosen, after = lines[: number - 1], lines[number - 1 : number], lines[number:]
    return {
        "duplicate_line": [*before, *chosen, *chosen, *after],
        "swap_lines": [*before, *after[:1], *chosen, *after[1:]],
        "error_line": [*before, *[ERROR] * len(chosen), *chosen, *after],
    }[kind]


def ended(kind: str, number: int, lines: list[bytes]) -> list[bytes] | None:
    """What is left of lines; None if they are not so many."""
    if kind == "cut_after_line":
        return lines[:number] if number <= len(lines) else None
    if kind == "cut_in_line":
        half = [line[: len(line) // 2] for line in lines[number - 1 : number]]
        return lines[: number - 1] + half if half else None
    return [b"".join(lines)[:number]] if number <= sum(map(len, lines)) else None


def expected_body(plan: list[tuple[str, int]], lines: list[bytes]) -> tuple[bytes, Any]:
    """What is left of some lines, and how that ends: first all changes, then all ends, each kind in its turn."""
    failure: Any = 0
    for kind, number in sorted(plan, key=lambda fault: KINDS.index(fault[0])):
        if kind in FAILURES:
            left = ended(kind, number, lines)
            lines, failure = (lines, failure) if left is None else (left, FAILURES[kind])
        else:
            lines = changed(kind, number, lines)
    return b"".join(lines), failure


by_line = st.tuples(st.sampled_from(KINDS[:5]), st.integers(1, ROWS + 2))
by_byte = st.tuples(st.sampled_from(KINDS[5:]), st.integers(0, 300_000))


@given(by_line | by_byte)
@example(("cut_after_line", 0))
@example(("cut_after_line", ROWS))
@example(("swap_lines", ROWS))
@example(("error_line", ROWS + 1))
def test_a_stream_is_befallen_at_the_line_or_byte_that_was_named(
    shipped: Live, lines: list[bytes], fault: tuple[str, int]
) -> None:
    """Wherever chunks end, and nothing happens at a line or byte that there is not (DS-4)."""
    add(shipped, dict([fault]))
    seen = with_httpx(shipped.url, export(CHECK_INS))
    assert (seen.body, seen.failure) == expected_body([fault], lines)
    assert seen.headers["x-row-count"] == str(ROWS)


@given(st.lists(by_line | by_byte, min_size=2, max_size=4))
@settings(max_examples=50)
def test_several_faults_befall_a_stream_in_one_order(
    shipped: Live, lines: list[bytes], plan: list[tuple[str, int]]
) -> None:
    """Lines change before the stream breaks off, whichever fault was there first; no fault makes another undone."""
    add(shipped, *(dict([fault]) for fault in plan))
    seen = with_httpx(shipped.url, export(CHECK_INS))
    assert (seen.body, seen.failure) == expected_body(plan, lines)


@pytest.mark.parametrize("fault", [{"stall_after_line": 150}, {"stall_after_line": 0}, {"stall": 100_000}])
def test_a_stream_stalls_where_it_was_told_to(shipped: Live, lines: list[bytes], fault: dict[str, int]) -> None:
    """All that comes before has come, and nothing more comes."""
    add(shipped, fault)
    seen = with_httpx(shipped.url, export(CHECK_INS), 0.5)
    expected = b"".join(lines)[: fault["stall"]] if "stall" in fault else b"".join(lines[: fault["stall_after_line"]])
    assert (seen.body, seen.failure) == (expected, httpx.ReadTimeout)


def test_garbage_is_not_cut_into_lines(shipped: Live) -> None:
    """A body that has no lines stays what it is, whatever faults of lines do; a fault that ends it ends it."""
    add(shipped, {"garbage": True})
    garbage = with_httpx(shipped.url, export(CHECK_INS)).body
    assert garbage
    for fault in ({"duplicate_line": 2}, {"error_line": 2}, {"swap_lines": 1}, {"cut_after_line": 2}):
        add(shipped, fault, {"garbage": True})
        assert with_httpx(shipped.url, export(CHECK_INS)).body == garbage


@pytest.mark.parametrize(("status", "code"), [("running", 202), ("cancelled", 409), ("failed", 500)])
def test_a_status_has_no_lines(status: str, code: int) -> None:
    """Where an export responds with the status of its dataset, no fault of lines is applied (DS-3)."""
    error = {"error": "The disk is full"} if status == "failed" else {}
    with quiet(with_datasets(dataset(LONG, count=5))) as server:
        server.client.patch(f"/_mock/datasets/{LONG}", json={"status": status, **error}).raise_for_status()
        add(server, {"duplicate_line": 1}, {"row_count": 7}, {"cut_after_line": 0}, {"error_line": 1})
        seen = with_httpx(server.url, export(LONG))
    assert (seen.status, seen.failure, orjson.loads(seen.body)["status"]) == (code, 0, status)
    assert "x-row-count" not in seen.headers


def test_rows_that_are_made_meanwhile_are_befallen_alike(fresh: Live) -> None:
    """The first export, for which rows are made, and a later one, for which they are read, are cut alike (DS-6)."""
    add(fresh, {"cut_in_line": 2_900})
    first = with_httpx(fresh.url, export(LONG))
    again = with_httpx(fresh.url, export(LONG))
    assert (again.body, again.failure) == (first.body, first.failure)
    add(fresh)
    lines = with_httpx(fresh.url, export(LONG)).body.splitlines(keepends=True)
    assert (first.body, first.failure) == expected_body([("cut_in_line", 2_900)], lines)


def test_exports_that_are_befallen_hold_nobody_up(fresh: Live) -> None:
    """Eight at a time, with lines that change in every second one: all end, and the others are whole (DET-2)."""
    add(fresh, {"every": 2, "swap_lines": 2_000}, {"every": 2, "duplicate_line": 1})
    with ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(lambda _: with_httpx(fresh.url, export(LONG)).body, range(8)))
    add(fresh)
    lines = with_httpx(fresh.url, export(LONG)).body.splitlines(keepends=True)
    other, _ = expected_body([("swap_lines", 2_000), ("duplicate_line", 1)], lines)
    assert sorted(bodies) == sorted([b"".join(lines), other] * 4)


@pytest.mark.parametrize(
    "fault",
    [{"stall": 0}, {"stall": 1}, {"stall_after_line": 0}, {"stall_after_line": 1}, {"delay": 60, "before": "chunk"}],
)
def test_an_export_that_stands_still_holds_nobody_up(fresh: Live, fault: dict[str, Any]) -> None:
    """Others get rows that it would have made (DS-4)."""
    add(fresh, {"first": 1, **fault})
    with fresh.client.stream("GET", export(LONG).path, headers=HEADERS) as standing:
        assert standing.status_code == 200
        assert with_httpx(fresh.url, export(LONG)).body.count(b"\n") == MANY


@pytest.mark.parametrize("fault", [{"row_count": 1}, {"duplicate_line": 1}, {"cut": 100_000_000}])
def test_a_client_that_leaves_stops_the_work(fault: dict[str, Any]) -> None:
    """No more than a few rows are made for an export with a fault once its client is gone (DS-4)."""
    with quiet(with_datasets(dataset(LONG, count=40_000))) as server:
        add(server, {"path": "*/export", **fault})
        with server.client.stream("GET", export(LONG).path, headers=HEADERS) as response:
            assert len(next(response.iter_raw())) > 0
        left = made(server)
        assert settled(server) <= left + 10_000 < 40_000


def test_a_delay_comes_before_chunks_and_not_before_rows(fresh: Live) -> None:
    """The rows of a chunk are made without delay; then the chunk waits."""
    add(fresh, {"path": "*/export", "delay": 1, "before": "chunk"})
    with fresh.client.stream("GET", export(LONG).path, headers=HEADERS) as response:
        assert response.status_code == 200
        assert 50 < settled(fresh) < MANY


def test_every_chunk_is_delayed() -> None:
    """Ten chunks wait ten times, on the server's clock."""
    given_lines = tuple(b"x" * 39_999 + b"\n" for _ in range(20))
    ready = Dataset(LONG, "rows", "Rows", (Stage("ready", ""),), given_lines)
    with quiet(with_datasets(ready, clock="x10000")) as server:
        add(server, {"delay": 100, "before": "chunk"})
        start = server.now()
        assert with_httpx(server.url, export(LONG)).body == b"".join(given_lines)
        assert server.now() - start >= 1_000
