import pytest

from tests.plugin.project import Project

CLIENT = """
import json, os, urllib.request

def rewards(conversations):
    return [reward(one) for one in conversations]

def reward(conversation):
    headers = {"Authorization": f"Bearer {os.environ['LABS_API_KEY']}", "Content-Type": "application/json"}
    url = os.environ["LABS_URL"] + "/api/v1/evaluate"
    request = urllib.request.Request(url, json.dumps(conversation).encode(), headers)
    return json.load(urllib.request.urlopen(request, timeout=20))["reward"]

def zeros(conversations):
    try:
        return rewards(conversations)
    except OSError:
        return [0.0] * len(conversations)

def ends(conversations):
    try:
        return rewards(conversations)
    except OSError:
        os._exit(3)
"""
TESTS = """
import client

def test_rewards(labs_mock_drill):
    row = labs_mock_drill(client.rewards)
    assert row.rating == "good"

def test_zeros(labs_mock_drill):
    labs_mock_drill("client:zeros")

def test_ends(labs_mock_drill):
    labs_mock_drill(client.ends)

def test_here(labs_mock_drill):
    labs_mock_drill(here)

def here(conversations):
    return client.rewards(conversations)

def test_within(labs_mock_drill):
    labs_mock_drill(lambda conversations: [])
"""


@pytest.mark.slow
def test_a_test_runs_once_for_each_case(project: Project) -> None:
    """It fails where the row is wrong, warns where it is to be checked, and is skipped where no request meets the case."""
    project.write("client.py", CLIENT)
    project.write("test_drill.py", TESTS)
    ended = project.run("-rs", "-k", "503-once or turn-lost or one-short or (ends and status-400)")
    ended.assert_outcomes(passed=4, failed=4, skipped=8, warnings=2)
    ended.stdout.fnmatch_lines_random(
        [
            "wrong: 503-once, 0.0 (6 of 6); a number for a failure; the model is trained on it",
            "Good code retries, a little later, and returns the right rewards; or raises.",
            "labs-mock: no other process can import test_within.<locals>.<lambda> of test_drill; put it at the top level*",
            "*LabsMockWarning: check: 503-once, process ended; the process ended by itself: exit code 3",
            "*a case of functions that play*",
            "*no request triggered it*",
        ]
    )


def test_the_cases_are_those_of_the_table(project: Project) -> None:
    """The names of the tests have them."""
    project.write("client.py", CLIENT)
    project.write("test_drill.py", TESTS)
    listed = project.run("--collect-only", "-q", "-k", "test_rewards").stdout.str()
    assert "test_drill.py::test_rewards[nothing-fails]" in listed
    assert "test_drill.py::test_rewards[episode-expired]" in listed
