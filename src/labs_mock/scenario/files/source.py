"""The text of a file, and problems at its lines and columns."""

from dataclasses import dataclass, field

from labs_mock.errors import Problem
from labs_mock.scenario.files.yaml_syntax import SyntaxMistake

MAX_MESSAGE = 500  # characters of a message, and of what was expected


@dataclass(slots=True)
class Source:
    """A file's name, and its lines once they are known."""

    file: str
    lines: list[str] = field(default_factory=list)

    def problem(self, line: int, column: int, message: str, expected: str = "") -> Problem:
        """A problem at a line and a column, both counted from 1."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return Problem(self.file, line, column, _clipped(message), _clipped(expected), text)

    def syntax_problem(self, found: SyntaxMistake) -> Problem:
        """A problem of a text that is not YAML."""
        return self.problem(found.line, found.column, f"not YAML: {found.message}", found.expected)


def _clipped(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}…"
