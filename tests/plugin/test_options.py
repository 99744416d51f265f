import re
from typing import NamedTuple

import pytest

from labs_mock.pytest_plugin.options import OPTIONS
from tests.plugin.project import Project


class Case(NamedTuple):
    """The values in ini file, command line and marker (in Python), an expression that shows the effect, and its result for each."""

    ini: str
    option: str
    marker: str
    look: str
    seen: tuple[object, object, object]


def fault(name: str) -> str:
    """A fault, in a line that is YAML and Python."""
    return f'{{"id": "{name}", "path": "*/turns", "status": 503}}'


def dataset(name: str) -> str:
    """A dataset, likewise."""
    number = len(name)
    lifecycle = '[{"status": "failed", "error": "No"}]'
    return f'{{"id": "00000000-0000-4000-8000-00000000000{number}", "name": "{name}", "lifecycle": {lifecycle}}}'


CASES = {
    "scenarios": Case(
        "of-ini",
        "of-option",
        "'of-marker'",
        "client.get('/catalog').json()['collections'][0]['slug']",
        ("of-ini", "of-option", "of-marker"),
    ),
    "seed": Case("1", "2", "3", "mock.health().seed", (1, 2, 3)),
    "plan": Case(
        "standard",
        "premium",
        "'enterprise'",
        "client.get('/catalog').headers['x-ratelimit-limit']",
        (60, 300, 1_000_000),
    ),
    "clock": Case(
        "frozen:2027-01-01T00:00:00Z", "frozen:2028-01-01T00:00:00Z", "'x60'", "mock.now[:4]", (2027, 2028, 2026)
    ),
    "canary": Case(
        "true",
        "off",
        "True",
        "'canary' in client.post('/evaluate', json={'collection_slug': client.get('/catalog').json()['collections'][0]['slug'], "
        "'scenario_slug': 'claim', 'messages': [{'role': role, 'content': 'Hm.'} for role in ('user', 'assistant')]})"
        ".headers.get('x-mock-findings', '')",
        (True, False, True),
    ),
    "faults": Case(
        f"\n  {fault('one')}\n  {fault('two')}",
        fault("three"),
        f"[{fault('four')}]",
        "','.join(one.id for one in mock.faults())",
        ("one,two", "three", "four"),
    ),
    "datasets": Case(
        f"\n  of-ini.yaml\n  {dataset('second')}",
        "of-option.yaml",
        f"['of-marker.yaml', {dataset('last')}]",
        "','.join(one.name for one in mock.datasets())",
        ("one,second", "three", "marker,last"),
    ),
    # What these rows say is seen by the outcome of the test
    "findings": Case(
        "ignore", "warn", "'error'", "client.post('/episodes', json={**first(client), 'x': 1}).status_code", (200,) * 3
    ),
    "refusals": Case("ignore", "warn", "'error'", "client.post('/evaluate').status_code", (400,) * 3),
    "unused_faults": Case("ignore", "warn", "'error'", "mock.add_fault(id='unused', status=503)", ("unused",) * 3),
}
OUTCOMES = ("findings", "refusals", "unused_faults")
OF_STORES = ["state"]  # whose three places are in `test_state.py`, since they need a store

CONFTEST = """
import pytest


@pytest.fixture
def shown(request, capsys):
    def shown(value):
        with capsys.disabled():
            print(f"\\n{request.node.name} = {value}")

    return shown


def first(client):
    collection = client.get("/catalog").json()["collections"][0]
    return {"collection_slug": collection["slug"], "scenario_slug": collection["scenarios"][0]["slug"]}
"""

TESTS = """
import pytest
from conftest import first


def test_{name}(labs_mock, labs_mock_client, shown):
    mock, client = labs_mock, labs_mock_client
    shown({case.look})


@pytest.mark.labs_mock({name}={case.marker})
def test_{name}_marked(labs_mock, labs_mock_client, shown):
    mock, client = labs_mock, labs_mock_client
    shown({case.look})
"""


