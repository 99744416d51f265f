"""The run behind `pytest --pyargs labs_mock.conformance`: one a session, whose verdicts are the tests."""

import pytest

from labs_mock.conformance.options import FILES, PASSING, given_to_pytest, missing_extra
from labs_mock.conformance.reports.document import ReportDocument, document
from labs_mock.errors import LabsMockError


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """Say at once what is missing: libraries of the extra, or options."""
    if missing := missing_extra():
        raise pytest.UsageError(missing)
    try:
        given_to_pytest(config)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture(scope="session")
def labs_conformance(pytestconfig: pytest.Config) -> ReportDocument:
    """What a run says of the server that the options name; reports are written where they ask for them."""
    if hasattr(pytestconfig, "workerinput"):
        pytest.fail(
            "one run is behind all tests of the conformance suite: pytest-xdist must be off, -n 0", pytrace=False
        )
    from labs_mock.conformance.reports.files import chosen, write
    from labs_mock.conformance.runner import judge

    asked = given_to_pytest(pytestconfig)
    try:
        files = chosen({name: asked.pop(name) for name in FILES})
        passing = {name: asked.pop(name) for name in PASSING}
        told = document(judge(**asked), **passing)
        write(told, files)
    except LabsMockError as error:
        pytest.exit(f"labs-mock: {error}", pytest.ExitCode.USAGE_ERROR)
    return told
