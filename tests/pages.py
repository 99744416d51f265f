"""Pages of documentation as tests see them: their fenced blocks, run in order in one folder.

A block runs by its language. A comment on the line before a block says what else is to be done with it:

- ``sh``, ``python``, ``ts``: run. A ``text`` block that follows must be exactly what was printed. ``ts`` is TypeScript for
  node; without node it is skipped.
- ``<!-- file: NAME -->``: written to that file of the folder instead.
- ``<!-- ends: 1 -->``: run; ends with that exit code.
- ``<!-- shown: REASON -->``: not run, for a reason.
- ``<!-- part: PATH -->``: not run, but a part of this file of the project, word for word; a test of that file runs it. If it is the
  whole file, it is written to the folder, too.

Where a page names the default address, a server of the shipped library answers there.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md")])
EXAMPLES = sorted(page.parent for page in (ROOT / "examples").rglob("*/README.md") if "node_modules" not in page.parts)
ADDRESS = "http://127.0.0.1:8765"
PLAIN = ("text", "")  # not run: what a command printed, or a drawing
SCRIPTS = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}

_BLOCK = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)

_TYPES = re.compile(r"^type \w+ = .*;\n| as [A-Z]\w*|(?<=\w): (?:string|number)(?=[,)])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: `action` and `argument` are of the comment before it, `line` is where it stands."""

    language: str
    text: str
    action: str
    argument: str
    line: int


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    content = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(content):
        action, _, argument = (match["note"] or "").partition(": ")
        line = content.count("\n", 0, match.start("text"))
        found.append(Block(match["language"], match["text"], action, argument, line))
    return found


def without_types(text: str) -> str:
    """TypeScript as JavaScript, for a node that is too old to do that itself.

    Knows just what the pages use: type definitions in a line, `as Name`, and parameters that are strings or numbers. What
    else there is of types stays, and is a syntax error.
    """
    return _TYPES.sub("", text)


@cache
def strips_types() -> bool:
    """Whether the node that is installed runs TypeScript as it stands."""
    result = subprocess.run(
        ["node", "--print", "process.features.typescript"],
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout.strip() in ("strip", "transform")


def node_command(text: str) -> list[str]:
    """Runs TypeScript, given as a text."""
    kind, script = ("module-typescript", text) if strips_types() else ("module", without_types(text))
    return ["node", "--no-warnings", f"--input-type={kind}", "--eval", script]


class Folder:
    """The folder in which the blocks of one page run; `url` is where the server is that the page speaks of."""

    def __init__(self, path: Path, url: str) -> None:
        self.path = path
        self.url = url
        self.printed: str | None = ""  # None: the block was skipped

    def use(self, block: Block) -> None:
        """Do with a block what its language and its comment say."""
        if block.action == "shown":
            assert block.argument, "a block that is not run needs a reason"
        elif block.action == "file":
            self.write(block.argument, block.text.replace(ADDRESS, self.url))
        elif block.action == "part":
            self.compare(block)
        elif block.language == "ts" and shutil.which("node") is None:
            self.printed = None
        elif block.language in (*SCRIPTS, "ts"):
            self.printed = self.run(block)
        elif block.language == "text":
            assert self.printed in (None, block.text)
        else:
            assert block.language in PLAIN, f"nothing is known of {block.language!r}"

    def run(self, block: Block) -> str:
        """What a script prints, standard error after standard output, with this environment's commands on the path."""
        text = block.text.replace(ADDRESS, self.url)
        result = subprocess.run(
            [*SCRIPTS[block.language], text] if block.language in SCRIPTS else node_command(text),
            cwd=self.path,
            env={"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8"},
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
        )
        expected = int(block.argument) if block.action == "ends" else 0
        assert result.returncode == expected, result.stderr + result.stdout
        return (result.stdout + result.stderr).replace(self.url, ADDRESS)

    def compare(self, block: Block) -> None:
        """A part of a file of the project; a whole file can be run by the blocks that follow."""
        path = ROOT / block.argument
        content = path.read_text(encoding="utf-8")
        assert block.text in content, f"{block.argument} is different"
        if block.text == content:
            self.write(path.name, content.replace(ADDRESS, self.url))

    def write(self, name: str, text: str) -> None:
        """A file of the folder."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
