import pytest

from tests.plugin.project import Project

EVERY_NAME = """
import pytest
from talk import BY_HAND, ODD, SAID

mark = pytest.mark.labs_mock
DATASET = {"id": "9c1d7a52-0b3e-4f68-a1d4-5e2f90b7c861", "name": "Mine", "lifecycle": [{"status": "failed", "error": "No"}]}


@mark(scenarios="cases")
def test_scenarios(labs_mock_client):
    assert [one["slug"] for one in labs_mock_client.get("/catalog").json()["collections"]] == ["marked"]


@mark(scenarios=None)
def test_no_scenarios_are_those_that_are_shipped(labs_mock):
    assert labs_mock.health().scenarios == 13


NAMED = {}


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=mark(seed=seed)) for seed in (0, 7)])
def test_seed(labs_mock, labs_mock_client, seed):
    assert labs_mock.health().seed == seed
    NAMED[seed] = labs_mock_client.get("/catalog").json()["request_id"]


def test_no_seed(labs_mock_client):
    assert labs_mock_client.get("/catalog").json()["request_id"] == NAMED[0] != NAMED[7]


@mark(plan="standard")
def test_plan(labs_mock_client):
    answers = [labs_mock_client.get("/catalog") for _ in range(61)]
    assert [one.status_code for one in answers] == [200] * 60 + [429]


@mark(clock="frozen:2027-05-01T12:00:00Z")
def test_clock(labs_mock):
    assert labs_mock.now == "2027-05-01T12:00:00Z"


@mark(faults=[{"path": "*/evaluate", "first": 1, "status": 503}, {"path": "*/catalog", "status": 400}])
def test_faults(labs_mock_client):
    assert [labs_mock_client.post("/evaluate", json=SAID).status_code for _ in range(2)] == [503, 200]
    assert labs_mock_client.get("/catalog").status_code == 400


@mark(datasets=[DATASET])
def test_datasets(labs_mock_client):
    assert labs_mock_client.get(f"/training-datasets/{DATASET['id']}/status").json()["error"] == "No"
    assert labs_mock_client.get(f"/training-datasets/{BY_HAND}/status").json()["status"] == "ready"


@mark(findings="ignore")
def test_findings(labs_mock_client):
    assert labs_mock_client.post("/evaluate", json=ODD).status_code == 200
"""

EVERY_PLACE = """
import pytest

pytestmark = pytest.mark.labs_mock(seed=1, plan="standard", clock="frozen:2027-01-01T00:00:00Z", faults=[{"status": 503}])


def seen(mock):
    limit = next(key.requests_per_minute for key in mock.keys() if key.organisation == "local")
    return mock.health().seed, limit, mock.now[:4], len(mock.faults())


def test_the_module(labs_mock):
    assert seen(labs_mock) == (1, 60, "2027", 1)


@pytest.mark.labs_mock(seed=2, plan="premium")
class TestClass:
    def test_the_class(self, labs_mock):
        assert seen(labs_mock) == (2, 300, "2027", 1)

    @pytest.mark.labs_mock(seed=3, faults=[])
    def test_the_function(self, labs_mock):
        assert seen(labs_mock) == (3, 300, "2027", 0)

    @pytest.mark.labs_mock(seed=4, plan="enterprise")
    @pytest.mark.labs_mock(seed=5)
    def test_the_line_next_to_the_function(self, labs_mock):
        assert seen(labs_mock) == (5, 1_000_000, "2027", 1)
"""

PLAN_OF_A_LISTED_KEY = """
import pytest


@pytest.mark.labs_mock(scenarios="cases", plan="premium")
def test_plan(labs_mock_client):
    assert labs_mock_client.get("/catalog").headers["x-ratelimit-limit"] == "300"
"""


def test_every_name_of_the_marker_has_its_effect(project: Project) -> None:
    """Scenarios, seed, plan, clock, faults, datasets and findings, each for its own test and for no other."""
    project.write_scenarios("cases", "marked")
    project.write("test_names.py", EVERY_NAME)
    project.run("--strict-markers").assert_outcomes(passed=10)


def test_the_closest_marker_counts_name_by_name(project: Project) -> None:
    """A function's before its class's before its module's; what a closer one does not name stays."""
    project.write("test_places.py", EVERY_PLACE)
    project.run().assert_outcomes(passed=4)


@pytest.mark.slow
def test_the_plan_is_that_of_a_listed_key_too(project: Project) -> None:
    """A folder whose `server.yaml` lists keys with terms of their own does not outdo the marker."""
    project.write_scenarios("cases", "marked")
    project.write("cases/server.yaml", "keys: [{key: lab_one, organisation: one, plan: standard}]\n")
    project.write("test_plan.py", PLAN_OF_A_LISTED_KEY)
    project.run().assert_outcomes(passed=1)
