"""The tables of benchmarks; nothing here is timed."""

import cProfile
import pstats
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import orjson
import pytest
from benchmarks import report
from benchmarks.client import Client
from benchmarks.figures import Figure, NotMeasured, ratio
from benchmarks.library import FEW, MANY, library, many_patterns
from benchmarks.load import WRK, load
from benchmarks.prepared import call, make_app, prepare
from benchmarks.profile import spent
from benchmarks.rows import TABLES, Row, at_least, at_most
from benchmarks.templates import LONG, SHORT, evaluations, fresh
from rich.console import Console

from labs_mock.config.library import load_library
from labs_mock.testing import LabsMock

README = report.README.read_text(encoding="utf-8")


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_every_row_has_a_figure_of_its_own(rows: tuple[Row, ...]) -> None:
    """Each row names a field of what its benchmark returns, each field has a row, and no two rows have one name."""
    named = [(row.benchmark, row.field) for row in rows]
    returned = [
        (benchmark, field)
        for benchmark in dict.fromkeys(row.benchmark for row in rows)
        for field in get_type_hints(benchmark)["return"]._fields
    ]
    assert sorted(named, key=str) == sorted(returned, key=str)
    assert len({row.what for row in rows}) == len(rows)


@pytest.mark.parametrize("name", [name for name in TABLES if name != "base"])
def test_the_page_has_the_rows_of_the_table(name: str) -> None:
    """README.md names the same rows with the same targets in the same order."""
    begin = report.BEGIN.format(name=name)
    _, found, rest = README.partition(begin)
    assert found
    lines = [line.strip("| ").split(" | ") for line in rest.partition(report.END)[0].splitlines() if line[:2] == "| "]
    expected = [(row.what, row.how, str(row.target or "-")) for row in TABLES[name]]
    assert [(what, how, target) for what, how, _, target, *_ in lines[2:]] == expected


def test_results_are_kept_and_put_into_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of several tables are kept in one file; those that have a place in the page replace what is there."""
    page, kept = tmp_path / "README.md", tmp_path / "last.json"
    page.write_text(f"before\n{report.BEGIN.format(name='bench')}old\n{report.END}after\n", encoding="utf-8")
    monkeypatch.setattr(report, "README", page)
    result = {"what": "one", "how": "so", "figure": 1.25, "target": "≤ 2", "met": True, "detail": "5 ÷ 4 ms"}
    report.write("bench", [result], kept)
    report.write("base", [{**result, "what": "another"}], kept)
    report.write_readme(kept)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- results: bench -->\n")
    assert text.endswith("| one | so | 1.25 | ≤ 2 | yes | 5 ÷ 4 ms |\n<!-- end of results -->\nafter\n")
    assert "old" not in text
    assert set(orjson.loads(kept.read_bytes())) == {"bench", "base"}


class Both(NamedTuple):
    """Two figures of one benchmark."""

    first: Figure
    second: Figure


def test_a_benchmark_runs_once_and_may_be_missing() -> None:
    """A benchmark of several rows runs once; what cannot be measured is a row with the reason."""
    runs = []

    def measured() -> Both:
        runs.append(1)
        return Both(Figure(3.0, "made"), ratio([4, 6, 5], [1, 1, 2], "ms"))

    def missing() -> Both:
        raise NotMeasured("there is no such program")

    rows = [
        Row("one", "", at_least(3), measured, "first"),
        Row("two", "", at_most(2), measured, "second"),
        Row("three", "", at_most(2), missing, "first"),
    ]
    results = report.measure(rows, Console(quiet=True))
    assert runs == [1]
    assert [(result["figure"], result["met"]) for result in results] == [(3.0, True), (5.0, False), (None, None)]
    assert results[1]["detail"] == "5 ÷ 1 ms; rounds 2.50 to 6.00"
    assert results[2]["detail"] == "there is no such program"


def test_requests_are_answered_in_their_order_and_differ() -> None:
    """Over several connections, one at a time or pipelined; each of the messages has its length, and no request comes twice."""
    requests = [request for length in (SHORT, LONG) for request in islice(fresh(evaluations(length)), 40)]
    assert len(set(requests)) == len(requests)
    lengths = [{len(message["content"]) for message in body_of(request)["messages"]} for request in requests]
    assert lengths == [{SHORT}] * 40 + [{LONG}] * 40
    with LabsMock() as mock, Client(port_of(mock), 3) as client:
        ids = [orjson.loads(body)["request_id"] for body in client.send(requests)]
        received = {recorded.request_id: recorded.json for recorded in mock.requests}
        pipelined = list(client.responses([[b"".join(requests[:5])], [b"".join(requests[5:10])]], pipelined=5))
    assert [received[name] for name in ids] == [body_of(request) for request in requests]
    assert sorted(response.connection for response in pipelined) == [0] * 5 + [1] * 5


@pytest.mark.parametrize(
    "program", ["bundled", pytest.param("wrk", marks=pytest.mark.skipif(WRK is None, reason="no wrk"))]
)
def test_both_loads_send_requests_that_differ(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrk and the bundled client send the same kind of requests, none of them twice, and all of them are answered."""
    if program == "bundled":
        monkeypatch.setattr("benchmarks.load.WRK", None)
    templates = evaluations(SHORT)
    with LabsMock() as mock:
        measured = load(port_of(mock), templates, 2, seconds=1)
        bodies = [recorded.json for recorded in mock.requests]
    assert measured.rate > 0
    assert 0 < measured.p50 <= measured.p99
    assert {recorded["scenario_slug"] for recorded in bodies} == {"lower-back-claim"}
    assert len({str(body) for body in bodies}) == len(bodies)


