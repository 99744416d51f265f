"""The pytest plugin: fixtures, the marker `labs_mock`, options, and the judgement of a test by its requests.

Nothing heavy is imported at module level: a test run that uses no fixture pays next to nothing. Pytest finds hooks and
fixtures by their names in this package.
"""

from labs_mock.pytest_plugin.drill_fixture import labs_mock_drill, pytest_generate_tests
from labs_mock.pytest_plugin.fixtures import (
    _labs_mock_open_world,
    _labs_mock_thread,
    _labs_mock_world_parts,
    labs_mock,
    labs_mock_app,
    labs_mock_client,
    labs_mock_env,
    labs_mock_scenarios,
    labs_mock_server,
    labs_mock_settings,
    labs_mock_time,
)
from labs_mock.pytest_plugin.judgement import LabsMockWarning, pytest_runtest_call, pytest_runtest_makereport
from labs_mock.pytest_plugin.options import pytest_addoption, pytest_configure
from labs_mock.pytest_plugin.shared_faults import pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown

__all__ = [
    "LabsMockWarning",
    "_labs_mock_open_world",
    "_labs_mock_thread",
    "_labs_mock_world_parts",
    "labs_mock",
    "labs_mock_app",
    "labs_mock_client",
    "labs_mock_drill",
    "labs_mock_env",
    "labs_mock_scenarios",
    "labs_mock_server",
    "labs_mock_settings",
    "labs_mock_time",
    "pytest_addoption",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]
