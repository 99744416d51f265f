"""A pytest run over the table, in a process and folder of its own: its tests are the clients, and this is what became of each."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.pages import ROOT
from tests.plugin.project import INI

CONFTEST = """
import json


def pytest_runtest_logreport(report):
    printed = [text for _, text in report.sections]
    with open("outcomes.jsonl", "a") as file:
        print(json.dumps([report.nodeid, report.outcome, report.longreprtext, printed]), file=file)
"""

TESTS = """
import pytest

from tests.broken_clients.table import BROKEN, CALLS, CONVERSATIONS, SOUND


def rows(rows):
    return [pytest.param(row, marks=pytest.mark.labs_mock(**row.marker), id=str(row[0])) for row in rows]


@pytest.mark.parametrize("row", rows(BROKEN))
def test_default(row, labs_mock, labs_mock_client):
    row.client(labs_mock_client, CONVERSATIONS)


@pytest.mark.parametrize("row", rows([row for row in BROKEN if row.call]))
def test_call(row, labs_mock, labs_mock_client):
    CALLS[row.call](labs_mock, row.client(labs_mock_client, CONVERSATIONS))


@pytest.mark.parametrize("row", rows(SOUND))
def test_sound(row, labs_mock, labs_mock_client, labs_mock_time):
    used = row.client(labs_mock_client, CONVERSATIONS)
    if row.call:
        CALLS[row.call](labs_mock, used)
"""


class Outcome(NamedTuple):
    """What became of a test: whether it passed, the text of its failures, and what it printed."""

    passed: bool
    text: str
    printed: str


def outcomes_of_run(folder: Path) -> dict[str, Outcome]:
    """The tests of the run by their names, such as `test_default[1]`."""
    for name, text in (
        ("pytest.ini", f"{INI}markers = trainers: of a module of conversations\n"),
        ("conftest.py", CONFTEST),
        ("test_clients.py", TESTS),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=120)
    if run.returncode != 1:  # some tests fail
        raise AssertionError(run.stdout + run.stderr)
    found: dict[str, Outcome] = {}
    for line in (folder / "outcomes.jsonl").read_text(encoding="utf-8").splitlines():
        node, outcome, text, printed = json.loads(line)
        name = node.partition("::")[2]
        before = found.get(name, Outcome(True, "", ""))
        found[name] = Outcome(
            before.passed and outcome == "passed", before.text + text, before.printed + "".join(printed)
        )
    return found
