"""The fixture of drills: a test with it runs once for each case."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from labs_mock.pytest_plugin.judgement import LabsMockWarning
from labs_mock.pytest_plugin.open_world import result_or_fail

if TYPE_CHECKING:
    from labs_mock.testing import DrillRow

NAME = "labs_mock_drill"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that has the fixture once for each case."""
    if NAME in metafunc.fixturenames:
        from labs_mock.testing.drills.cases import BY_NAME

        metafunc.parametrize(NAME, [*BY_NAME], indirect=True)


@pytest.fixture
def labs_mock_drill(request: pytest.FixtureRequest) -> "Callable[[Callable[..., Any] | str], DrillRow]":
    """A function that runs yours through one case of the drill, of which it returns the row; the test runs once for each case.

    The test fails where the row is wrong, warns where it is to be checked, and is skipped where your function does not meet the case.
    """

    def run(function: Callable[..., Any] | str) -> "DrillRow":
        from labs_mock.testing import drill
        from labs_mock.testing.drills.cases import BY_NAME
        from labs_mock.testing.drills.drilled_function import DrilledFunction

        case = BY_NAME[request.param]
        kind = result_or_fail(lambda: DrilledFunction.find(function)).kind
        if case.only not in (None, kind):
            pytest.skip(f"a case of functions that {'play' if case.only == 'play' else 'take conversations'}")
        row: DrillRow = result_or_fail(lambda: drill(function, cases=[case.name])).rows[0]
        if row.rating == "wrong":
            pytest.fail(f"{row}\n{case.advice}", pytrace=False)
        if row.rating == "check":
            request.node.warn(LabsMockWarning(f"{row}\n{case.advice}"))
        if row.rating == "skipped":
            pytest.skip(row.reason)
        return row

    return run
