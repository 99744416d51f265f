import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from labs_mock.cli.drill_formats import FORMATS, as_json, as_junit, as_table
from labs_mock.cli.junit import JunitCase, junit_text
from labs_mock.errors import StartError
from labs_mock.testing import DrillReport, DrillRow
from labs_mock.testing.drills import case_run
from labs_mock.testing.drills.cases import BY_NAME
from tests.cli.running import run

REPORT = DrillReport(
    "mine:score",
    (
        DrillRow("nothing-fails", "good", "right", "", 0, ()),
        DrillRow("503-once", "wrong", "0.0 (1 of 6)", "a number for what failed", 0, ()),
        DrillRow("429-reset-ahead", "check", "right", "before its reset", 6, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)),
        DrillRow("one-short", "skipped", "right", "no request triggered it", 0, ()),
    ),
)
CLIENT = """
import json, os, urllib.request

def score(conversations):
    rewards = []
    for one in conversations:
        headers = {"Authorization": f"Bearer {os.environ['LABS_API_KEY']}", "Content-Type": "application/json"}
        request = urllib.request.Request(os.environ["LABS_URL"] + "/api/v1/evaluate", json.dumps(one).encode(), headers)
        try:
            rewards.append(json.load(urllib.request.urlopen(request, timeout=20))["reward"])
        except OSError:
            rewards.append(0.0)
    return rewards
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zeros.py").write_text(CLIENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))  # so that what the command adds is gone after the test


def test_a_row_that_is_wrong_is_exit_code_1() -> None:
    """And none is 0; each format is one document."""
    ended = run("drill", "zeros:score", "--case", "nothing-fails")
    assert (ended.exit_code, "1 case, 1 good" in ended.output) == (0, True)
    ended = run("drill", "zeros:score", "--case", "status-500", "--case", "nothing-fails", "--format", "json")
    assert ended.exit_code == 1
    assert [(row["case"], row["rating"]) for row in json.loads(ended.output)["rows"]] == [
        ("nothing-fails", "good"),
        ("status-500", "wrong"),
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere:score"], "labs-mock: nowhere:score: cannot import nowhere: ModuleNotFoundError"),
        (["zeros:json"], "labs-mock: zeros:json: a module is not a function"),
        (["zeros:scores"], "did you mean 'score'?"),
        (["zeros"], "expected module:function"),
        (["zeros:score", "--case", "turn-lost"], "cannot meet it"),
    ],
)
def test_what_cannot_be_drilled_is_exit_code_2(arguments: list[str], expected: str) -> None:
    """With one line that says why."""
    ended = run("drill", *arguments)
    assert ended.exit_code == 2
    assert expected in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stdout == ""


def test_a_server_that_cannot_start_is_exit_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its reason."""

    def refuse(*_: object) -> None:
        raise StartError("cannot listen on 127.0.0.1 port 0: no socket is left")

    monkeypatch.setattr(case_run, "ServerThread", refuse)
    ended = run("drill", "zeros:score")
    assert (ended.exit_code, ended.stderr) == (3, "labs-mock: cannot listen on 127.0.0.1 port 0: no socket is left\n")


def test_the_table_has_every_row_and_what_good_code_does() -> None:
    """The latter for rows that are wrong or to be checked."""
    text = as_table(REPORT)
    for row in REPORT.rows:
        assert row.case in text
        advised = row.rating in ("wrong", "check")
        assert (f"{row.case}: {BY_NAME[row.case].happens}." in text) == advised
        assert (f"Good code {BY_NAME[row.case].good}." in text.replace("\n", " ")) == advised
    assert "6 retries after 0.1, 0.2, 0.3, 0.4 … s" in " ".join(text.replace("│", " ").split())
    assert text.splitlines()[-1] == "mine:score: 4 cases, 1 good, 1 check, 1 wrong, 1 skipped"


def test_json_has_every_field() -> None:
    """Of every row, and whether it passed."""
    found = json.loads(as_json(REPORT))
    assert {name: found[name] for name in ("function", "passed", "counts")} == {
        "function": "mine:score",
        "passed": False,
        "counts": {"good": 1, "check": 1, "wrong": 1, "skipped": 1},
    }
    assert [DrillRow(**{**row, "waits": tuple(row["waits"])}) for row in found["rows"]] == [*REPORT.rows]


def test_junit_has_a_test_case_a_row() -> None:
    """What is wrong has failed, and what no request met was skipped."""
    (suite,) = fromstring(as_junit(REPORT))
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    found = {case.get("name"): [(child.tag, child.get("message")) for child in case] for case in suite}
    assert found == {
        "nothing-fails": [("system-out", None)],
        "503-once": [("failure", "0.0 (1 of 6); a number for what failed")],
        "429-reset-ahead": [("system-out", None)],
        "one-short": [("skipped", "no request triggered it")],
    }
    assert set(FORMATS) == {"text", "json", "junit"}


def test_junit_is_xml_whatever_stands_in_it() -> None:
    """Control characters are no part of XML, not even as references."""
    suite = fromstring(junit_text("a\x00<b>", [JunitCase("]]>&\x1b", failure='"\ud800"', text="\x07 line\nnext")]))[0]
    assert suite.get("name") == "a\\x00<b>"
    assert suite[0].get("name") == "]]>&\\x1b"
    assert suite[0][0].get("message") == '"\\ud800"'
    assert suite[0][0].text == "\\x07 line\nnext"
