"""What a parser of YAML stumbles over, in words of somebody who writes such files."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

SPACES = "\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"  # of Unicode, which are letters to YAML


class Complaint(NamedTuple):
    """What is wrong at a line and a column, both counted from 1, and what was expected."""

    line: int
    column: int
    message: str
    expected: str = ""


@dataclass(frozen=True, slots=True)
class _Stumble:
    """Where the parser stopped, and where that began which it could not finish; lines and columns count from 0."""

    lines: list[str]
    line: int
    column: int
    began: tuple[int, int]

    @property
    def text(self) -> str:
        return _line(self.lines, self.line)

    @property
    def indent(self) -> int:
        return _indent(self.text)

    @property
    def before(self) -> int:
        """The number of the last line above that has something on it; -1 if there is none."""
        above = range(min(self.line, len(self.lines)) - 1, -1, -1)
        return next(
            (number for number in above if self.lines[number].strip() and self.lines[number].strip()[0] != "#"), -1
        )

    def here(self, message: str, expected: str) -> Complaint:
        return Complaint(self.line + 1, self.column + 1, message, expected)

    def at(self, line: int, column: int, message: str, expected: str) -> Complaint:
        return Complaint(line + 1, column + 1, message, expected)


def complaint(error: Any, lines: list[str]) -> Complaint:
    """A parser's error in a text with these lines."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    began = (error.context_mark.line, error.context_mark.column) if error.context_mark else (line, column)
    stumble = _Stumble(lines, line, column, began)
    space = no_break_space(lines, line)
    if space is not None:
        return space
    explain = _EXPLAINED.get(error.problem)
    return explain(stumble) if explain else stumble.here(error.problem or error.context or "it cannot be parsed", "")


def no_break_space(lines: list[str], line: int) -> Complaint | None:
    """A space of Unicode where YAML needs a plain one, in a line (from 0) or the last one before it."""
    for number in (line, *[near for near in range(line - 1, max(-1, line - 4), -1) if _line(lines, near).strip()][:1]):
        found = _SPACE.match(_line(lines, number))
        if found is not None:
            return Complaint(number + 1, found.start(1) + 1, *unlike_space(found[1]))
    return None


def unlike_space(character: str) -> tuple[str, str]:
    """What is wrong with a space of Unicode, and what was expected."""
    name = "a no-break space" if character == "\xa0" else "a space that is none to YAML"
    return f"{name} (U+{ord(character):04X})", "expected a plain space"


_SPACE = re.compile(rf"(?:[ \t]*|[ ]*(?:- +)*-|[ ]*(?:- +)*[\w-]+:)([{SPACES}])")
_QUOTE = "expected quotes around a text that "


def _tab_or_mark(stumble: _Stumble) -> Complaint:
    character = stumble.text[stumble.column : stumble.column + 1]
    if character == "\t":
        return _tab(stumble)
    return stumble.here(f"'{character}' begins no text", f"{_QUOTE}begins with '{character}'")


def _tab(stumble: _Stumble) -> Complaint:
    return stumble.here("a tab in the indentation", "expected spaces; YAML takes no tabs there")


def _second_colon(stumble: _Stumble) -> Complaint:
    """A colon where no key can stand: in a text, on a line that is indented too deep, or below a line that has none."""
    before = stumble.text[: stumble.column].lstrip(" -")
    if re.search(r":(\s|$)", before):
        return stumble.here("': ' in a text without quotes", f"{_QUOTE}has ': ' in it")
    above = stumble.before
    if above >= 0 and stumble.indent <= _indent(_line(stumble.lines, above)):
        line = _line(stumble.lines, above)
        return stumble.at(
            above, _indent(line), "a line without 'key: value'", "expected a colon and a space after a key"
        )
    return _indentation(stumble)


def _indentation(stumble: _Stumble) -> Complaint:
    listed = stumble.text.lstrip().startswith("-")
    above = _line(stumble.lines, stumble.before)
    begins = _indent(above) if listed else len(above) - len(above.lstrip(" -"))
    return stumble.at(
        stumble.line,
        stumble.indent,
        f"an indentation that fits no line before: this line begins in column {stumble.indent + 1}",
        f"expected what belongs together to begin in one column; line {stumble.before + 1} begins in column {begins + 1}",
    )


def _key(stumble: _Stumble) -> Complaint:
    if stumble.text[: stumble.column].strip():
        return stumble.here(
            "text behind the closing quotation mark", "expected '' for a ' within '…', and \\\" for a \" within \"…\""
        )
    return _indentation(stumble)


def _unclosed(stumble: _Stumble) -> Complaint:
    line, column = stumble.began
    if stumble.text[stumble.column : stumble.column + 1] == ":" and line == stumble.line:
        return _second_colon(stumble)
    opened = _line(stumble.lines, line)[column : column + 1]
    closing = {"[": "]", "{": "}"}.get(opened, "]")
    message = f"neither ',' nor '{closing}' where one is needed"
    return stumble.here(message, f"expected '{closing}' for the '{opened}' in line {line + 1}, or quotes around a text")


def _open_quote(stumble: _Stumble) -> Complaint:
    return stumble.at(*stumble.began, "a quotation mark that is never closed", "expected its other half")


_EXPLAINED: dict[str, Callable[[_Stumble], Complaint]] = {
    "found character that cannot start any token": _tab_or_mark,
    "found a tab character that violates indentation": _tab,
    "mapping values are not allowed in this context": _second_colon,
    "did not find expected key": _key,
    "did not find expected '-' indicator": _indentation,
    "did not find expected ',' or '}'": _unclosed,
    "did not find expected ',' or ']'": _unclosed,
    "found unexpected end of stream": _open_quote,
    "could not find expected ':'": lambda stumble: stumble.at(
        *stumble.began, "a line without 'key: value'", "expected a colon and a space after a key"
    ),
    "did not find expected node content": lambda stumble: stumble.here(
        "no value where one is needed", "expected one, or one ',', ']' or '}' less"
    ),
    "block sequence entries are not allowed in this context": lambda stumble: stumble.here(
        "a list that begins on the line of its key", "expected '- ' on a line of its own, or quotes around a text"
    ),
    "mapping keys are not allowed in this context": lambda stumble: stumble.here(
        "'? ' begins no text", f"{_QUOTE}begins with '?'"
    ),
    "did not find expected alphabetic or numeric character": lambda stumble: stumble.here(
        "a name is missing behind '&' or '*'", f"{_QUOTE}begins with '&' or '*'"
    ),
    "did not find expected comment or line break": lambda stumble: stumble.here(
        "text behind '>' or '|'", f"{_QUOTE}begins with '>' or '|'"
    ),
    "found unknown escape character": lambda stumble: stumble.here(
        "an escape that YAML does not know", "expected \\\\ for a backslash in \"…\", or '…' around the text"
    ),
}


def _line(lines: list[str], number: int) -> str:
    return lines[number] if 0 <= number < len(lines) else ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
