"""What real shells complete, with the script that `labs-mock` prints for each."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from labs_mock.cli.main import COMMANDS

COMPLETIONS = {
    "bash": """
compopt() { COMPREPLY=($(compgen -f -- "${COMP_WORDS[-1]}")); }
eval "$(_LABS_MOCK_COMPLETE=bash_source labs-mock)"
read -ra COMP_WORDS <<< "$LINE"
[[ $LINE == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
found=$(complete -p labs-mock)
[[ $found =~ -F\\ ([^ ]+) ]] && "${BASH_REMATCH[1]}" labs-mock
printf '%s\\n' "${COMPREPLY[@]}"
""",
    "zsh": """
compdef() { function=$1 }
_describe() { for found in ${(P)3}; do print -r -- ${found%%:*}; done }
compadd() { print -rl -- ${(P)@[-1]} }
_path_files() { print -rl -- *(N) }
eval "$(_LABS_MOCK_COMPLETE=zsh_source labs-mock)"
words=("${(@s: :)LINE}")
CURRENT=${#words}
$function
""",
    "fish": """
_LABS_MOCK_COMPLETE=fish_source labs-mock | source
complete --do-complete "$LINE" | string replace --regex '\\t.*' ''
true
""",
}
"""Programs that print what a shell completes the line `$LINE` to; bash and zsh do so in their editors alone, which functions stand in for."""
Complete = Callable[[str], list[str]]


@pytest.fixture(params=COMPLETIONS)
def complete(request: pytest.FixtureRequest, tmp_path: Path) -> Complete:
    """A shell of this machine in a folder that has a file, and a home of its own."""
    shell: str = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} on this machine")
    (tmp_path / "mine.yaml").touch()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8"}

    def lines(line: str) -> list[str]:
        done = subprocess.run(
            [shell, "-c", COMPLETIONS[shell]],
            cwd=tmp_path,
            env={**environment, "LINE": line},
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stderr == ""
        return sorted(filter(None, done.stdout.splitlines()))

    return lines


def test_commands_and_options(complete: Complete) -> None:
    """All commands, those that begin with what is there, and the options of a command."""
    assert complete("labs-mock ") == sorted(COMMANDS)
    assert complete("labs-mock s") == ["scenarios", "schema", "score", "serve", "state"]
    assert {"--port", "--seed", "--reload"} <= set(complete("labs-mock serve --"))


def test_choices(complete: Complete) -> None:
    """What an option or argument may be."""
    assert complete("labs-mock schema s") == ["scenario", "server"]
    assert complete("labs-mock validate --format g") == ["github"]


def test_names_of_scenarios_and_datasets(complete: Complete) -> None:
    """Those that are shipped, or those of a folder; else files, for a scenario may be one."""
    assert complete("labs-mock score finance/") == [
        "finance/expense-audit",
        "finance/retirement-worries",
        "finance/small-business-loan",
    ]
    assert complete("labs-mock export pen") == ["pension-talks"]
    assert complete("labs-mock play mi") == ["mine.yaml"]


def test_the_list_of_commands_imports_none_of_them() -> None:
    """The first thing that one completes is there as soon as the program starts."""
    program = "import sys\nfrom labs_mock.cli.main import main\ntry:\n main(prog_name='labs-mock')\nfinally:\n print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "_LABS_MOCK_COMPLETE": "fish_complete", "COMP_WORDS": "labs-mock ", "COMP_CWORD": ""},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert [line.split("\t")[0].partition(",")[2] for line in done.stdout.splitlines()] == [*COMMANDS]
    imported = set(done.stderr.split())
    assert "labs_mock.cli.main" in imported
    assert [name for name in COMMANDS if f"labs_mock.cli.commands.{name}" in imported] == []
    assert not imported & {"pydantic", "starlette", "uvicorn", "yaml"}
