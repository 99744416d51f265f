"""What the reports of a run contain, and what they never contain."""

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from labs_mock.config.server_file import KeyEntry
from labs_mock.conformance.checks import Check, check
from labs_mock.conformance.client import Client
from labs_mock.conformance.http_response import KEY_PLACEHOLDER, printable
from labs_mock.conformance.profiles import PROFILES
from labs_mock.conformance.report import Report
from labs_mock.conformance.reports.as_json import as_json
from labs_mock.conformance.reports.page import as_page
from labs_mock.conformance.reports.terminal import print_report
from labs_mock.conformance.reports.writing import WRITERS, writable_files, write
from labs_mock.conformance.runner import run_checks
from labs_mock.conformance.target import Target
from labs_mock.contract.clauses import PARTS
from labs_mock.errors import LabsMockError
from tests.support import Live, live, world

KEY = "lab_unreadable_4711"
HOSTILE = "</pre><script>alert('\x1b[31m\x00\ud800')</script> & \"quotes\" [bold]"


@check("EV-1", "RL-1")
def breaks(target: Target) -> None:
    """A failure and a difference, with the key in requests and answers and with texts that would break a page."""
    target.request(
        "evaluate",
        headers={"x-note": f"{KEY_PLACEHOLDER} <b>"},
        content=f'{{"{KEY_PLACEHOLDER}": "{KEY_PLACEHOLDER}"}}'.encode(),
    )
    target.request("list_catalog", authorization=f"Basic {KEY_PLACEHOLDER}")
    target.expect("EV-1", holds=False, expected=HOSTILE, seen={"a": HOSTILE})
    target.expect("RL-1", holds=False, expected="this", seen="that", inferred=True)


@check("BAT-1")
def stops(target: Target) -> None:
    """An error in the check itself."""
    raise RuntimeError(f"{target.client.url} {HOSTILE}")


def reported(server: Live, *checks: Check) -> Report:
    """A run of some checks."""
    with Client(server.url, KEY) as client:
        return run_checks(Target(client), PROFILES["quick"], checks=checks)


@pytest.fixture(scope="module")
def broken() -> Report:
    """A run with a failure, a difference, and a check that could not be completed."""
    with live(world(keys=[KeyEntry(key=KEY, organisation="a")])) as server:
        return reported(server, breaks, stops)


