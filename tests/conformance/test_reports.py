"""What the four reports say of a run, and what they never say."""

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Failure, JUnitXml, Skipped, TestCase
from rich.console import Console

from labs_mock.config.server_file import KeyEntry
from labs_mock.conformance.checks import Check, check
from labs_mock.conformance.client import Client
from labs_mock.conformance.exchanges import HIDDEN
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.reports.document import ReportDocument, as_json, document, printable
from labs_mock.conformance.reports.files import WRITERS, chosen, write
from labs_mock.conformance.reports.junit import as_junit
from labs_mock.conformance.reports.page import as_page
from labs_mock.conformance.reports.terminal import print_report
from labs_mock.conformance.runner import PROFILES, run
from labs_mock.conformance.verdicts import Report
from labs_mock.contract.clauses import CLAUSES
from labs_mock.errors import LabsMockError
from tests.support import Live, live, world

KEY = "lab_unreadable_4711"
HOSTILE = "</pre><script>alert('\x1b[31m\x00\ud800')</script> & \"quotes\" [bold]"
PARTS = [(clause.name, basis) for clause in CLAUSES for basis in ("documented", "inferred") if getattr(clause, basis)]


@check("EV-1", "RL-1")
def breaks(lab: Lab) -> None:
    """A failure and a difference, with the key in requests and answers and with texts that would break a page."""
    lab.ask("evaluate", headers={"x-note": f"{HIDDEN} <b>"}, content=f'{{"{HIDDEN}": "{HIDDEN}"}}'.encode())
    lab.ask("list_catalog", authorization=f"Basic {HIDDEN}")
    lab.expect("EV-1", held=False, expected=HOSTILE, seen={"a": HOSTILE})
    lab.expect("RL-1", held=False, expected="this", seen="that", inferred=True)


@check("BAT-1")
def stops(lab: Lab) -> None:
    """An error in the check itself."""
    raise RuntimeError(f"{lab.client.url} {HOSTILE}")


def reported(server: Live, *checks: Check) -> Report:
    """A run of some checks."""
    with Client(server.url, KEY) as client:
        return run(Lab(client), PROFILES["quick"], checks=checks)


@pytest.fixture(scope="module")
def broken() -> Report:
    """A run with a failure, a difference, and a check that could not be completed."""
    with live(world(keys=[KeyEntry(key=KEY, organisation="a")])) as server:
        return reported(server, breaks, stops)


@pytest.fixture(scope="module")
def told(broken: Report) -> ReportDocument:
    """What is said of it."""
    return document(broken)


