"""Responses with the requests that led to them, and how to send these once more by hand."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from labs_mock import escapes

KEY_PLACEHOLDER = "$LABS_API_KEY"
"""What stands for the key, in requests and in responses."""

SECOND_KEY_PLACEHOLDER = "$LABS_SECOND_API_KEY"
"""What stands for the second key, likewise."""

_REPEATED = re.compile(r"(.{1,60}?)\1{49,}", re.DOTALL)
_INLINE = 2_000  # characters of a body that go into a command as they are
_EXCERPT = 400  # characters of a response in a report


@dataclass(frozen=True)
class Response:
    """A response with its request, in neither of which a key can be read.

    `path` begins with `/`. `request_headers` and `headers` have names in lower case; `request_body` is None where there was
    none. Without a response, `status` is 0 and `trouble` says why. `seconds` are those from sending to the end of the response.
    """

    base: str
    method: str
    path: str
    request_headers: Mapping[str, str]
    request_body: bytes | None
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    trouble: str = ""
    seconds: float = field(default=0.0, compare=False)

    @cached_property
    def json(self) -> Any:
        """The content as JSON; None where it is not JSON."""
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            return None

    @property
    def message(self) -> str:
        """The message of an error, or of a dataset's status; empty where there is none."""
        message = self.json.get("message") if isinstance(self.json, dict) else None
        return message if isinstance(message, str) else ""

    @property
    def summary(self) -> str:
        """Status and message."""
        return f"{self.status} {self.message}".strip()

    @property
    def excerpt(self) -> str:
        """The beginning of the content, or why there is none, as a report can show it."""
        text = printable(self.trouble or self.content.decode(errors="replace"))
        return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"

    @property
    def request_size(self) -> int:
        """Characters of the request, by which a small one is told from a large one."""
        return len(self.path) + len(self.request_body or b"") + sum(map(len, self.request_headers.values()))

    def curl(self) -> str:
        """A line for a shell that sends the request once more; a key is taken from the environment."""
        words = ["curl", "-sS", "-X", self.method]
        words += [part for name, value in self.request_headers.items() for part in ("-H", f"{name}: {value}")]
        line = " ".join([*map(_quoted, words), _quoted(self.base + self.path)])
        if self.request_body is None:
            return line
        try:
            text = self.request_body.decode()
        except UnicodeDecodeError:
            return f"{_python(repr(self.request_body), '.buffer')} | {line} --data-binary @-"
        if len(text) <= _INLINE and text.isprintable():
            return f"{line} --data-binary {_quoted(text)}"
        return f"{_python(expression(text))} | {line} --data-binary @-"


def printable(text: str) -> str:
    """A text in which control characters, bidi controls and lone surrogates are escapes; line feeds and tabs stay."""
    return escapes.printable(text, keep="\n\t")


def expression(text: str) -> str:
    """A text as a short Python expression, where repetitions are products."""
    parts, end = [], 0
    for match in _REPEATED.finditer(text):
        parts += [repr(text[end : match.start()])] * (match.start() > end)
        parts.append(f"{match[1]!r} * {len(match[0]) // len(match[1])}")
        end = match.end()
    parts += [repr(text[end:])] * (end < len(text))
    return " + ".join(parts)


def _quoted(text: str) -> str:
    line = shlex.quote(text)
    for name in (KEY_PLACEHOLDER, SECOND_KEY_PLACEHOLDER):
        line = line.replace(name, f"'\"{name}\"'")
    return line


def _python(expression: str, stream: str = "") -> str:
    return f"python3 -c {_quoted(f'import sys; sys.stdout{stream}.write({expression})')}"