def terminal(broken: Report, width: int = 100) -> str:
    """What a terminal of some width shows."""
    console = Console(file=io.StringIO(), width=width)
    print_report(broken, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


REPORTS = {**WRITERS, "terminal": terminal}


@pytest.mark.parametrize("kind", REPORTS)
def test_no_report_holds_the_key(broken: Report, kind: str) -> None:
    """Wherever it was in a request or a response, its placeholder stands (ERR-2)."""
    text = REPORTS[kind](broken)
    assert KEY not in text
    assert "$LABS_API_KEY" in text


@pytest.mark.parametrize("kind", REPORTS)
def test_no_report_has_characters_that_a_terminal_or_a_file_cannot_take(broken: Report, kind: str) -> None:
    """Control characters and lone surrogates of a server stand as escapes."""
    text = REPORTS[kind](broken)
    assert printable(text) == text
    assert "x1b" in text
    text.encode()


def test_a_report_turns_no_text_around() -> None:
    """Bidi controls and what else cannot be seen are escapes, too; line ends and tabs stay."""
    assert printable("a\n\tb\u202e\x1b]0;\x07") == "a\n\tb\\u202e\\x1b]0;\\x07"


def test_json_has_everything(broken: Report) -> None:
    """A clause's text, basis, outcome, number of checks and reason; for a violation what was expected and seen, and the requests."""
    report = json.loads(as_json(broken))
    assert [(one["clause"], one["basis"]) for one in report["clauses"]] == [(part.clause, part.basis) for part in PARTS]
    by_part = {(one["clause"], one["basis"]): one for one in report["clauses"]}
    failed, differs, skipped = (
        by_part[part] for part in (("EV-1", "documented"), ("RL-1", "inferred"), ("DET-3", "inferred"))
    )
    assert (failed["outcome"], differs["outcome"], skipped["outcome"]) == ("failed", "differs", "skipped")
    assert skipped["reason"]
    assert "<script>" in failed["expected"]
    assert (differs["expected"], differs["seen"]) == ("this", "that")
    assert [step["status"] for step in failed["steps"]] == [400, 401]
    assert all(step["curl"].startswith("curl ") for step in failed["steps"])
    assert by_part["GEN-1", "documented"]["checked"] > 0
    assert report["counts"]["failed"] == report["counts"]["differs"] == 1
    assert not report["passed"]
    assert len(report["errors"]) == 1


def test_equal_runs_have_equal_reports(server: Live) -> None:
    """Nothing but the two times tells one from the other."""
    texts = []
    for _ in range(2):
        server.reset()
        with Client(server.url, "lab_local", max_requests=150) as client:
            report = run_checks(Target(client), PROFILES["quick"], 3)
        texts.append([write_(replace(report, seconds=0, waited=0)) for write_ in WRITERS.values()])
    assert texts[0] == texts[1]


class Tags(HTMLParser):
    """The tags and attributes of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_one_file_and_takes_nothing_for_markup(broken: Report) -> None:
    """It has no script, no other file, and what a server sends is text in it."""
    page = as_page(broken)
    seen = Tags(page)
    assert not seen.tags & {"script", "link", "img", "iframe", "object", "base"}
    assert {name for name, _ in seen.attributes} <= {
        "lang",
        "charset",
        "name",
        "content",
        "class",
        "id",
        "href",
        "colspan",
        "type",
        "checked",
    }
    anchors = [value for name, value in seen.attributes if name == "href" and value]
    assert anchors
    assert {anchor.removeprefix("#") for anchor in anchors} <= {
        value for name, value in seen.attributes if name == "id"
    }
    assert not re.search(r"url\(|@import", page)
    assert "prefers-color-scheme: dark" in page
    assert "width=device-width" in page
    assert "`" not in seen.text
    for verdict in broken.verdicts:
        assert verdict.part.text.replace("`", "") in seen.text
        assert verdict.reason[1:] in seen.text
    for verdict in broken.violated:
        assert verdict.violation is not None
        assert all(printable(response.curl()) in seen.text for response in verdict.violation.responses)
    assert "</pre><script>alert(" in seen.text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_table_fits_the_terminal(broken: Report, width: int) -> None:
    """Each part of a clause has a row, and no row is wider than the terminal; differences stand before failures."""
    text = terminal(broken, width)
    table, _, rest = text.partition("\nRL-1 differs from our reading")
    assert max(map(len, table.splitlines())) <= width
    found = re.findall(r"^([A-Z]+-\d+) +(documented|inferred) ", table, re.MULTILINE)
    assert found == [(part.clause, part.basis) for part in PARTS]
    assert "EV-1 failed" in rest
    assert "could not be completed test_reports.stops: RuntimeError" in rest
    assert "1 failed, 1 differs" in rest


def test_reports_are_written_where_options_name_files(
    broken: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files and standard output get the same text."""
    options: dict[str, Any] = {"json": "-", "html": str(tmp_path / "a.html")}
    write(broken, writable_files(options))
    assert capsys.readouterr().out == as_json(broken)
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == as_page(broken)


@pytest.mark.parametrize(
    "options", [{"json": "-", "html": "-"}, {"json": "no/such/folder/a.json"}, {"html": "."}], ids=str
)
def test_what_cannot_be_written_is_reported_before_the_run(options: dict[str, str]) -> None:
    """Two reports for one output, a folder that is not there, a folder instead of a file."""
    with pytest.raises(LabsMockError):
        writable_files({"json": None, "html": None, **options})
