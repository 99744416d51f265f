import pytest

from tests.plugin.project import Project

WARNINGS = """
import pytest
from talk import ODD, SAID

CHECK_INS = "3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d"  # pending at first


def test_warning_fails(labs_mock_client):
    labs_mock_client.post("/evaluate", json=SAID)
    labs_mock_client.post("/evaluate", json=ODD)


@pytest.mark.labs_mock(findings="error")
def test_error_is_the_default(labs_mock_client):
    labs_mock_client.post("/evaluate", json=ODD)


@pytest.mark.labs_mock(findings="warn")
def test_warning_is_told(labs_mock_client):
    labs_mock_client.post("/evaluate", json=ODD)


@pytest.mark.labs_mock(findings="ignore")
def test_warning_is_ignored(labs_mock_client):
    labs_mock_client.post("/evaluate", json=ODD)


def test_info_is_fine(labs_mock, labs_mock_client):
    assert labs_mock_client.get(f"/training-datasets/{CHECK_INS}/export").status_code == 202
    labs_mock.assert_no_findings()
    with pytest.raises(AssertionError, match="findings of severity info: 1"):
        labs_mock.assert_no_findings("info")


def test_own_failure_comes_first(labs_mock_client):
    labs_mock_client.post("/evaluate", json=ODD)
    raise LookupError("the test's own")


def test_skipped_stays_skipped(labs_mock_client):
    labs_mock_client.post("/evaluate", json=ODD)
    pytest.skip("after a finding")


@pytest.mark.xfail(strict=True, reason="it has a finding")
def test_expected_to_fail(labs_mock_client):
    labs_mock_client.post("/evaluate", json=ODD)


def test_forgotten(labs_mock, labs_mock_client):
    labs_mock_client.post("/evaluate", json=ODD)
    labs_mock.forget_requests()
"""

FAILURES = """
import pytest
from labs_mock.state import World
from talk import SAID

FAILED = "e61f0d38-5b7c-4a92-8d4e-93a2c7b1f056"


def break_down(*_):
    raise RuntimeError("a mistake in the mock")


@pytest.mark.labs_mock(findings="ignore")
def test_nobody_asked_for(labs_mock_client, monkeypatch):
    monkeypatch.setattr(World, "player", break_down)
    assert labs_mock_client.post("/evaluate", json=SAID).status_code == 500


@pytest.mark.labs_mock(faults=[{"path": "*/evaluate", "status": 500, "message": "As you like it"}])
def test_of_a_fault(labs_mock_client):
    assert labs_mock_client.post("/evaluate", json=SAID).json()["message"] == "As you like it"


def test_of_a_dataset_that_failed(labs_mock, labs_mock_client):
    labs_mock.set_dataset(FAILED, "failed", error="No disk")
    answer = labs_mock_client.get(f"/training-datasets/{FAILED}/export")
    assert (answer.status_code, answer.json()["status"]) == (500, "failed")


def test_of_an_export_nobody_asked_for(labs_mock_client, monkeypatch):
    monkeypatch.setattr("labs_mock.state.memory.store.MemoryStore.poll_dataset", break_down)
    assert labs_mock_client.get(f"/training-datasets/{FAILED}/export").status_code == 500
"""


