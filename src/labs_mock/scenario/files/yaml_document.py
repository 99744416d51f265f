"""YAML with a place for every value, and without its surprises.

Duplicate keys, tags, aliases that explode, files over 1 MiB and nesting over 50 levels are problems.
"""

import re
from collections.abc import Iterable
from heapq import nsmallest
from pathlib import Path
from typing import Any

import yaml

from labs_mock.errors import Problem, ScenarioError
from labs_mock.scenario.files.folder import MAX_BYTES, read_regular
from labs_mock.scenario.files.paths import Mistake, Steps, Suggestion
from labs_mock.scenario.files.source import Source
from labs_mock.scenario.files.yaml_nodes import Composer, Node
from labs_mock.scenario.files.yaml_syntax import explain_syntax_error, no_break_space


class YamlDocument:
    """A file's text and its values. Raises `ScenarioError` for what is not a safe YAML mapping.

    `value` has all values as plain data, `duplicates` the keys that stand twice, `cut_texts` texts that end at a comment which
    looks like a part of them.
    """

    def __init__(self, file: str, text: str | bytes) -> None:
        self._source = Source(file)
        content = self._decode(text)
        self._source.lines = content.splitlines()
        self._refuse_control_characters(content)
        composer = Composer(self._source)
        self._root = self._compose(composer, _join_surrogates(content))
        self.duplicates: list[Problem] = composer.duplicates
        self.cut_texts: list[Problem] = composer.cut_texts
        if not self._root.mapping:
            raise ScenarioError([self._no_mapping()])
        self.value: dict[str, Any] = self._root.value()

    @classmethod
    def read(cls, path: Path, name: str) -> "YamlDocument":
        """A regular file from the disk; at most 1 MiB of it is read."""
        return cls(name, read_regular(path, name, MAX_BYTES + 1))

    def problem(self, path: Steps, message: str, expected: str = "", *, at_key: bool = False) -> Problem:
        """A problem at the value under a path, or at its key.

        Steps of the path that the document does not have (tags of unions, a missing key) are passed over,
        so the place is the nearest one that exists.
        """
        return self._source.problem(*self._place(path, at_key), message, expected)

    def problems(self, mistakes: Iterable[Mistake], limit: int, others: Iterable[Problem]) -> tuple[list[Problem], int]:
        """The first mistakes and other problems by their places, and how many more there are.

        Several arms of a union may find the same mistake in one value; that counts once.
        """
        found: dict[tuple[int, int, str], str | Suggestion] = {
            (one.line, one.column, one.message): one.expected for one in others
        }
        for mistake in mistakes:
            found.setdefault((*self._place(mistake.path, mistake.at_key), mistake.message), mistake.expected)
        kept = [
            self._source.problem(line, column, message, str(found[line, column, message]))
            for line, column, message in nsmallest(limit, found)
        ]
        return kept, len(found) - len(kept)

    def _place(self, path: Steps, at_key: bool) -> tuple[int, int]:
        """The line and the column of the value under a path, or of its key."""
        node = place = self._root
        for step in path:
            found = node.child(step)
            if found is not None:
                place, node = found if at_key else (found[1], found[1])
        return place.line, place.column

    def _decode(self, text: str | bytes) -> str:
        encoded = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        if len(encoded) > MAX_BYTES:
            raise ScenarioError([self._source.problem(1, 1, "the file is larger than 1 MiB", "expected at most 1 MiB")])
        try:
            return encoded.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = encoded.count(b"\n", 0, error.start) + 1
            raise ScenarioError([self._source.problem(line, 1, "the file is not UTF-8")]) from None

    def _refuse_control_characters(self, content: str) -> None:
        found = _UNPRINTABLE.search(content)
        if found is not None:
            line = content.count("\n", 0, found.start()) + 1
            column = found.start() - content.rfind("\n", 0, found.start())
            raise ScenarioError([self._source.problem(line, column, f"not YAML: the character U+{ord(found[0]):04X}")])

    def _compose(self, composer: Composer, content: str) -> Node:
        try:
            return composer.compose(yaml.parse(content, Loader=yaml.CSafeLoader))
        except yaml.MarkedYAMLError as error:
            found = explain_syntax_error(error, self._source.lines)
            raise ScenarioError([self._source.syntax_problem(found)]) from None
        except yaml.YAMLError as error:
            reason = getattr(error, "reason", None) or "it cannot be parsed"
            raise ScenarioError([self._source.problem(1, 1, f"not YAML: {reason}")]) from None

    def _no_mapping(self) -> Problem:
        root = self._root
        space = no_break_space(self._source.lines, root.line - 1)
        if space is not None:
            return self._source.syntax_problem(space)
        return self._source.problem(root.line, root.column, "the file is no mapping", "expected keys and values")


# YAML 1.2, section 5.1: everything else is not printable.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATES = re.compile(r"((?<!\\)(?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def _join_surrogates(content: str) -> str:
    """JSON spells characters beyond the first plane as two escapes, which YAML does not know."""
    if not content.lstrip().startswith("{") or "\\u" not in content:
        return content

    def joined(found: re.Match[str]) -> str:
        high, low = int(found[2], 16), int(found[3], 16)
        return f"{found[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"

    return _SURROGATES.sub(joined, content)
