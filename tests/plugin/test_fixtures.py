import pytest

from tests.plugin.project import Project

EVERY_FIXTURE = """
import os

import httpx
import pytest
from labs_mock.testing import ControlError, LabsMock
from talk import SAID

NAMES = "LABS_URL", "LABS_API_KEY", "LABS_KEY"


def status(url, key):
    return httpx.get(f"{url}/api/v1/catalog", headers={"authorization": f"Bearer {key}"}, trust_env=False).status_code


def test_the_server_answers(labs_mock_server):
    assert isinstance(labs_mock_server, LabsMock)
    assert labs_mock_server.url.startswith("http://127.0.0.1:")
    assert labs_mock_server.now == "2026-01-01T00:00:00Z"
    assert status(labs_mock_server.url, labs_mock_server.api_key) == 200


def test_a_test_has_a_key_of_its_own_on_the_same_server(labs_mock, labs_mock_server):
    assert isinstance(labs_mock, LabsMock)
    assert labs_mock.url == labs_mock_server.url
    assert labs_mock.api_key != labs_mock_server.api_key
    assert status(labs_mock.url, labs_mock.api_key) == 200
    with labs_mock.expect(status=401):
        assert status(labs_mock.url, "lab_nobody") == 401
    assert [one.status for one in labs_mock.requests] == [200, 401]


def test_clients_find_it_in_the_environment(labs_mock_env, labs_mock):
    assert labs_mock_env is labs_mock
    assert [os.environ[name] for name in NAMES] == [labs_mock.url, labs_mock.api_key, labs_mock.api_key]


def test_the_environment_is_as_before():
    assert [os.environ.get(name) for name in NAMES] == ["before", None, None]


def test_the_client_is_ready(labs_mock_client, labs_mock):
    assert isinstance(labs_mock_client, httpx.Client)
    reward = labs_mock_client.post("/evaluate", json=SAID).json()["reward"]
    assert labs_mock.rewards_served == [reward]
    test_the_client_is_ready.client = labs_mock_client


def test_the_client_has_been_closed():
    assert test_the_client_is_ready.client.is_closed


def test_a_test_may_bring_a_scenario(labs_mock, labs_mock_client):
    labs_mock.add_scenario(CASE, "mine")
    begun = labs_mock_client.post("/episodes", json={"collection_slug": "tests", "scenario_slug": "mine"}).json()
    assert begun["initial_observation"]["content"] == "Hello, who is there?"
    with pytest.raises(ControlError, match="mine.yaml:7:1: unknown key 'persna'"):
        labs_mock.add_scenario(CASE.replace("persona", "persna"), "mine")


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

OWN_CONFTEST = """
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def labs_mock_scenarios():
    return Path(__file__).parent / "cases"


@pytest.fixture(scope="session")
def labs_mock_settings():
    return {"plan": "standard", "seed": 7, "control_token": "secret"}
"""

OF_THE_CONFTEST = """
def test_scenarios_and_settings_are_those_of_the_conftest(labs_mock, labs_mock_client):
    answer = labs_mock_client.get("/catalog")
    assert [one["slug"] for one in answer.json()["collections"]] == ["of-the-conftest"]
    assert answer.headers["x-ratelimit-limit"] == "60"
    assert labs_mock.health().seed == 7
    assert labs_mock.now == "2026-01-01T00:00:00Z"


def test_the_server_has_them_too(labs_mock_server):
    assert labs_mock_server.health().seed == 7
    assert labs_mock_server.health().scenarios == 1
"""

OF_THE_MODULE = """
import pytest


@pytest.fixture(scope="session")
def labs_mock_scenarios(pytestconfig):
    return str(pytestconfig.rootpath / "others")


@pytest.fixture(scope="session")
def labs_mock_settings():
    return {"clock": "frozen:2027-01-01T00:00:00Z"}


def test_those_of_the_module_come_first(labs_mock, labs_mock_client):
    answer = labs_mock_client.get("/catalog")
    assert [one["slug"] for one in answer.json()["collections"]] == ["of-the-module"]
    assert answer.headers["x-ratelimit-limit"] == "1000000"
    assert labs_mock.now == "2027-01-01T00:00:00Z"
"""


def test_every_fixture_does_what_it_promises(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Server, own key, environment, client, and scenarios of the test itself, which are checked like files."""
    monkeypatch.setenv("LABS_URL", "before")
    for name in ("LABS_API_KEY", "LABS_KEY"):
        monkeypatch.delenv(name, raising=False)
    project.write("test_every.py", EVERY_FIXTURE)
    project.run().assert_outcomes(passed=7)


def test_the_client_says_what_it_needs(project: Project) -> None:
    """Without httpx a test that uses the client fails, and others run."""
    project.write("conftest.py", "import sys\nsys.modules['httpx'] = None\n")
    project.write("test_some.py", "def test_a(labs_mock_client): pass\ndef test_b(labs_mock): pass\n")
    result = project.run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["_* test_a _*", "labs_mock_client needs httpx: pip install 'labs-mock[[]pytest[]]', or in a checkout *"],
        consecutive=True,
    )


@pytest.mark.slow
def test_settings_and_scenarios_can_be_overridden(project: Project) -> None:
    """In a conftest for the project, and in a module for its tests alone."""
    project.write_scenarios("cases", "of-the-conftest")
    project.write_scenarios("others", "of-the-module")
    project.write("conftest.py", OWN_CONFTEST)
    project.write("test_a.py", OF_THE_CONFTEST)
    project.write("test_b.py", OF_THE_MODULE)
    project.write("test_c.py", OF_THE_CONFTEST)
    project.run().assert_outcomes(passed=5)


@pytest.mark.slow
def test_keys_of_a_project_are_its_own(project: Project) -> None:
    """Whatever a test calls the keys that it adds: they are good, and its requests stand in the journal."""
    project.write(
        "test_keys.py",
        "import httpx\n\n"
        "def test_keys(labs_mock):\n"
        "    for key in ('lab_test_1', 'lab_test', 'lab_of_acme'):\n"
        "        labs_mock.add_key(key, 'acme')\n"
        "        answer = httpx.get(f'{labs_mock.url}/api/v1/catalog', headers={'authorization': f'Bearer {key}'})\n"
        "        assert answer.status_code == 200\n"
        "    assert [one.organisation for one in labs_mock.requests] == ['acme'] * 3\n",
    )
    project.run().assert_outcomes(passed=1)
