"""From a parser's events to nodes: every value with its place, within bounds on size and depth."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from labs_mock.errors import Problem, ScenarioError
from labs_mock.scenario.files.source import Source
from labs_mock.scenario.files.yaml_scalars import plain_scalar
from labs_mock.scenario.files.yaml_syntax import SPACES, SyntaxMistake, unlike_space

MAX_NESTING = 50
MAX_NODES = 100_000
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


@dataclass(slots=True)
class _Frame:
    """A collection that is still open: in a mapping also the key whose value comes next, and the lines of its keys."""

    node: Node
    key: Node | None = None
    key_lines: dict[str, int] = field(default_factory=dict)

    @property
    def wants_key(self) -> bool:
        return self.node.mapping and self.key is None


@dataclass(slots=True)
class Composer:
    """Builds nodes from parser events with a stack of its own, so that nesting costs no recursion.

    `duplicates` are keys that stand twice, `cut_texts` texts that end at a comment which looks like a part of them.
    """

    source: Source
    duplicates: list[Problem] = field(default_factory=list)
    cut_texts: list[Problem] = field(default_factory=list)
    _anchors: dict[str, Node] = field(default_factory=dict)
    _stack: list[_Frame] = field(default_factory=list)
    _root: Node | None = None

    def compose(self, events: Iterator[Any]) -> Node:
        """The root of a document. Raises `ScenarioError` for what is not read, such as tags."""
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._add_scalar(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open_collection(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._attach(self._stack.pop().node, event)
            elif isinstance(event, yaml.AliasEvent):
                self._add_alias(event)
            elif isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
                raise self._error(event, "a second document", "expected one document a file")
        return self._root or Node(1, 1)

    def _add_scalar(self, event: Any) -> None:
        self._refuse_tag(event)
        node = self._new_node(event)
        if self._stack and self._stack[-1].wants_key:
            self._add_key(node, event)
            return
        plain = event.implicit[0] and not event.style and event.tag is None
        node.scalar = plain_scalar(event.value) if plain else event.value
        node.size += len(event.value) // LONG
        if plain and isinstance(node.scalar, str):
            self._note_cut_text(event.end_mark)
            if node.scalar[0] == "-":
                self._refuse_space(node, node.scalar[1:2], event)
        if isinstance(node.scalar, int) and not -(2**63) <= node.scalar < 2**63:
            raise self._error(event, "the number is too large", "expected at most 64 bits, or quoted text")
        if isinstance(node.scalar, float) and not math.isfinite(node.scalar):
            raise self._error(
                event, f"the number {event.value[:40]} is not finite", "expected a finite number, or quoted text"
            )
        self._attach(node, event)

    def _refuse_space(self, node: Node, text: str, event: Any) -> None:
        """A space of Unicode before or behind a key, or behind a dash, was meant to be a plain one."""
        for place in (0, -1):
            if not event.style and text and _SPACE.match(text[place]):
                column = node.column + event.value.index(text[place])
                space = SyntaxMistake(node.line, column, *unlike_space(text[place]))
                raise ScenarioError([self.source.syntax_problem(space)])

    def _note_cut_text(self, end: Any) -> None:
        """Note a comment that looks like a part of the text before it: one space, `#`, and no space."""
        line = self.source.lines[end.line] if end.line < len(self.source.lines) else ""
        if _COMMENT.match(line, end.column):
            self.cut_texts.append(
                self.source.problem(
                    end.line + 1,
                    end.column + 2,
                    "' #' begins a comment and ends the text",
                    "quote the text if it goes on",
                )
            )

    def _add_key(self, node: Node, event: Any) -> None:
        """Keys are text as it is written, `1` and `no` too; the merge key of YAML 1.1 would be a key like any other."""
        if event.value == "<<" and not event.style:
            raise self._error(event, "the merge key << is not read", "expected the keys themselves")
        frame, node.scalar = self._stack[-1], event.value
        self._refuse_space(node, event.value, event)
        frame.key = node
        earlier = frame.key_lines.get(event.value)
        frame.key_lines[event.value] = node.line
        if earlier is not None:
            self.duplicates.append(
                self.source.problem(
                    node.line,
                    node.column,
                    f"duplicate key '{event.value[:80]}'",
                    f"expected it once; it also stands in line {earlier}",
                )
            )

    def _open_collection(self, event: Any) -> None:
        self._refuse_tag(event)
        if self._stack and self._stack[-1].wants_key:
            raise self._error(event, "a key is no text", "expected text before the colon")
        if len(self._stack) >= MAX_NESTING:
            raise self._error(event, f"nested deeper than {MAX_NESTING} levels", "expected a flatter structure")
        node = self._new_node(event)
        node.children = []
        node.mapping = isinstance(event, yaml.MappingStartEvent)
        self._stack.append(_Frame(node))

    def _add_alias(self, event: Any) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            raise self._error(
                event, f"the alias *{event.anchor[:40]} has no anchor before it", "quote a text that begins with '*'"
            )
        if any(node is frame.node for frame in self._stack):
            raise self._error(event, f"the alias *{event.anchor[:40]} contains itself")
        if self._stack[-1].wants_key:
            raise self._error(event, "a key is an alias", "expected text before the colon")
        self._attach(node, event)

    def _attach(self, node: Node, event: Any) -> None:
        """Make a finished node the root, or a child of the innermost open collection."""
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        parent = frame.node
        assert parent.children is not None
        parent.children.append((frame.key, node))
        frame.key = None
        parent.size += node.size
        parent.depth = max(parent.depth, node.depth + 1)
        if parent.size > MAX_NODES or len(self._stack) + node.depth > MAX_NESTING + 1:
            raise self._error(
                event,
                "too many values, or too deep, once its aliases are followed",
                f"expected at most {MAX_NODES:,} values and {MAX_NESTING} levels",
            )

    def _new_node(self, event: Any) -> Node:
        node = Node(event.start_mark.line + 1, event.start_mark.column + 1)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _refuse_tag(self, event: Any) -> None:
        if event.tag not in (None, "!"):
            raise self._error(
                event,
                f"the tag {event.tag[:40]} is not allowed",
                "expected a plain value; quote a text that begins with '!'",
            )

    def _error(self, event: Any, message: str, expected: str = "") -> ScenarioError:
        mark = event.start_mark
        return ScenarioError([self.source.problem(mark.line + 1, mark.column + 1, message, expected)])


_SPACE = re.compile(f"[{SPACES}]")
_COMMENT = re.compile(r" #[^\s#!]")
