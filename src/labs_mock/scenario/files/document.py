"""YAML with a place for every value, and without its surprises.

Scalars follow YAML 1.2: `no` is text, `1_000` is text, `0o17` and `0x1f` are numbers. Duplicate keys,
tags, aliases that explode, files over 1 MiB and nesting over 50 levels are problems.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import nsmallest
from pathlib import Path
from typing import Any

import yaml

from labs_mock.errors import Problem, ScenarioError
from labs_mock.scenario.files.folder import read_regular
from labs_mock.scenario.files.paths import Hint, Mistake, Steps
from labs_mock.scenario.files.syntax import SPACES, Complaint, complaint, no_break_space, unlike_space

MAX_BYTES = 1024 * 1024
MAX_NESTING = 50
MAX_NODES = 100_000
MAX_MESSAGE = 500  # characters of a message, and of what was expected
LONG = 1_000  # characters of a text that count as a value more, since aliases repeat them, too


@dataclass(slots=True)
class Node:
    """One value of a document and its place; `line` and `column` count from 1.

    `children` are (key, value) pairs for a mapping, (None, value) pairs for a sequence, and None for a
    scalar. `size` is the number of nodes below and with this one, aliases counted as often as they stand.
    """

    line: int
    column: int
    scalar: Any = None
    children: list[tuple["Node | None", "Node"]] | None = None
    mapping: bool = False
    size: int = 1
    depth: int = 1
    by_step: "dict[Any, tuple[Node, Node]] | None" = None

    def child(self, step: str | int) -> "tuple[Node, Node] | None":
        """The place and the value under a key or an index; of equal keys the last counts."""
        if self.by_step is None:
            pairs = enumerate(self.children or ())
            self.by_step = {
                index if key is None else key.scalar: (key or child, child) for index, (key, child) in pairs
            }
        return self.by_step.get(step)

    def value(self) -> Any:
        """Plain Python data: dict, list, str, int, float, bool or None."""
        if self.children is None:
            return self.scalar
        if self.mapping:
            return {key.scalar: child.value() for key, child in self.children if key is not None}
        return [child.value() for _, child in self.children]


class Document:
    """A file's text and its values. Raises `ScenarioError` for what is not a safe YAML mapping.

    `duplicates` are keys that stand twice, and `cut` are texts that a comment ends which looks like a part of them.
    """

    def __init__(self, file: str, text: str | bytes) -> None:
        self.file = file
        self.lines: list[str] = []
        self.duplicates: list[Problem] = []
        self.cut: list[Problem] = []
        content = self._decode(text)
        self.lines = content.splitlines()
        self._refuse_control_characters(content)
        content = _join_surrogates(content)
        self.root = self._compose(content)
        if not self.root.mapping:
            space = no_break_space(self.lines, self.root.line - 1)
            if space is not None:
                raise ScenarioError([self.not_yaml(space)])
            raise ScenarioError([self.problem_at(self.root, "the file is no mapping", "expected keys and values")])
        self.value: dict[str, Any] = self.root.value()

    @classmethod
    def read(cls, path: Path, name: str) -> "Document":
        """A regular file from the disk; at most 1 MiB of it is read."""
        return cls(name, read_regular(path, name, MAX_BYTES + 1))

    def problem(self, path: Steps, message: str, expected: str = "", *, at_key: bool = False) -> Problem:
        """A problem at the value under a path, or at its key.

        Steps of the path that the document does not have (tags of unions, a missing key) are passed over,
        so the place is the nearest one that exists.
        """
        return self.problem_at(self._find(path, at_key), message, expected)

    def problems(self, mistakes: Iterable[Mistake], limit: int, others: Iterable[Problem]) -> tuple[list[Problem], int]:
        """The first mistakes and other problems by their places, and how many more there are.

        The arms of a union say the same of one value, each for itself; that counts once.
        """
        found: dict[tuple[int, int, str], str | Hint] = {
            (one.line, one.column, one.message): one.expected for one in others
        }
        for mistake in mistakes:
            node = self._find(mistake.path, mistake.at_key)
            found.setdefault((node.line, node.column, mistake.message), mistake.expected)
        kept = [
            self.problem_on(line, column, message, str(found[line, column, message]))
            for line, column, message in nsmallest(limit, found)
        ]
        return kept, len(found) - len(kept)

    def problem_at(self, node: Node, message: str, expected: str = "") -> Problem:
        """A problem at a node."""
        return self.problem_on(node.line, node.column, message, expected)

    def _find(self, path: Steps, at_key: bool) -> Node:
        node = place = self.root
        for step in path:
            found = node.child(step)
            if found is not None:
                place, node = found if at_key else (found[1], found[1])
        return place

    def problem_on(self, line: int, column: int, message: str, expected: str = "") -> Problem:
        """A problem at a line and a column, both counted from 1."""
        source = self.lines[line - 1] if line <= len(self.lines) else ""
        return Problem(self.file, line, column, _clipped(message), _clipped(expected), source)

    def _decode(self, text: str | bytes) -> str:
        encoded = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        if len(encoded) > MAX_BYTES:
            raise ScenarioError([self.problem_on(1, 1, "the file is larger than 1 MiB", "expected at most 1 MiB")])
        try:
            return encoded.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = encoded.count(b"\n", 0, error.start) + 1
            raise ScenarioError([self.problem_on(line, 1, "the file is not UTF-8")]) from None

    def _refuse_control_characters(self, content: str) -> None:
        found = _UNPRINTABLE.search(content)
        if found is not None:
            line = content.count("\n", 0, found.start()) + 1
            column = found.start() - content.rfind("\n", 0, found.start())
            raise ScenarioError([self.problem_on(line, column, f"not YAML: the character U+{ord(found[0]):04X}")])

    def not_yaml(self, found: Complaint) -> Problem:
        """A problem of the text itself."""
        return self.problem_on(found.line, found.column, f"not YAML: {found.message}", found.expected)

    def _compose(self, content: str) -> Node:
        try:
            return _Composer(self).compose(yaml.parse(content, Loader=yaml.CSafeLoader))
        except yaml.MarkedYAMLError as error:
            raise ScenarioError([self.not_yaml(complaint(error, self.lines))]) from None
        except yaml.YAMLError as error:
            reason = getattr(error, "reason", None) or "it cannot be parsed"
            raise ScenarioError([self.problem_on(1, 1, f"not YAML: {reason}")]) from None


def _clipped(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}…"


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


@dataclass(slots=True)
class _Frame:
    """A collection that is still open: in a mapping also the key that waits, and where keys stood."""

    node: Node
    key: Node | None = None
    seen: dict[str, int] = field(default_factory=dict)

    @property
    def wants_key(self) -> bool:
        return self.node.mapping and self.key is None


@dataclass(slots=True)
class _Composer:
    """Builds nodes from parser events with a stack of its own, so that nesting costs no recursion."""

    document: Document
    anchors: dict[str, Node] = field(default_factory=dict)
    stack: list[_Frame] = field(default_factory=list)
    root: Node | None = None

    def compose(self, events: Iterator[Any]) -> Node:
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self.scalar(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self.open(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self.attach(self.stack.pop().node, event)
            elif isinstance(event, yaml.AliasEvent):
                self.alias(event)
            elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
                raise self.error(event, "a second document", "expected one document a file")
        return self.root or Node(1, 1)

    def scalar(self, event: Any) -> None:
        self.refuse_tag(event)
        node = self.node(event)
        if self.stack and self.stack[-1].wants_key:
            self.key(node, event)
            return
        plain = event.implicit[0] and not event.style and event.tag is None
        node.scalar = _resolve(event.value) if plain else event.value
        node.size += len(event.value) // LONG
        if plain and isinstance(node.scalar, str):
            self.note_cut(event.end_mark)
            if node.scalar[0] == "-":
                self.refuse_space(node, node.scalar[1:2], event)
        if isinstance(node.scalar, int) and not -(2**63) <= node.scalar < 2**63:
            raise self.error(event, "the number is too large", "expected at most 64 bits, or quoted text")
        if isinstance(node.scalar, float) and not math.isfinite(node.scalar):
            raise self.error(
                event, f"the number {event.value[:40]} is not finite", "expected a finite number, or quoted text"
            )
        self.attach(node, event)

    def refuse_space(self, node: Node, text: str, event: Any) -> None:
        """A space of Unicode before or behind a key, or behind a dash, was meant to be a plain one."""
        for place in (0, -1):
            if not event.style and text and _SPACE.match(text[place]):
                column = node.column + event.value.index(text[place])
                space = Complaint(node.line, column, *unlike_space(text[place]))
                raise ScenarioError([self.document.not_yaml(space)])

    def note_cut(self, end: Any) -> None:
        """Note a comment that looks like a part of the text before it: one space, `#`, and no space."""
        line = self.document.lines[end.line] if end.line < len(self.document.lines) else ""
        if _COMMENT.match(line, end.column):
            self.document.cut.append(
                self.document.problem_on(
                    end.line + 1,
                    end.column + 2,
                    "' #' begins a comment and ends the text",
                    "quote the text if it goes on",
                )
            )

    def key(self, node: Node, event: Any) -> None:
        """Keys are text as it is written, `1` and `no` too; the merge key of YAML 1.1 would be a key like any other."""
        if event.value == "<<" and not event.style:
            raise self.error(event, "the merge key << is not read", "expected the keys themselves")
        frame, node.scalar = self.stack[-1], event.value
        self.refuse_space(node, event.value, event)
        frame.key = node
        earlier = frame.seen.get(event.value)
        frame.seen[event.value] = node.line
        if earlier is not None:
            self.document.duplicates.append(
                self.document.problem_at(
                    node, f"duplicate key '{event.value[:80]}'", f"expected it once; it also stands in line {earlier}"
                )
            )

    def open(self, event: Any) -> None:
        self.refuse_tag(event)
        if self.stack and self.stack[-1].wants_key:
            raise self.error(event, "a key is no text", "expected text before the colon")
        if len(self.stack) >= MAX_NESTING:
            raise self.error(event, f"nested deeper than {MAX_NESTING} levels", "expected a flatter structure")
        node = self.node(event)
        node.children = []
        node.mapping = isinstance(event, yaml.MappingStartEvent)
        self.stack.append(_Frame(node))

    def alias(self, event: Any) -> None:
        node = self.anchors.get(event.anchor)
        if node is None:
            raise self.error(
                event, f"the alias *{event.anchor[:40]} has no anchor before it", "quote a text that begins with '*'"
            )
        if any(node is frame.node for frame in self.stack):
            raise self.error(event, f"the alias *{event.anchor[:40]} contains itself")
        if self.stack[-1].wants_key:
            raise self.error(event, "a key is an alias", "expected text before the colon")
        self.attach(node, event)

    def attach(self, node: Node, event: Any) -> None:
        """Make a finished node the root, or a child of the innermost open collection."""
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        parent = frame.node
        assert parent.children is not None
        parent.children.append((frame.key, node))
        frame.key = None
        parent.size += node.size
        parent.depth = max(parent.depth, node.depth + 1)
        if parent.size > MAX_NODES or len(self.stack) + node.depth > MAX_NESTING + 1:
            raise self.error(
                event,
                "too many values, or too deep, once its aliases are followed",
                f"expected at most {MAX_NODES:,} values and {MAX_NESTING} levels",
            )

    def node(self, event: Any) -> Node:
        node = Node(event.start_mark.line + 1, event.start_mark.column + 1)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def refuse_tag(self, event: Any) -> None:
        if event.tag not in (None, "!"):
            raise self.error(
                event,
                f"the tag {event.tag[:40]} is not allowed",
                "expected a plain value; quote a text that begins with '!'",
            )

    def error(self, event: Any, message: str, expected: str = "") -> ScenarioError:
        mark = event.start_mark
        return ScenarioError([self.document.problem_on(mark.line + 1, mark.column + 1, message, expected)])


_SPACE = re.compile(f"[{SPACES}]")
_COMMENT = re.compile(r" #[^\s#!]")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
MAX_DIGITS = 80  # more than 64 bits in any base, leading zeros aside
_NUMBERS = (
    (re.compile(r"[-+]?[0-9]+"), lambda text: int(text[:MAX_DIGITS])),
    (re.compile(r"0o[0-7]+"), lambda text: int(text[:MAX_DIGITS], 0)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text[:MAX_DIGITS], 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)"), lambda text: float(text.replace(".", ""))),
    (re.compile(r"\.(nan|NaN|NAN)"), lambda _: float("nan")),
)


def _resolve(text: str) -> Any:
    """A plain scalar by the YAML 1.2 core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-+.0123456789":
        for pattern, convert in _NUMBERS:
            if pattern.fullmatch(text):
                return convert(text)
    return text
