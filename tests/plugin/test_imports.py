import json

from tests.plugin.project import Project

CONFTEST = """
import json
import sys


def pytest_unconfigure(config):
    (config.rootpath / "modules.json").write_text(json.dumps(sorted(sys.modules)))
"""

TESTS = """
import pytest


@pytest.mark.labs_mock(seed=1, faults=[{"status": 503}])
def test_without_a_fixture():
    pass


def test_that_fails():
    assert 1 == 2
"""
LIGHT = {
    "labs_mock",
    "labs_mock.conformance",
    "labs_mock.conformance.options",
    "labs_mock.contract",
    "labs_mock.contract.limits",
    "labs_mock.errors",
    "labs_mock.escapes",
    "labs_mock.extras",
    "labs_mock.pytest_plugin",
    "labs_mock.pytest_plugin.drill_fixture",
    "labs_mock.pytest_plugin.fixtures",
    "labs_mock.pytest_plugin.judgement",
    "labs_mock.pytest_plugin.open_world",
    "labs_mock.pytest_plugin.options",
    "labs_mock.pytest_plugin.shared_faults",
}


def modules(project: Project, *options: str) -> set[str]:
    """The modules that a run without other plugins has imported at its end."""
    project.write("conftest.py", CONFTEST)
    project.write("test_none.py", TESTS)
    others = [option for name in ("asyncio", "anyio", "xdist") for option in ("-p", f"no:{name}")]
    project.run(*others, *options).assert_outcomes(passed=1, failed=1)
    return set(json.loads((project.path / "modules.json").read_text()))


def test_a_run_that_uses_no_fixture_imports_nothing_heavy(project: Project) -> None:
    """Beside those of the plugin itself there is no module that would not be imported without the plugin."""
    assert modules(project) - modules(project, "-p", "no:labs_mock") == LIGHT


def test_the_options_import_nothing_heavy_either(project: Project) -> None:
    """Their values are read when a fixture needs them."""
    project.configure("labs_mock_plan = standard", "labs_mock_datasets = missing.yaml")
    found = modules(project, "--labs-mock-seed=1", "--labs-mock-faults={status: 503}", "--labs-mock-scenarios=missing")
    assert found >= LIGHT
    assert not {"starlette", "uvicorn", "pydantic", "yaml", "re2", "orjson", "asyncio", "httpx"} & found
    assert {name for name in found if name.startswith("labs_mock")} == LIGHT
