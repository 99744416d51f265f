import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.http.session.saved_world import SavedWorld
from labs_mock.http.session.session_reading import read_session
from labs_mock.testing.saved_sessions import session_name
from tests.plugin.project import Project
from tests.support import result_of

TESTS = r"""
import pytest
from talk import SAID


@pytest.fixture
def failing(labs_mock_client):
    labs_mock_client.get("/catalog")
    raise LookupError("of a fixture")


def test_setup(failing):
    pass


@pytest.mark.parametrize("name", ["a/b", "a-b", "A-B", "../../x", "é ☃ \x00 '$(touch hacked)'", "x" * 300, "x" * 299])
def test_odd(labs_mock_client, name):
    labs_mock_client.post("/evaluate", json=SAID)
    assert not name


class TestThese:
    def test_ok(self, labs_mock_client):
        labs_mock_client.get("/catalog")

    def test_finding(self, labs_mock_client):
        labs_mock_client.post("/evaluate", json={**SAID, "mesages": []})


def test_without_a_world():
    assert False
"""
SECTION = "*- labs-mock -*"


def sessions(folder: Path) -> list[SavedWorld]:
    """All sessions in a folder, in which there is nothing else."""
    return [read_session(path) for path in sorted(folder.iterdir())]


async def paths(world: SavedWorld) -> list[str]:
    """The paths of its requests."""
    return [record.path for record in await world.store.records(0, 100)]


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_each_failed_test_saves_its_session(project: Project, workers: str) -> None:
    """Under a name of its own, whatever its parameters are; the report says where it is and how it is opened."""
    project.write("test_odd.py", TESTS)
    result = project.run("--labs-mock-save", "made/of/them", "-n", workers)
    result.assert_outcomes(passed=1, failed=9, errors=1)
    folder = project.path / "made" / "of" / "them"
    saved = sessions(folder)
    assert sorted(map(str, (result_of(paths(one)) for one in saved))) == [
        "['/api/v1/catalog']",
        *["['/api/v1/evaluate']"] * 8,
    ]
    output = result.stdout.str()
    for path in folder.iterdir():
        assert f"session saved: {path}" in output
        assert f"to look at it: labs-mock inspect {path}" in output
    assert not (project.path / "hacked").exists()
    assert {path.name for path in project.path.iterdir()} >= {"made", "test_odd.py"}


@pytest.mark.slow
def test_without_the_option_nothing_is_saved(project: Project) -> None:
    """Neither a file nor a word of one."""
    project.write("test_odd.py", TESTS)
    result = project.run("-k", "finding")
    result.assert_outcomes(failed=1)
    assert "session saved" not in result.stdout.str()
    assert not list(project.path.rglob("*.jsonl.gz"))


@pytest.mark.slow
def test_what_cannot_be_saved_is_reported(project: Project) -> None:
    """In the report of the test, which fails for its own reason all the same."""
    project.write("test_odd.py", TESTS)
    result = project.run("-k", "finding", "--labs-mock-save", "test_odd.py/below")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([SECTION, "session not saved: *Not a directory"])


@given(st.text(), st.text())
def test_names_are_safe_and_differ(one: str, other: str) -> None:
    """Letters, digits and - _ . of ASCII, not hidden, short enough for every file system, and another one for each test."""
    name = session_name(one)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+-[0-9a-f]{12}\.jsonl\.gz|-[0-9a-f]{12}\.jsonl\.gz", name)
    assert not name.startswith(".")
    assert len(name) < 200
    assert (name.lower() == session_name(other).lower()) == (one == other)
