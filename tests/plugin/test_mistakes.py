import socket

import pytest

from tests.plugin.project import Project

MARKERS = {
    "sead=1": "marker labs_mock: unknown 'sead'; did you mean 'seed'?",
    "'cases'": "marker labs_mock: expected names, such as labs_mock(seed=…), got 'cases'",
    "seed='x'": "seed: expected a whole number from 0 to 9223372036854775807",
    "plan='gold'": "plan: expected one of: standard, premium, enterprise",
    "clock='soon'": "clock: 'soon' is not a clock; give real, frozen, frozen:<ISO time> or x<number>",
    "findings='loud'": "findings: unknown 'loud'; expected one of: error, warn, ignore",
    "refusals='wran'": "refusals: unknown 'wran'; did you mean 'warn'?",
    "unused_faults=None": "unused_faults: unknown None; expected one of: error, warn, ignore",
    "scenarios='missing'": "*/missing:1:1: no such folder",
    "scenarios='broken'": "cases/claim.yaml:1:*: unknown key 'nme'",
    "faults=[{'evry': 2, 'status': 503}]": "evry: unknown key 'evry'; did you mean 'every'?",
    "faults=[{'path': '/no/such/path', 'status': 503}]": "a fault that would never happen: *",
    "datasets=[{'nme': 'x'}]": "nme: unknown key 'nme'*",
}
WRONG_TYPES = {
    "faults={'status': 503}": "faults: expected a list of objects",
    "faults=[503]": "faults: expected a list of objects",
    "faults=None": "faults: expected a list of objects",
    "datasets=5": "datasets: expected a list of objects",
    "scenarios=5": "scenarios: expected a folder, got 5",
}
OPTIONS = {
    "seed=x": "seed: expected a whole number from 0 to 9223372036854775807",
    "scenarios=missing": "*/missing:1:1: no such folder",
    "findings=loud": "findings: unknown 'loud'; expected one of: error, warn, ignore",
    "faults={status: 503": "*: not YAML: neither ',' nor '}' where one is needed",
    "datasets=missing.yaml": "missing.yaml:1:1: cannot be read: No such file or directory",
}

TEST = """
@pytest.mark.labs_mock({mistake})
def test_{number}(labs_mock):
    raise AssertionError("the test ran")
"""


def check(result: pytest.RunResult, *messages: str) -> None:
    """Check that so many tests failed before they ran, with just this message: no traceback, no line of the plugin."""
    lines = [line for message in messages for line in ("_* ERROR at setup of test_*_", f"labs-mock: {message}")]
    result.stdout.fnmatch_lines(lines)
    for unwanted in ("Traceback", "pytest_plugin/", "Error: ", "the test ran"):
        result.stdout.no_fnmatch_line(f"*{unwanted}*")


@pytest.mark.parametrize("mistakes", [MARKERS, WRONG_TYPES], ids=["values", "types"])
@pytest.mark.slow
def test_a_mistake_in_a_marker_fails_its_test(project: Project, mistakes: dict[str, str]) -> None:
    """Unknown names, positional arguments, bad values, and scenarios, faults and datasets with mistakes."""
    tests = [TEST.format(mistake=mistake, number=number) for number, mistake in enumerate(mistakes)]
    project.write("test_marked.py", "\n".join(["import pytest", *tests]))
    project.write_scenarios("broken", "cases", nme="x")
    result = project.run()
    result.assert_outcomes(errors=len(mistakes))
    check(result, *mistakes.values())


@pytest.mark.slow
@pytest.mark.parametrize("mistake", OPTIONS)
def test_a_mistake_in_an_option_fails_every_test_that_uses_a_fixture(project: Project, mistake: str) -> None:
    """And no other one."""
    project.write("test_some.py", "def test_a(labs_mock): raise AssertionError('the test ran')\ndef test_b(): pass\n")
    result = project.run(f"--labs-mock-{mistake}")
    result.assert_outcomes(passed=1, errors=1)
    check(result, OPTIONS[mistake])


def test_a_port_in_use_fails_tests_in_one_line(project: Project) -> None:
    """A port that the project wants and somebody has is named, without a traceback, and other tests run."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        project.write(
            "conftest.py",
            f"import pytest\n@pytest.fixture(scope='session')\ndef labs_mock_settings(): return {{'port': {port}}}\n",
        )
        project.write(
            "test_some.py", "def test_a(labs_mock): raise AssertionError('the test ran')\ndef test_b(): pass\n"
        )
        result = project.run()
    result.assert_outcomes(passed=1, errors=1)
    check(result, f"cannot listen on 127.0.0.1 port {port}: Address already in use")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("pytest_plugins = ['labs_mock.pytest_plugin']", []),
        ("pytest_plugins = ['labs_mock']", []),
        ("", ["-p", "labs_mock.pytest_plugin"]),
        ("", ["-p", "labs_mock"]),
        ("pytest_plugins = ['labs_mock.pytest_plugin']", ["-p", "labs_mock.pytest_plugin"]),
    ],
)
def test_a_plugin_that_is_named_again_is_there_once(project: Project, line: str, options: list[str]) -> None:
    """The entry point has it already: naming its module, in conftest.py or after -p, does no harm."""
    project.write("conftest.py", line)
    project.write("test_some.py", "def test_a(labs_mock): assert labs_mock.url\n")
    project.run(*options).assert_outcomes(passed=1)


def test_a_plugin_that_is_turned_off_stays_off(project: Project) -> None:
    """`-p no:labs_mock` turns it off, unless its module is named."""
    project.write("test_some.py", "def test_a(labs_mock): assert labs_mock.url\n")
    project.run("-p", "no:labs_mock").assert_outcomes(errors=1)
    project.run("-p", "no:labs_mock", "-p", "labs_mock.pytest_plugin").assert_outcomes(passed=1)


def test_a_refusal_of_the_control_plane_is_shown_without_frames_of_the_library(project: Project) -> None:
    """The traceback ends in the test, at the call that was refused, and the message names what to send."""
    project.write(
        "test_some.py",
        "from labs_mock.testing import LabsMock\n"
        "def test_a(labs_mock): labs_mock.add_fault(evry=2, status=503)\n"
        "def test_b(): LabsMock().now\n",
    )
    result = project.run()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            ">   def test_a(labs_mock): labs_mock.add_fault(evry=2, status=503)",
            "E   labs_mock.testing.ControlError: evry: unknown key 'evry'; did you mean 'every'?",
            ">   def test_b(): LabsMock().now",
            "E   labs_mock.testing.ControlError: not started: *",
        ]
    )
    result.stdout.no_fnmatch_line("*labs_mock/testing/*")
