"""What tests of the command line share: a run of it, a transcript, and a scenario with mistakes."""

import shutil
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from labs_mock.cli.main import main

SCRIPT = shutil.which("labs-mock", path=str(Path(sys.executable).parent))

TRANSCRIPT = [
    {"role": "assistant", "content": "Tell me what happened."},
    {"role": "user", "content": "It started on Tuesday."},
    {
        "role": "assistant",
        "content": "Thank you. You pulled muscle.",
        "tool_calls": [{"type": "artifact", "name": "order_imaging", "input": {"region": "back"}}],
    },
]
COLLECTION = "name: Cases\ndescription: Some cases.\n"


def run(*arguments: str | Path, stdin: str | bytes | None = None) -> Result:
    """The output of a command, and its exit code."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin, catch_exceptions=False)


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything in a folder, with the content of files."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


OTHER = """\
name: Other
description: Another case.
shape: conversation
difficulty: easy
max_turns: 50
persona:
  identity: {name: Kim}
  opening: Hello.
  fallback: [Pardon me.]
state:
  - {id: one, fact: F, reveal: volunteered, reply: R}
criteria:
  success_metrics: [{id: asks, text: T, when: {discovered: one}}]
"""
MISTAKES = {
    "shape: conversation": "shape: conversaton",
    "max_turns: 50": "max_turns: 51",
    "  fallback: [Pardon me.]": "  fallback: [[Pardon me.]]",
    "reveal: volunteered": "reveal: rapport_required, when: {silent: true}",
    "discovered: one}}": "discovered: on}}",
}
WHERE = ["3:8", "5:12", "9:14", "11:32", "13:60"]


def with_mistakes(*numbers: int) -> str:
    """The other scenario with some of the mistakes."""
    text = OTHER
    for number in numbers:
        right, wrong = list(MISTAKES.items())[number]
        text = text.replace(right, wrong)
    return text