@pytest.fixture
def every_option(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose ini file has every option. Pytest is called in its folder `below`, which has what options name."""
    project.configure(*(f"labs_mock_{name} = {case.ini}" for name, case in CASES.items()))
    project.write("conftest.py", CONFTEST)
    for folder in ("of-ini", "below/of-option", "of-marker"):
        project.write_scenarios(folder, folder.rpartition("/")[2])
    for file, name in (("of-ini", "one"), ("below/of-option", "three"), ("of-marker", "marker")):
        project.write(f"{file}.yaml", dataset(name))
    for name, case in CASES.items():
        project.write(f"test_{name}.py", TESTS.format(name=name, case=case))
    monkeypatch.chdir(project.path / "below")
    return project


def seen(result: pytest.RunResult) -> dict[str, str]:
    """The results that the tests recorded, by their names."""
    return dict(re.findall(r"^test_(\w+) = (.*)$", result.stdout.str(), re.MULTILINE))


def expected(place: int) -> dict[str, str]:
    """What is seen of ini file (0) or command line (1), and of the markers beside it."""
    values = {name: str(case.seen[place]) for name, case in CASES.items()}
    return values | {f"{name}_marked": str(case.seen[2]) for name, case in CASES.items()}


def test_every_option_can_be_said_in_three_places() -> None:
    """The tests of this file know every row of the table, and each place has another value where there are three."""
    assert list(CASES) == [option.name for option in OPTIONS if option.name not in OF_STORES]
    assert all(len(set(case.seen)) == 3 for name, case in CASES.items() if name not in (*OUTCOMES, "canary"))


def test_the_ini_file_speaks_for_all_tests_and_a_marker_before_it(every_option: Project) -> None:
    """Paths of both start where the ini file is; it ignores what fails the tests whose marker says "error"."""
    result = every_option.run("..")
    assert seen(result) == expected(0)
    result.assert_outcomes(passed=17, failed=3, warnings=0)
    result.stdout.fnmatch_lines([f"FAILED *::test_{name}_marked - Failed: labs-mo*" for name in OUTCOMES])


def test_the_command_line_comes_before_the_ini_file_and_after_a_marker(every_option: Project) -> None:
    """Paths of options start where pytest was called; they warn of what fails the tests whose marker says "error"."""
    flags = {option.name: option.flag for option in OPTIONS}
    result = every_option.run("..", *(f"{flags[name]}={case.option}" for name, case in CASES.items()))
    assert seen(result) == expected(1)
    result.assert_outcomes(passed=17, failed=3, warnings=4)
    result.stdout.fnmatch_lines([
        "*LabsMockWarning: labs-mock never applied a fault *",
        "*LabsMockWarning: labs-mock has findings*",
        "*POST /api/v1/episodes -> 200: unknown_field*",
        "*LabsMockWarning: labs-mock refused requests*",
        "*LabsMockWarning: labs-mock never applied a fault *",
    ])  # fmt: skip


def test_pytest_tells_of_marker_and_options(project: Project) -> None:
    """`--help` has every option and its ini form, `--markers` every name."""
    text = project.run("--help").stdout.str() + project.run("--markers").stdout.str()
    for option in OPTIONS:
        assert f"{option.flag}=" in text
        assert f"  labs_mock_{option.name} (" in text
    assert f"@pytest.mark.labs_mock({', '.join(f'{option.name}=…' for option in OPTIONS)}):" in text


OWN = """
def pytest_addoption(parser):
    for name in ("url", "api-key", "collection", "scenario", "dataset", "profile", "seed", "strict", "json", "html"):
        parser.addoption(f"--labs-{name}")


def pytest_report_header(config):
    return f"own: {config.getoption('labs_url')}"
"""


def test_a_project_keeps_its_own_options(project: Project) -> None:
    """One that names its own options `--labs-url`, `--labs-api-key` and so on starts, and gets what they are given."""
    project.write("conftest.py", OWN)
    project.write("test_own.py", "def test_own(pytestconfig):\n    assert pytestconfig.option.labs_strict == 'x'\n")
    result = project.run("--labs-url=http://mine", "--labs-strict=x")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["own: http://mine"])
