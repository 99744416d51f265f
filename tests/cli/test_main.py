import json
import os
import subprocess
from pathlib import Path

import pytest

from labs_mock import __version__
from labs_mock.cli.main import COMMANDS
from labs_mock.config.printing import KINDS, schema_of
from tests.cli.running import SCRIPT, run


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_printed(kind: str) -> None:
    """The output is the schema as JSON, and nothing else."""
    result = run("schema", kind)
    assert (result.exit_code, json.loads(result.stdout)) == (0, schema_of(kind))


def test_the_console_script_prints_its_version() -> None:
    """`labs-mock` is on the path of its environment, and starts."""
    assert SCRIPT
    done = subprocess.run([SCRIPT, "--version"], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"labs-mock, version {__version__}\n", "")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["export", "check-ins"], 0),
        (["scenarios"], 0),
        (["schema", "openapi"], 0),
        (["schema", "collection"], 0),
        (["--help"], 0),
        (["validate"], 0),
        (["validate", "bad"], 1),
    ],
)
def test_a_reader_that_leaves_is_no_failure(tmp_path: Path, command: list[str], code: int) -> None:
    """`labs-mock export … | head`: not a word, and exit code 0 however much is left; a check ends with its own exit code."""
    assert SCRIPT
    (tmp_path / "bad").mkdir()
    reads, writes = os.pipe()
    with subprocess.Popen([SCRIPT, *command], cwd=tmp_path, stdout=writes, stderr=subprocess.PIPE) as process:
        os.close(writes)
        os.close(reads)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == code


def test_an_invisible_character_is_shown_as_an_escape(tmp_path: Path) -> None:
    """Neither a file nor an argument can send control characters to the terminal by way of a message."""
    (tmp_path / "s.yaml").write_text('name: "\\e]0;title\\a"\nnme: "\\e[31m \\u202e"\n', encoding="utf-8")
    for arguments in (
        ("export", "\x1b[31m\u202e"),
        ("score", "a/\x1b[31m\u202e", "-"),
        ("score", tmp_path / "s.yaml", "-"),
    ):
        result = run(*arguments, stdin="[]")
        assert result.exit_code == 2
        assert result.stderr.replace("\n", "").isprintable()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    """`-h` works on every command, and the first page lists it."""
    assert run(command, "-h").exit_code == 0
    assert f"\n  {command} " in run("-h").stdout


@pytest.mark.parametrize("arguments", [["sreve"], ["schema", "scenery"], ["validate", "--fast"], ["score"], ["init"]])
def test_bad_usage_has_exit_code_2(arguments: list[str]) -> None:
    """Unknown commands and options and missing arguments are bad usage."""
    assert run(*arguments).exit_code == 2
