import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labs_mock.contract.operations import OPERATIONS
from labs_mock.scenario.loader import load_library, shipped_library
from labs_mock.settings import SETTINGS, Setting
from labs_mock.world import World
from tests.support import live, world

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()


def blocks(marker: str) -> list[str]:
    """The shell blocks of the README behind a marker."""
    return re.findall(rf"<!-- {marker} -->\n```sh\n(.*?)```", README, re.DOTALL)


def shell(script: str, folder: Path) -> str:
    """What a script prints, with this environment's commands on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": path, "LC_ALL": "C.UTF-8"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_the_readmes_session_answers_as_printed(tmp_path: Path) -> None:
    """Exactly the README's lines, but for the port, print exactly what the README shows; the reward rises."""
    (session,) = blocks("session")
    printed = README.partition(session)[2].partition("```text\n")[2].partition("```")[0]
    served = World(world().settings, load_library(shipped_library()))
    with live(served) as server:
        output = shell(session.replace("http://127.0.0.1:8765", server.url), tmp_path)
    assert output == printed
    rewards = [float(line.split()[0]) for line in output.splitlines()]
    assert len(rewards) == 3
    assert rewards == sorted(set(rewards))


def test_the_readmes_commands_run(tmp_path: Path) -> None:
    """The other shell blocks run one after the other in an empty folder."""
    make, score = blocks("run")
    assert "no problems" in shell(make, tmp_path)
    assert "Reward: " in shell(score, tmp_path)


def test_the_readmes_mistake_is_reported_so(tmp_path: Path) -> None:
    """The mistake that the README shows gives the report that it shows."""
    shell("labs-mock init my-scenarios", tmp_path)
    path = tmp_path / "my-scenarios/support/late-parcel.yaml"
    path.write_text(path.read_text().replace("reveal: direct_question", "revael: direct_question"))
    report = shell("labs-mock validate my-scenarios || test $? = 1", tmp_path)
    shown = README.partition("each with its place:\n\n```text\n")[2].partition("```")[0]
    assert shown in report


def row(setting: Setting) -> str:
    """A setting as the README's table has it."""
    option = "`FOLDER`" if setting.name == "scenarios" else f"`{setting.option.replace('/', '` or `')}`"
    default = {True: "on", False: "off"}[setting.default] if setting.kind is bool else str(setting.default)  # type: ignore[index] # a switch has a bool
    return f"| {setting.name} | {option} | `{setting.variable}` | {default} | {setting.help} |"


def test_the_readme_lists_every_setting() -> None:
    """The README's table is the settings table."""
    table = README.partition("<!-- settings -->\n")[2].partition("<!-- /settings -->")[0].splitlines()
    assert table[2:] == [row(setting) for setting in SETTINGS]


def test_the_readme_lists_every_operation() -> None:
    """Each operation of the contract's table stands in the README."""
    for operation in OPERATIONS:
        assert f"| `{operation.method} {operation.full_path}` |" in README


def test_the_gate_runs_the_readmes_command() -> None:
    """`.ci/run` ends with the test command that the README gives."""
    assert "```sh\nmake test\n```" in README
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == "make test"


def test_every_library_has_its_reason() -> None:
    """CONTRIBUTING says why for each dependency of pyproject.toml, and the lock file has it."""
    project = (ROOT / "pyproject.toml").read_text()
    named = re.findall(r'^    "([a-z0-9-]+)>=', project, re.MULTILINE)
    locked = (ROOT / "constraints.txt").read_text()
    reasons = CONTRIBUTING.lower()
    assert len(named) > 15
    for name in named:
        assert re.search(rf"^{name}==", locked, re.MULTILINE), name
        if not name.startswith("types-") and name != "build":
            assert re.search(rf"^\|.*\b{name}\b.*\|", reasons, re.MULTILINE), name


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt", "Makefile", "README.md", "CONTRIBUTING.md"])
def test_no_index_address_is_written_down(name: str) -> None:
    """Project files name packages, never where they are fetched."""
    assert not re.search(r"(?<!no-emit-)index-url|(?<!no-emit-)find-links|://[^ )]*/simple", (ROOT / name).read_text())
