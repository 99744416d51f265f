"""The client in Java, compiled and run with the JDK of this machine."""

from pathlib import Path

import pytest

from tests.clients.programs import copied, installed, run

pytestmark = pytest.mark.slow

SCENARIOS = "../../scenarios"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's folder, with its classes in `build`."""
    installed("javac", "java")
    folder = copied("clients/java", tmp_path_factory.mktemp("java"))
    done = run(["javac", "-d", "build", *sorted(path.name for path in folder.glob("*.java"))], folder)
    assert done.returncode == 0, done.stdout
    return folder


def test_its_tests_are_green(compiled: Path) -> None:
    """As its README says: the client plays, waits for its quota, and throws what is refused (EP-11, RL-2)."""
    done = run(["java", "-cp", "build", "LabsTest", SCENARIOS], compiled)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("\nok ") + done.stdout.startswith("ok ") == 6


def test_without_labs_mock_it_says_what_to_install(compiled: Path) -> None:
    """Where the command is missing, the first line of the error has the remedy."""
    done = run(["java", "-cp", "build", "LabsTest", SCENARIOS], compiled, ours=False)
    assert done.returncode == 1
    assert "labs-mock is not installed, or not on the PATH" in done.stdout.splitlines()[0]
