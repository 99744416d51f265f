"""Paths in plain data, values at a path, and mistakes there. Data may be wrong in any way: what does not fit is passed over.

The schema reports wrong types; the checks that run beside it look only at what has the right one.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from labs_mock.text import did_you_mean

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Which of the known names was probably meant by a word. To compare them takes long, so that waits until it is shown."""

    word: str
    known: Collection[str]

    def __str__(self) -> str:
        return did_you_mean(self.word, self.known)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A problem before it has a line: where in the data, what is wrong, what was expected.

    `meant` is the key that an unknown one was probably meant to be.
    """

    path: Steps
    message: str
    expected: str | Suggestion = ""
    at_key: bool = False
    meant: str = ""


def find(data: Any, pattern: str) -> Iterator[tuple[Steps, Any]]:
    """The values at a dotted pattern with their paths; `*` is any member of a list or mapping, "" the value itself."""
    found: list[tuple[Steps, Any]] = [((), data)]
    for step in pattern.split(".") if pattern else ():
        found = [(where, child) for path, value in found for where, child in _children(path, value, step)]
    yield from found


def _children(path: Steps, value: Any, step: str) -> Iterator[tuple[Steps, Any]]:
    if isinstance(value, dict):
        for key in value if step == "*" else [step] if step in value else []:
            yield (*path, key), value[key]
    elif isinstance(value, list) and step == "*":
        for index, child in enumerate(value):
            yield (*path, index), child


def texts(data: Any, pattern: str) -> list[tuple[Steps, str]]:
    """Those values at a pattern that are text."""
    return [(path, value) for path, value in find(data, pattern) if isinstance(value, str)]


def mappings(data: Any, pattern: str) -> list[tuple[Steps, dict[str, Any]]]:
    """Those values at a pattern that are mappings."""
    return [(path, value) for path, value in find(data, pattern) if isinstance(value, dict)]
