"""Requests with their answers, and how to send them once more by hand."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

HIDDEN = "$LABS_API_KEY"
"""What stands for the key, wherever it was sent or came back."""

SECOND_HIDDEN = "$LABS_SECOND_API_KEY"
"""What stands for the second key, likewise."""

_REPEATED = re.compile(r"(.{1,60}?)\1{49,}", re.DOTALL)
_INLINE = 2_000  # characters of a body that go into a command as they are


@dataclass(frozen=True)
class Sent:
    """One request with its answer, in neither of which a key can be read.

    `path` begins with `/`. `sent` and `headers` have names in lower case; `body` is None where nothing was sent. If there
    was no answer, `status` is 0 and `trouble` says why. `seconds` are those from sending to the end of the answer.
    """

    base: str
    method: str
    path: str
    sent: Mapping[str, str]
    body: bytes | None
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: bytes = b""
    trouble: str = ""
    seconds: float = field(default=0.0, compare=False)

    @cached_property
    def json(self) -> Any:
        """The answer as JSON; None where it is not JSON."""
        try:
            return orjson.loads(self.answer)
        except orjson.JSONDecodeError:
            return None

    @property
    def message(self) -> str:
        """The message of an error, or of a dataset's status; empty where there is none."""
        said = self.json.get("message") if isinstance(self.json, dict) else None
        return said if isinstance(said, str) else ""

    @property
    def size(self) -> int:
        """Characters of the request, which tell a small one from a large one."""
        return len(self.path) + len(self.body or b"") + sum(map(len, self.sent.values()))

    def curl(self) -> str:
        """A line for a shell that sends the request once more; a key is taken from the environment."""
        words = ["curl", "-sS", "-X", self.method]
        words += [part for name, value in self.sent.items() for part in ("-H", f"{name}: {value}")]
        line = " ".join([*map(_quoted, words), _quoted(self.base + self.path)])
        if self.body is None:
            return line
        try:
            text = self.body.decode()
        except UnicodeDecodeError:
            return f"{_python(repr(self.body), '.buffer')} | {line} --data-binary @-"
        if len(text) <= _INLINE and text.isprintable():
            return f"{line} --data-binary {_quoted(text)}"
        return f"{_python(expression(text))} | {line} --data-binary @-"


def _quoted(text: str) -> str:
    line = shlex.quote(text)
    for name in (HIDDEN, SECOND_HIDDEN):
        line = line.replace(name, f"'\"{name}\"'")
    return line


def _python(expression: str, stream: str = "") -> str:
    return f"python3 -c {_quoted(f'import sys; sys.stdout{stream}.write({expression})')}"


def expression(text: str) -> str:
    """A text as a short Python expression, where repetitions are products."""
    parts, end = [], 0
    for match in _REPEATED.finditer(text):
        parts += [repr(text[end : match.start()])] * (match.start() > end)
        parts.append(f"{match[1]!r} * {len(match[0]) // len(match[1])}")
        end = match.end()
    parts += [repr(text[end:])] * (end < len(text))
    return " + ".join(parts)