def test_what_is_refused_is_no_figure() -> None:
    """A response other than 200 is the reason why there is no figure."""
    with LabsMock() as mock, Client(port_of(mock), 1) as client, pytest.raises(NotMeasured, match="404 Not Found"):
        client.send([b"GET /api/v1/nothing HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer lab_local\r\n\r\n"])


def test_a_closed_connection_is_no_figure() -> None:
    """A server that closes a connection is the reason why there is no figure; nobody waits for it."""
    with LabsMock() as mock, Client(port_of(mock), 1) as client:
        request = next(fresh(evaluations(SHORT))).replace(b"Host", b"Connection: close\r\nHost")
        client.send([request])
        with pytest.raises((NotMeasured, ConnectionError)):
            client.send([request])


def test_the_library_of_the_benchmarks_is_sound() -> None:
    """It loads, with scenarios of few and of many patterns, and with a dataset of as many rows as wanted."""
    with library({1: 50}) as folder:
        loaded = load_library(Path(folder))
    assert {(scenario.collection, scenario.slug) for scenario in loaded.scenarios} >= {
        tuple(many_patterns(patterns).values()) for patterns in (FEW, MANY)
    }


@pytest.mark.parametrize("functions", [False, True])
def test_a_profile_loses_nothing(functions: bool) -> None:
    """All time and all calls that cProfile counts are somewhere: of a library by its name, of what else is built in at its caller."""
    app, profiler = make_app(), cProfile.Profile()
    profiler.runcall(call, app, prepare(fresh(evaluations(SHORT)), 20))
    profiler.runcall(orjson.loads, b"{}")
    stats: Any = pstats.Stats(profiler)
    seconds, calls = spent(stats.stats, functions)
    assert seconds.total() == pytest.approx(stats.total_tt, rel=0.001)
    assert calls.total() == pytest.approx(stats.total_calls, abs=5)
    assert calls["orjson.loads"]
    assert any(place.startswith("http/app ") if functions else place == "http/app" for place in seconds)


def port_of(mock: LabsMock) -> int:
    """The port of a server."""
    return int(mock.url.rsplit(":", 1)[1])


def body_of(request: bytes) -> Any:
    """The JSON of a request."""
    return orjson.loads(request.partition(b"\r\n\r\n")[2])
