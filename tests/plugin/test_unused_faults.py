import pytest

from tests.plugin.project import Project

OWN = """
import pytest
from talk import SAID


@pytest.mark.labs_mock(faults=[{"id": "used", "path": "*/evaluate", "status": 503}])
def test_applied(labs_mock_client):
    assert labs_mock_client.post("/evaluate", json=SAID).status_code == 503


@pytest.mark.labs_mock(faults=[{"path": "*/compare", "status": 503}, {"path": "*/evaluate", "status": 503}])
def test_never_matched(labs_mock_client):
    assert labs_mock_client.post("/evaluate", json=SAID).status_code == 503


def test_never_triggered(labs_mock, labs_mock_client):
    labs_mock.add_fault(path="*/evaluate", nth=2, status=503, key=labs_mock.api_key)
    assert labs_mock_client.post("/evaluate", json=SAID).status_code == 200


def test_removed(labs_mock):
    labs_mock.add_fault(path="*/evaluate", status=503)
    labs_mock.remove_faults()


def test_replaced(labs_mock, labs_mock_client):
    labs_mock.add_fault(id="one", path="*/compare", status=503)
    labs_mock.add_fault(id="one", path="*/evaluate", status=503)
    assert labs_mock_client.post("/evaluate", json=SAID).status_code == 503


def test_applied_and_removed(labs_mock, labs_mock_client):
    labs_mock.add_fault(path="*/evaluate", status=503)
    assert labs_mock_client.post("/evaluate", json=SAID).status_code == 503
    labs_mock.reset()


@pytest.mark.parametrize("status", [200, pytest.param(503, marks=pytest.mark.labs_mock(faults=[{"status": 503}]))])
def test_of_a_parameter(labs_mock_client, status):
    assert labs_mock_client.post("/evaluate", json=SAID).status_code == status


@pytest.mark.labs_mock(faults=[{"path": "*/compare", "status": 503}], unused_faults="ignore")
def test_ignored(labs_mock):
    pass


@pytest.mark.labs_mock(faults=[{"path": "*/compare", "status": 503}], unused_faults="warn")
def test_warned(labs_mock):
    pass


@pytest.mark.labs_mock(faults=[{"path": "*/compare", "status": 503}])
def test_fails_by_itself(labs_mock):
    raise LookupError("of its own")
"""

SHARED = """
import pytest
from talk import SAID

EVALUATE, COMPARE = ({"path": f"*/{name}", "status": 503} for name in ("evaluate", "compare"))
"""
MODULES = {
    "test_applied.py": """
pytestmark = pytest.mark.labs_mock(faults=[EVALUATE])


def test_that_does_not(labs_mock):
    pass


def test_that_does(labs_mock_client):
    assert labs_mock_client.post("/evaluate", json=SAID).status_code == 503
""",
    "test_class.py": """
@pytest.mark.labs_mock(faults=[EVALUATE, COMPARE])
class TestClass:
    def test_that_does_not(self, labs_mock):
        pass

    def test_that_does(self, labs_mock_client):
        assert labs_mock_client.post("/evaluate", json=SAID).status_code == 503
""",
    "test_warned.py": """
pytestmark = pytest.mark.labs_mock(faults=[COMPARE], unused_faults="warn")


def test_warned(labs_mock):
    pass


@pytest.mark.labs_mock(unused_faults="ignore")
def test_ignored(labs_mock):
    pass
""",
    "test_ignored.py": """
pytestmark = pytest.mark.labs_mock(faults=[COMPARE], unused_faults="ignore")


def test_ignored(labs_mock):
    pass
""",
    "test_skipped.py": """
pytestmark = pytest.mark.labs_mock(faults=[COMPARE])


def test_skipped(labs_mock):
    pytest.skip("so that its faults prove nothing")
""",
    "test_of_all.py": """
def test_of_all(labs_mock):
    pass


def test_without_a_fixture():
    pass
""",
}


def test_a_fault_of_a_test_that_was_never_applied_fails_it(project: Project) -> None:
    """Of its own marker or added by it, for each reason; a fault that was applied may be gone, and other failures come first."""
    project.write("test_own.py", OWN)
    result = project.run("--tb=short")
    result.assert_outcomes(passed=6, failed=5, warnings=1)
    result.stdout.fnmatch_lines([
        "_* test_never_matched _*",
        "labs-mock never applied a fault of this test:",
        '{"path": "[*]/compare", "status": 503}: no request matched it',
        '(unused_faults="warn" or "ignore" in the marker labs_mock lets them pass)',
        "_* test_never_triggered _*",
        '{"path": "[*]/evaluate", "key": "lab_[*]*", "nth": 2, *}: 1 request matched it, and none triggered it',
        "_* test_removed _*",
        '{"path": "[*]/evaluate", "status": 503}: it was removed before a request triggered it',
        "_* test_replaced _*",
        '{"id": "one", "path": "[*]/compare", "status": 503}: it was removed before a request triggered it',
        "_* test_fails_by_itself _*",
        "E *LookupError: of its own",
        "*LabsMockWarning: labs-mock never applied a fault of this test:",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("*lab_of_a_test*")


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_a_fault_that_tests_share_fails_the_run_if_none_applied_it(project: Project, workers: str) -> None:
    """Of a class and of the ini file; with workers of pytest-xdist it is enough that a test of one of them applied it."""
    project.configure('labs_mock_faults = {path: "*/turns", status: 503}')
    for name, text in MODULES.items():
        project.write(name, SHARED + text)
    result = project.run("-n", workers, "--dist=load")
    result.assert_outcomes(passed=9, skipped=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([
        "=* labs-mock: error *=",
        "faults that no test applied:",
        '  {"path": "[*]/compare", "status": 503} of test_class.py::TestClass',
        '  {"path": "[*]/turns", "status": 503} of the ini file',
        '(unused_faults="warn" or "ignore" in the marker labs_mock lets them pass)',
        "=* labs-mock: warning *=",
        "faults that no test applied:",
        '  {"path": "[*]/compare", "status": 503} of test_warned.py',
        '(unused_faults=*',
        "=* 9 passed, 1 skipped in *",
    ], consecutive=True)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code"),
    [([], pytest.ExitCode.TESTS_FAILED), (["--labs-mock-unused-faults=warn"], 0), (["-k", "without"], 0)],
)
def test_the_options_decide_of_shared_faults(project: Project, options: list[str], code: int) -> None:
    """A fault on the command line counts where a test with `labs_mock` has passed; the effect is an option, too."""
    project.write("test_of_all.py", SHARED + MODULES["test_of_all.py"])
    result = project.run('--labs-mock-faults={path: "*/compare", status: 503}', *options)
    assert result.ret == code
    shown = "labs-mock: error" in result.stdout.str(), " of the command line" in result.stdout.str()
    assert shown == (code != 0, "-k" not in options)
