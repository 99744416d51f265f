"""What `labs-mock init --pytest` writes, run as its reader runs it."""

from pathlib import Path

import pytest

from tests.cli.running import run
from tests.plugin.project import Project

NO_TURN = '{"turn": 2, "observation": {"content": ""}, "episode_complete": True, "terminal_reason": "", "reward": 0.0}'
BROKEN = {
    "a failure becomes 0.0": ('raise LabsError(f"POST {path}: {problem}")', 'return {"reward": 0.0}'),
    "no answer becomes 0.0": ('problem = f"no answer: {error}"', f"return {NO_TURN}"),
    "a turn is sent again": ("if not again:", "if False:"),
    "waits until the reset as if it were a number of seconds": (" - time.time())", ")"),
    "another reward": ("return float(reward)", "return float(reward) / 2"),
}
"""What is replaced in `client.py`, and by what. The first is tried before each commit."""


@pytest.fixture
def started(project: Project) -> Path:
    """A project with what `init` writes."""
    assert run("init", project.path / "my-tests", "--pytest").exit_code == 0
    return project.path / "my-tests"


def test_what_init_writes_is_green(project: Project, started: Path) -> None:
    """All of its tests pass, with warnings as errors, and with nothing edited."""
    result = project.run(str(started), "-W", "error")
    outcomes = result.parseoutcomes()
    assert outcomes == {"passed": (started / "test_client.py").read_text().count("\ndef test_")}
    assert result.ret == 0


@pytest.mark.parametrize(
    "mistake", [pytest.param(name, marks=pytest.mark.slow) if number else name for number, name in enumerate(BROKEN)]
)
def test_a_broken_client_is_red(project: Project, started: Path, mistake: str) -> None:
    """Each of the usual mistakes in the client turns the tests red."""
    client = started / "client.py"
    right, wrong = BROKEN[mistake]
    text = client.read_text()
    assert text.count(right) == 1
    client.write_text(text.replace(right, wrong))
    outcomes = project.run(str(started)).parseoutcomes()
    assert outcomes.get("failed", 0) > 0
