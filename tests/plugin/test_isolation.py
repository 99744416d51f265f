import pytest

from tests.plugin.project import Project

# Every test finds everything as it is at the start, and leaves nothing of it so: whichever comes next would see.
TESTS = """
import pytest
from conftest import client_of
from labs_mock.testing import LabsMock
from talk import BY_HAND, SAID, SCENARIO

CHECK_INS = "3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d"
WINDOWS = {"normalization_key": "run", "normalization_windows": ["2n"]}
DATASET = {"id": "9c1d7a52-0b3e-4f68-a1d4-5e2f90b7c861", "name": "Mine", "lifecycle": [{"status": "failed", "error": "No"}]}
EPISODES = ["ep_nothing"]


def look(mock, client):
    found = {
        "journal": len(mock.requests),
        "clock": (mock.now, mock.health().clock),
        "faults": mock.faults(),
        "keys": [key.organisation for key in mock.keys()],
        "status": tuple(client.get(f"/training-datasets/{name}/status").json()["status"] for name in (CHECK_INS, BY_HAND)),
        "datasets": len(mock.datasets()),
        "scenarios": mock.health().scenarios,
    }
    with mock.expect(status=404):
        found["episode"] = take_turn(client, EPISODES[-1]).status_code
    answer = client.post("/evaluate", json={**SAID, **WINDOWS})
    found["quota"] = answer.headers["x-ratelimit-remaining"]
    found["ids"] = answer.json()["request_id"]
    found["normalized"] = answer.json()["normalized"]
    return found


def take_turn(client, episode):
    messages = [{"role": "assistant", "content": "Hello."}]
    return client.post(f"/episodes/{episode}/turns", json={"id": episode, "messages": messages})


def change_everything(mock, client):
    EPISODES.append(client.post("/episodes", json=SCENARIO).json()["episode_id"])
    assert take_turn(client, EPISODES[-1]).status_code == 200
    client.post("/evaluate", json={**SAID, **WINDOWS, "messages": SAID["messages"] * 2})
    client.get(f"/training-datasets/{CHECK_INS}/status")
    mock.set_dataset(BY_HAND, "failed", error="No")
    mock.add_dataset(DATASET)
    mock.add_scenario(CASE)
    mock.add_key("lab_another", "acme")
    mock.add_fault(path="*", status=503)
    client.get("/catalog")
    mock.set_clock("2030-01-01T00:00:00Z", "x60")


@pytest.fixture(scope="session")
def at_the_start():
    with LabsMock() as fresh, client_of(fresh) as client:
        seen = look(fresh, client)
    return {**seen, "keys": seen["keys"] * 2}  # the session's and the test's


@pytest.mark.parametrize("number", range(8))
def test_everything_is_as_at_the_start(labs_mock, labs_mock_client, number, at_the_start):
    assert look(labs_mock, labs_mock_client) == at_the_start
    change_everything(labs_mock, labs_mock_client)


@pytest.mark.parametrize("number", range(2))
@pytest.mark.labs_mock(seed=3, plan="standard", clock="frozen:2028-01-01T00:00:00Z", faults=[{"path": "*/turns", "status": 503}], unused_faults="ignore")
def test_what_a_marker_says_stays_with_its_test(labs_mock, number):
    assert labs_mock.health().seed == 3
    assert labs_mock.now == "2028-01-01T00:00:00Z"
    assert len(labs_mock.faults()) == 1


@pytest.mark.parametrize("number", range(2))
def test_a_server_that_goes_on(session_client, labs_mock_server, number):
    assert session_client.get("/catalog").status_code == 200
    assert labs_mock_server.health().instance == labs_mock_server.instance
    assert {one.path for one in labs_mock_server.requests} == {"/api/v1/catalog"}


@pytest.mark.parametrize("number", range(2))
def test_a_server_that_goes_on_beside_a_test(session_client, labs_mock, number):
    assert session_client.get("/catalog").status_code == 200
    assert [one.status for one in labs_mock.requests] == [200]


CASE = '''
name: Mine
description: A scenario of a test.
shape: conversation
difficulty: easy
max_turns: 3
persona: {identity: {name: Dana Reyes}, opening: "Hello, who is there?", fallback: [What?]}
criteria: {success_metrics: [{id: greets, text: Greets, when: {says: [hello]}}]}
'''
"""

CONFTEST = """
import httpx
import pytest


def client_of(mock):
    headers = {"authorization": f"Bearer {mock.api_key}"}
    return httpx.Client(base_url=f"{mock.url}/api/v1", headers=headers, trust_env=False)


@pytest.fixture(scope="session")
def session_client(labs_mock_server):
    with client_of(labs_mock_server) as client:
        yield client
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    ["--randomly-seed=1", "--randomly-seed=2 -n 2", "--randomly-seed=3 -n 4"],
)
def test_no_test_sees_what_another_one_did(project: Project, options: str) -> None:
    """In random order, and with 2 and 4 workers: clock, journal, faults, keys, data, quota, ids; a session's client works."""
    project.write("conftest.py", CONFTEST)
    project.write("test_isolated.py", TESTS)
    result = project.run("-p", "randomly", *options.split())
    result.assert_outcomes(passed=14)
    result.stdout.fnmatch_lines([f"Using {options.split(maxsplit=1)[0]}"])
