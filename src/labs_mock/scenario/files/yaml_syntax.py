"""Syntax errors of the YAML parser, in words for people who write such files."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

SPACES = "\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"  # of Unicode; to YAML they are letters


class SyntaxMistake(NamedTuple):
    """What is wrong at a line and a column, both counted from 1, and what was expected."""

    line: int
    column: int
    message: str
    expected: str = ""


@dataclass(frozen=True, slots=True)
class _ParserStop:
    """Where the parser stopped, and where what it could not finish begins; lines and columns count from 0."""

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

    def here(self, message: str, expected: str) -> SyntaxMistake:
        return SyntaxMistake(self.line + 1, self.column + 1, message, expected)

    def at(self, line: int, column: int, message: str, expected: str) -> SyntaxMistake:
        return SyntaxMistake(line + 1, column + 1, message, expected)


def explain_syntax_error(error: Any, lines: list[str]) -> SyntaxMistake:
    """What an error of the parser means in a text with these lines."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    began = (error.context_mark.line, error.context_mark.column) if error.context_mark else (line, column)
    stop = _ParserStop(lines, line, column, began)
    space = no_break_space(lines, line)
    if space is not None:
        return space
    explain = _EXPLAINED.get(error.problem)
    return explain(stop) if explain else stop.here(error.problem or error.context or "it cannot be parsed", "")


def no_break_space(lines: list[str], line: int) -> SyntaxMistake | None:
    """A space of Unicode where YAML needs a plain one, in a line (from 0) or the last one before it."""
    for number in (line, *[near for near in range(line - 1, max(-1, line - 4), -1) if _line(lines, near).strip()][:1]):
        found = _SPACE.match(_line(lines, number))
        if found is not None:
            return SyntaxMistake(number + 1, found.start(1) + 1, *unlike_space(found[1]))
    return None


def unlike_space(character: str) -> tuple[str, str]:
    """What is wrong with a space of Unicode, and what was expected."""
    name = "a no-break space" if character == "\xa0" else "a space that is none to YAML"
    return f"{name} (U+{ord(character):04X})", "expected a plain space"


_SPACE = re.compile(rf"(?:[ \t]*|[ ]*(?:- +)*-|[ ]*(?:- +)*[\w-]+:)([{SPACES}])")
_QUOTE = "expected quotes around a text that "


def _tab_or_mark(stop: _ParserStop) -> SyntaxMistake:
    character = stop.text[stop.column : stop.column + 1]
    if character == "\t":
        return _tab(stop)
    return stop.here(f"'{character}' begins no text", f"{_QUOTE}begins with '{character}'")


def _tab(stop: _ParserStop) -> SyntaxMistake:
    return stop.here("a tab in the indentation", "expected spaces; YAML takes no tabs there")


def _second_colon(stop: _ParserStop) -> SyntaxMistake:
    """A colon where no key can stand: in a text, on a line that is indented too deep, or below a line that has none."""
    before = stop.text[: stop.column].lstrip(" -")
    if re.search(r":(\s|$)", before):
        return stop.here("': ' in a text without quotes", f"{_QUOTE}has ': ' in it")
    above = stop.before
    if above >= 0 and stop.indent <= _indent(_line(stop.lines, above)):
        line = _line(stop.lines, above)
        return stop.at(above, _indent(line), "a line without 'key: value'", "expected a colon and a space after a key")
    return _indentation(stop)


def _indentation(stop: _ParserStop) -> SyntaxMistake:
    listed = stop.text.lstrip().startswith("-")
    above = _line(stop.lines, stop.before)
    begins = _indent(above) if listed else len(above) - len(above.lstrip(" -"))
    return stop.at(
        stop.line,
        stop.indent,
        f"an indentation that fits no line before: this line begins in column {stop.indent + 1}",
        f"expected what belongs together to begin in one column; line {stop.before + 1} begins in column {begins + 1}",
    )


def _key(stop: _ParserStop) -> SyntaxMistake:
    if stop.text[: stop.column].strip():
        return stop.here(
            "text behind the closing quotation mark", "expected '' for a ' within '…', and \\\" for a \" within \"…\""
        )
    return _indentation(stop)


def _unclosed(stop: _ParserStop) -> SyntaxMistake:
    line, column = stop.began
    if stop.text[stop.column : stop.column + 1] == ":" and line == stop.line:
        return _second_colon(stop)
    opened = _line(stop.lines, line)[column : column + 1]
    closing = {"[": "]", "{": "}"}.get(opened, "]")
    message = f"neither ',' nor '{closing}' where one is needed"
    return stop.here(message, f"expected '{closing}' for the '{opened}' in line {line + 1}, or quotes around a text")


def _open_quote(stop: _ParserStop) -> SyntaxMistake:
    return stop.at(*stop.began, "a quotation mark that is never closed", "expected its other half")


_EXPLAINED: dict[str, Callable[[_ParserStop], SyntaxMistake]] = {
    "found character that cannot start any token": _tab_or_mark,
    "found a tab character that violates indentation": _tab,
    "mapping values are not allowed in this context": _second_colon,
    "did not find expected key": _key,
    "did not find expected '-' indicator": _indentation,
    "did not find expected ',' or '}'": _unclosed,
    "did not find expected ',' or ']'": _unclosed,
    "found unexpected end of stream": _open_quote,
    "could not find expected ':'": lambda stop: stop.at(
        *stop.began, "a line without 'key: value'", "expected a colon and a space after a key"
    ),
    "did not find expected node content": lambda stop: stop.here(
        "no value where one is needed", "expected one, or one ',', ']' or '}' less"
    ),
    "block sequence entries are not allowed in this context": lambda stop: stop.here(
        "a list that begins on the line of its key", "expected '- ' on a line of its own, or quotes around a text"
    ),
    "mapping keys are not allowed in this context": lambda stop: stop.here(
        "'? ' begins no text", f"{_QUOTE}begins with '?'"
    ),
    "did not find expected alphabetic or numeric character": lambda stop: stop.here(
        "a name is missing behind '&' or '*'", f"{_QUOTE}begins with '&' or '*'"
    ),
    "did not find expected comment or line break": lambda stop: stop.here(
        "text behind '>' or '|'", f"{_QUOTE}begins with '>' or '|'"
    ),
    "found unknown escape character": lambda stop: stop.here(
        "an escape that YAML does not know", "expected \\\\ for a backslash in \"…\", or '…' around the text"
    ),
}


def _line(lines: list[str], number: int) -> str:
    return lines[number] if 0 <= number < len(lines) else ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
