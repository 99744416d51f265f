import re

import pytest

from tests.plugin.project import Project

# Keys are put together where they are used, since a report shows the lines of its test.
TALKING = """
import httpx
from talk import SAID


def talk(labs_mock, labs_mock_server):
    secret = "_".join(["lab", "of", "somebody"])
    labs_mock.add_key(secret, "acme")
    with httpx.Client(base_url=f"{labs_mock.url}/api/v1", trust_env=False) as client:
        for key in (secret, labs_mock_server.api_key, labs_mock.api_key):
            client.headers["authorization"] = f"Bearer {key}"
            client.get(f"/episodes/{key}", params={"key": key})
            client.post("/compare", json={"collection_slug": key, "scenario_slug": key, key: key})
            client.post("/evaluate", json={**SAID, key: key})
        labs_mock.add_fault(id="down", path="*/catalog", status=503, message="Come back later")
        client.get("/catalog")
        client.post("/batch/evaluate", json={"items": [{"id": name, **SAID} for name in ("one", "two")]})
"""

TESTS = """
import pytest
import talking
from talk import ODD, SAID


def test_one(labs_mock, labs_mock_env, labs_mock_app, labs_mock_client, labs_mock_server):
    talking.talk(labs_mock, labs_mock_server)
    raise LookupError("the test's own")


def test_its_findings(labs_mock_client):
    labs_mock_client.post("/evaluate", json=ODD)


def test_near_misses(labs_mock, labs_mock_server):
    talking.talk(labs_mock, labs_mock_server)
    labs_mock.assert_requested("POST", "/api/v1/episodes")


def test_without_a_fixture():
    raise LookupError("not ours")


def test_passed(labs_mock_client):
    labs_mock_client.post("/evaluate", json=SAID)
"""

OF_A_FIXTURE = """
import pytest


@pytest.fixture
def begun(labs_mock_client):
    labs_mock_client.get("/catalog")
    raise LookupError("of a fixture")


def test_begun(begun):
    pass
"""

TITLE = " labs-mock ".center(80, "-")
SECTION = """\
requests: 11, of which the last 10 are
POST /api/v1/compare -> 400
    unknown_field at lab_[*]*: expected one of: *
    response_a: is required; response_b: is required
POST /api/v1/evaluate -> 200  reward 0.221726
    unknown_field at lab_[*]*: expected one of: *
GET /api/v1/episodes/lab_[*]* -> 404
    Not found: no such path
POST /api/v1/compare -> 400
    unknown_field at lab_[*]*: expected one of: *
    response_a: is required; response_b: is required
POST /api/v1/evaluate -> 200  reward 0.221726
    unknown_field at lab_[*]*: expected one of: *
GET /api/v1/episodes/lab_[*]* -> 404
    Not found: no such path
POST /api/v1/compare -> 400
    unknown_field at lab_[*]*: expected one of: *
    response_a: is required; response_b: is required
POST /api/v1/evaluate -> 200  reward 0.221726
    unknown_field at lab_[*]*: expected one of: *
GET /api/v1/catalog -> 503  faults down
    Come back later
POST /api/v1/batch/evaluate -> 200  reward 0.221726, 0.221726
""".splitlines()


@pytest.mark.parametrize("workers", ["0", pytest.param("1", marks=pytest.mark.slow)])
def test_the_report_of_a_test_that_failed_has_its_last_requests(project: Project, workers: str) -> None:
    """With rewards, faults, findings and messages, whatever it failed by; others have no such section, and none a key."""
    project.write("talking.py", TALKING)
    project.write("test_failing.py", TESTS)
    result = project.run("-rA", "--showlocals", "-n", workers)
    result.assert_outcomes(passed=1, failed=4)
    lines = result.stdout.lines
    assert lines.count(TITLE) == 3
    result.stdout.fnmatch_lines(["_* test_one _*", "E *LookupError: the test's own"])
    pytest.LineMatcher(lines[lines.index(TITLE) + 1 :]).fnmatch_lines(
        [*SECTION, "_* test_its_findings _*"], consecutive=True
    )
    assert not re.findall(r"lab_\w+", result.stdout.str(), re.IGNORECASE)


@pytest.mark.slow
def test_so_has_that_of_a_test_whose_fixture_failed(project: Project) -> None:
    """The requests of a fixture are shown likewise."""
    project.write("test_failing.py", OF_A_FIXTURE)
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E *LookupError: of a fixture", TITLE, "requests: 1", "GET /api/v1/catalog -> 200"])