def terminal(told: ReportDocument, width: int = 100) -> str:
    """What a terminal of some width shows."""
    console = Console(file=io.StringIO(), width=width)
    print_report(told, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


REPORTS = {**WRITERS, "terminal": terminal}


@pytest.mark.parametrize("kind", REPORTS)
def test_no_report_holds_the_key(told: ReportDocument, kind: str) -> None:
    """Wherever it was sent or came back, its name stands (ERR-2)."""
    text = REPORTS[kind](told)
    assert KEY not in text
    assert "$LABS_API_KEY" in text


@pytest.mark.parametrize("kind", REPORTS)
def test_no_report_has_characters_that_a_terminal_or_a_file_cannot_take(told: ReportDocument, kind: str) -> None:
    """Control characters and lone surrogates of a server stand as escapes."""
    text = REPORTS[kind](told)
    assert printable(text) == text
    assert "x1b" in text
    text.encode()


def test_a_report_turns_no_text_around() -> None:
    """Bidi controls and what else cannot be seen are escapes, too; line ends and tabs stay."""
    assert printable("a\n\tb\u202e\x1b]0;\x07") == "a\n\tb\\u202e\\x1b]0;\\x07"


@given(st.text(st.characters(exclude_categories=()), min_size=1))
def test_any_text_can_stand_in_xml(text: str) -> None:
    """Whatever a server says can be written and read again, but for white space."""
    case = TestCase(printable(text))
    case.system_out = printable(text)
    again = TestCase.fromstring(case.tostring())  # type: ignore[no-untyped-call] # the library has types, but not everywhere
    assert again.system_out == printable(text)


def test_json_has_everything(told: ReportDocument) -> None:
    """A clause's text, basis, outcome, judgements and reason; for a violation what was expected, seen and sent."""
    said = json.loads(as_json(told))
    assert [(one["clause"], one["basis"]) for one in said["clauses"]] == PARTS
    by_part = {(one["clause"], one["basis"]): one for one in said["clauses"]}
    failed, differs, skipped = (by_part[part] for part in (("EV-1", "documented"), ("RL-1", "inferred"), PARTS[-1]))
    assert (failed["outcome"], differs["outcome"], skipped["outcome"]) == ("failed", "differs", "skipped")
    assert skipped["reason"]
    assert "<script>" in failed["expected"]
    assert (differs["expected"], differs["seen"]) == ("this", "that")
    assert [step["status"] for step in failed["steps"]] == [400, 401]
    assert all(step["curl"].startswith("curl ") for step in failed["steps"])
    assert by_part["GEN-1", "documented"]["judged"] > 0
    assert said["counts"]["failed"] == said["counts"]["differs"] == 1
    assert not said["passed"]
    assert len(said["errors"]) == 1


def test_equal_runs_have_equal_reports(server: Live) -> None:
    """Nothing but the two times tells one from the other."""
    texts = []
    for _ in range(2):
        server.world.reset()
        with Client(server.url, "lab_local", max_requests=150) as client:
            said = document(run(Lab(client), PROFILES["quick"], 3))
        texts.append([write_(replace(said, seconds=0, waited=0)) for write_ in WRITERS.values()])
    assert texts[0] == texts[1]


@pytest.mark.parametrize("strict", [False, True])
def test_junit_has_a_case_for_each_part(broken: Report, strict: bool) -> None:
    """A difference is skipped with its reason, and a failure in a strict run; an error is one."""
    (suite,) = JUnitXml.fromstring(as_junit(document(broken, strict=strict)))
    assert (suite.tests, suite.failures, suite.errors) == (len(PARTS) + 2, 1 + strict, 1)
    cases = {case.name: case for case in suite}
    assert [*cases][:-2] == [f"{clause} {basis}" for clause, basis in PARTS]
    [failure] = cases["EV-1 documented"].result
    assert "curl" in failure.text
    [difference] = cases["RL-1 inferred"].result
    assert isinstance(difference, Failure if strict else Skipped)
    assert strict or str(difference.message).startswith("differs from our reading: expected this; seen: that")
    [reason] = cases["RL-2 documented"].result
    assert reason.message
    assert all(case.system_out for case in [*cases.values()][:-2])


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


def test_the_page_is_one_file_and_takes_nothing_for_markup(told: ReportDocument) -> None:
    """It has no script, no other file, and what a server says is text in it."""
    page = as_page(told)
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
    for entry in told.clauses:
        assert entry.text.replace("`", "") in seen.text
        assert entry.reason[1:] in seen.text
        assert all(step.curl in seen.text for step in entry.steps)
    assert "</pre><script>alert(" in seen.text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_table_fits_the_terminal(told: ReportDocument, width: int) -> None:
    """Each part of a clause has a row, and no row is wider than the terminal; differences stand before failures."""
    said = terminal(told, width)
    table, _, rest = said.partition("\nRL-1 differs from our reading")
    assert max(map(len, table.splitlines())) <= width
    found = re.findall(r"^([A-Z]+-\d+) +(documented|inferred) ", table, re.MULTILINE)
    assert found == PARTS
    assert "EV-1 failed" in rest
    assert "could not be completed test_reports.stops: RuntimeError" in rest
    assert "1 failed, 1 differs" in rest


def test_reports_are_written_where_they_are_asked_for(
    told: ReportDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files and standard output get the same text."""
    asked: dict[str, Any] = {"json": "-", "junit": str(tmp_path / "a.xml"), "html": None}
    write(told, chosen(asked))
    assert capsys.readouterr().out == as_json(told)
    assert (tmp_path / "a.xml").read_text(encoding="utf-8") == as_junit(told)


@pytest.mark.parametrize(
    "asked", [{"json": "-", "html": "-"}, {"json": "no/such/folder/a.json"}, {"junit": "."}], ids=str
)
def test_what_cannot_be_written_is_said_before_the_run(asked: dict[str, str]) -> None:
    """Two reports for one output, a folder that is not there, a folder instead of a file."""
    with pytest.raises(LabsMockError):
        chosen({"json": None, "junit": None, "html": None, **asked})
