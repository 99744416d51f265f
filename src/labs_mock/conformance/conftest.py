"""The run behind `pytest --pyargs labs_mock.conformance`: one a session, whose verdicts are the tests."""

from collections.abc import Callable

import pytest

from labs_mock.conformance.options import FILES, missing_extra, values_from_pytest
from labs_mock.conformance.report import Report
from labs_mock.errors import LabsMockError

PROPERTIES = ("url", "profile", "seed", "strict", "requests")
"""What `--junitxml` records of the run."""


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """Report at once what is missing: libraries of the extra, or options."""
    if missing := missing_extra():
        raise pytest.UsageError(missing)
    try:
        values_from_pytest(config)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture(scope="session")
def labs_conformance(pytestconfig: pytest.Config, record_testsuite_property: Callable[[str, object], None]) -> Report:
    """The report of a run against the server that the options name; it is written to the files that they name."""
    if hasattr(pytestconfig, "workerinput"):
        pytest.fail(
            "one run is behind all tests of the conformance suite: pytest-xdist must be off, -n 0", pytrace=False
        )
    from labs_mock.conformance.reports.writing import writable_files, write
    from labs_mock.conformance.runner import run

    options = values_from_pytest(pytestconfig)
    try:
        files = writable_files({name: options.pop(name) for name in FILES})
        report = run(**options)
        write(report, files)
    except LabsMockError as error:
        pytest.exit(f"labs-mock: {error}", pytest.ExitCode.USAGE_ERROR)
    for name in PROPERTIES:
        record_testsuite_property(name, getattr(report, name))
    return report