def test_warnings_fail_a_test_unless_it_says_otherwise(project: Project) -> None:
    """They fail it by default, warn, or are ignored; info does nothing, and a failure of the test itself comes first."""
    project.write("test_warnings.py", WARNINGS)
    result = project.run("-rs")
    result.assert_outcomes(passed=4, failed=3, skipped=1, xfailed=1, warnings=1)
    result.stdout.fnmatch_lines([
        "_* test_warning_fails _*",
        "labs-mock has findings, which the real service would accept silently:",
        "POST /api/v1/evaluate -> 200: unknown_field at mesages: did you mean 'messages'?",
        '(findings="warn" or "ignore" in the marker labs_mock lets them pass)',
        "_* test_error_is_the_default _*",
        "labs-mock has findings, *",
        "_* test_own_failure_comes_first _*",
        "E * LookupError: the test's own",
        "*= warnings summary =*",
        "test_warnings.py::test_warning_is_told",
        "*LabsMockWarning: labs-mock has findings, *",
        "*POST /api/v1/evaluate -> 200: unknown_field at mesages: *",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("*pytest_plugin*.py:*: in *")


@pytest.mark.slow
def test_an_answer_500_that_nobody_asked_for_fails_a_test(project: Project) -> None:
    """Whatever its option for findings; a 500 of a fault or of a failed dataset is expected."""
    project.write("test_failures.py", FAILURES)
    result = project.run()
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines([
        "_* test_nobody_asked_for _*",
        "labs-mock refused requests, which the test did not expect:",
        "POST /api/v1/evaluate -> 500: Internal error of the mock server, *",
        "_* test_of_an_export_nobody_asked_for _*",
        "labs-mock refused requests, which the test did not expect:",
        "GET /api/v1/training-datasets/*/export -> 500: Internal error of the mock server, *",
    ])  # fmt: skip


OVER_RUN = """
import httpx
import pytest
from talk import BY_HAND, SCENARIO

LOST = {"path": "*/turns", "first": 1, "reset": 10}
CUT = {"path": "*/export", "first": 1, "cut_after_line": 1}


def take(client, episode, text):
    body = {"id": episode, "messages": [{"role": "assistant", "content": text}]}
    return client.post(f"/episodes/{episode}/turns", json=body)


@pytest.fixture
def episode(labs_mock_client):
    return labs_mock_client.post("/episodes", json=SCENARIO).json()["episode_id"]


@pytest.mark.labs_mock(faults=[LOST])
def test_sends_a_lost_turn_again(labs_mock_client, episode):
    with pytest.raises(httpx.ReadError):
        take(labs_mock_client, episode, "Hello.")
    assert take(labs_mock_client, episode, "Hello.").status_code == 200


@pytest.mark.labs_mock(faults=[LOST])
def test_gives_the_rollout_up(labs_mock, labs_mock_client, episode):
    with pytest.raises(httpx.ReadError):
        take(labs_mock_client, episode, "Hello.")
    assert [one.code for one in labs_mock.findings()] == ["episode_unfinished"]
    labs_mock.assert_no_findings("info")


def rows(client):
    with client.stream("GET", f"/training-datasets/{BY_HAND}/export") as response:
        return list(response.iter_lines())


@pytest.mark.labs_mock(faults=[CUT])
def test_takes_a_part_for_all(labs_mock, labs_mock_client):
    try:
        rows(labs_mock_client)
    except httpx.HTTPError:
        pass
    (found,) = labs_mock.findings(severity="warning")
    assert (found.code, found.over_run, found.requests) == ("partial_export_accepted", True, [1])


@pytest.mark.labs_mock(faults=[CUT], findings="ignore")
def test_is_ignored(labs_mock_client):
    with pytest.raises(httpx.HTTPError):
        rows(labs_mock_client)


@pytest.mark.labs_mock(faults=[CUT])
def test_is_forgotten(labs_mock, labs_mock_client):
    with pytest.raises(httpx.HTTPError):
        rows(labs_mock_client)
    labs_mock.forget_requests()


@pytest.mark.labs_mock(faults=[CUT])
def test_exports_again(labs_mock_client):
    with pytest.raises(httpx.HTTPError):
        rows(labs_mock_client)
    assert rows(labs_mock_client)
"""


def test_warnings_over_the_run_fail_a_test(project: Project) -> None:
    """A lost turn that is sent again and a part of an export taken for all of it; infos and sound clients do not (DS-4, EP-7)."""
    project.write("test_over_run.py", OVER_RUN)
    result = project.run()
    result.assert_outcomes(passed=4, failed=2)
    result.stdout.fnmatch_lines([
        "_* test_sends_a_lost_turn_again _*",
        "labs-mock has findings, which the real service would accept silently:",
        "POST /api/v1/episodes/ep_*/turns -> 200, requests 2 and 3: duplicate_turn at ep_*: the answer to turn 1 was lost, *",
        "_* test_takes_a_part_for_all _*",
        "GET /api/v1/training-datasets/*/export -> 200 (cut after * bytes): partial_export_accepted: never requested again",
    ])  # fmt: skip
