"""The README, as somebody reads it who has this checkout, Python and nothing else."""

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.pages import ADDRESS, ROOT, blocks

README = ROOT / "README.md"
BLOCKS = blocks(README)
SHELL = [block for block in BLOCKS if block.language == "sh" and block.action != "shown"]
COMMANDS = [line for block in SHELL for line in block.text.splitlines()]
SCRIPT = next(place for place, block in enumerate(BLOCKS) if block.language == "python" and not block.action)
ROLES = "I train a model", "I test a client", "I write scenarios", "I run CI"
TOOLS = "bash", "sh", "uname", "cat", "rm"
"""What every system has, and activating an environment may call."""


def test_it_is_short() -> None:
    """At most 120 lines, six commands, and ten lines of Python between the imports and the output."""
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 120
    assert len(COMMANDS) <= 6
    statements = BLOCKS[SCRIPT].text.partition("\n\n")[2].partition("\n\n")[2]
    assert len(statements.splitlines()) <= 10


def test_its_script_prints_what_it_shows() -> None:
    """The Python runs as it stands, and the persona and the reward are those that the README has below it."""
    run = subprocess.run([sys.executable, "-c", BLOCKS[SCRIPT].text], check=True, capture_output=True, text=True)
    assert run.stdout == BLOCKS[SCRIPT + 1].text


def test_its_test_is_one_that_init_writes() -> None:
    """The lines under "In pytest" stand in a file that `labs-mock init --pytest` writes."""
    (shown,) = [block.text for block in BLOCKS if block.language == "python" and block.action == "shown"]
    written = (ROOT / "src/labs_mock/starter/pytest/test_client.py").read_text(encoding="utf-8")
    assert shown in written
    assert "labs-mock init my-tests --pytest" in COMMANDS


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_its_links(role: str) -> None:
    """Whoever comes finds a line with what to read next."""
    (line,) = re.findall(rf"^- \*\*{role}\*\*: ((?:.+\n)(?:  .+\n)*)", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert line.count("](docs/") >= 3


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A checkout in an empty home, and an environment in which there is Python and what every system has."""
    tracked = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    checkout = tmp_path / "home" / "labs-mock"
    for name in filter(None, tracked.split("\0")):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    binaries = tmp_path / "bin"
    binaries.mkdir()
    (binaries / "python3").symlink_to(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
    for tool in TOOLS:
        (binaries / tool).symlink_to(shutil.which(tool) or "")
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "LC_", "LANG"))}
    own = Path.home() / ".config/pip/pip.conf"  # where pip gets packages from is no part of what is installed by hand
    kept |= {"PIP_CONFIG_FILE": str(own)} if own.exists() else {}
    return checkout, {**kept, "HOME": str(checkout.parent), "PATH": str(binaries)}


@pytest.mark.slow
def test_its_commands_end_in_a_green_test_and_a_server(machine: tuple[Path, dict[str, str]]) -> None:
    """Run in order, without an edit, they install, write a client with tests that pass, and serve; and its script runs there."""
    checkout, environment = machine
    *commands, serve = COMMANDS
    assert serve == "labs-mock serve"
    script = "\n".join((*commands, "python - <<'END'", BLOCKS[SCRIPT].text + "END", "exec labs-mock serve --port 0\n"))
    with subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=checkout,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        try:
            while not lines or not lines[-1].startswith("  try "):
                lines.append(process.stdout.readline())
                assert lines[-1], "".join(lines)
            printed = "".join(lines)
            assert re.search(r"^=+ \d+ passed in .*=+$", printed, re.MULTILINE), printed
            assert BLOCKS[SCRIPT + 1].text in printed
            (address,) = re.findall(r"^  browse +(\S+)$", printed, re.MULTILINE)
            assert address != ADDRESS
            with urllib.request.urlopen(address) as page:
                assert b"labs-mock" in page.read()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, process.stdout.read()
