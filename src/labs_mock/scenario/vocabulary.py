"""Atoms: what can be seen in a transcript, numbered while the rules of a scenario are compiled."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from labs_mock.contract.limits import MAX_TURNS
from labs_mock.scenario import rules, schema
from labs_mock.text import normalise

SILENT = 0


@dataclass(slots=True)
class Vocabulary:
    """Compiles rules, and remembers what makes each atom true.

    `persona` rules see what was revealed in earlier turns; scoring rules see this turn too, and what was
    heard.
    """

    items: dict[str, int] = field(default_factory=dict)
    said: dict[str, list[int]] = field(default_factory=dict)
    heard: dict[str, list[int]] = field(default_factory=dict)
    expressions: list[tuple[str, int]] = field(default_factory=list)
    calls: dict[str, list[tuple[dict[str, Any] | None, int]]] = field(default_factory=dict)
    decisions: dict[tuple[str, str], int] = field(default_factory=dict)
    _size: int = 1

    def atom(self) -> int:
        """A new atom."""
        self._size += 1
        return self._size - 1

    def item(self, state_id: str) -> int:
        """The atom of a state item."""
        if state_id not in self.items:
            self.items[state_id] = self.atom()
        return self.items[state_id]

    def phrases(self, index: dict[str, list[int]], phrases: list[str]) -> int:
        """One atom for "one of these phrases"."""
        atom = self.atom()
        for phrase in dict.fromkeys(normalise(phrase) for phrase in phrases):
            index.setdefault(phrase, []).append(atom)
        return atom

    def compile(self, rule: schema.Rule, *, persona: bool = False) -> rules.Rule:
        """The node of a checked rule."""
        key, value = operator_of(rule)
        node = _COMPILERS[key](self, value, persona)
        if rule.turns is None:
            return node
        first, final = rule.turns.at_least or 0, rule.turns.at_most or MAX_TURNS
        return rules.Between(node, sum(1 << turn for turn in range(first, final + 1)))

    def optional(self, rule: schema.Rule | None, *, persona: bool = False) -> rules.Rule | None:
        """The same where a rule may be missing."""
        return None if rule is None else self.compile(rule, persona=persona)


def operator_of(rule: schema.Rule) -> tuple[str, Any]:
    """The one key of a rule beside `turns`, and its value."""
    return next((key, value) for key, value in rule if value is not None and key != "turns")


def _calls(vocabulary: Vocabulary, value: schema.CallPattern, persona: bool) -> rules.Rule:
    atom = vocabulary.atom()
    vocabulary.calls.setdefault(value.tool, []).append((value.input, atom))
    return rules.Atom(atom)


def _decides(vocabulary: Vocabulary, value: dict[str, str], persona: bool) -> rules.Rule:
    ((tool, option),) = value.items()
    if (tool, option) not in vocabulary.decisions:
        vocabulary.decisions[tool, option] = vocabulary.atom()
    return rules.Atom(vocabulary.decisions[tool, option])


def _matches(vocabulary: Vocabulary, value: str, persona: bool) -> rules.Rule:
    atom = vocabulary.atom()
    vocabulary.expressions.append((value, atom))
    return rules.Atom(atom)


def _all(vocabulary: Vocabulary, value: list[schema.Rule], persona: bool) -> rules.Rule:
    nodes = [vocabulary.compile(rule, persona=persona) for rule in value]
    return rules.All(
        tuple(node for node in nodes if not node.condition), tuple(node for node in nodes if node.condition)
    )


def _any(vocabulary: Vocabulary, value: list[schema.Rule], persona: bool) -> rules.Rule:
    nodes = tuple(vocabulary.compile(rule, persona=persona) for rule in value)
    return rules.Any(nodes, all(node.condition for node in nodes))


def _count(vocabulary: Vocabulary, value: schema.Count, persona: bool) -> rules.Rule:
    if isinstance(value.of, schema.Rule):
        return rules.Count(vocabulary.compile(value.of, persona=persona), value.at_least)
    node = rules.CountKnown if persona else rules.CountRevealed
    return node(tuple(vocabulary.items.values()), value.at_least)


_COMPILERS: dict[str, Callable[[Vocabulary, Any, bool], rules.Rule]] = {
    "says": lambda vocabulary, value, _: rules.Atom(vocabulary.phrases(vocabulary.said, value)),
    "says_all": lambda vocabulary, value, _: rules.Together(
        tuple(vocabulary.phrases(vocabulary.said, [phrase]) for phrase in value)
    ),
    "heard": lambda vocabulary, value, _: rules.Atom(vocabulary.phrases(vocabulary.heard, value)),
    "matches": _matches,
    "calls": _calls,
    "decides": _decides,
    "discovered": lambda vocabulary, value, persona: (rules.Known if persona else rules.Atom)(vocabulary.item(value)),
    "silent": lambda *_: rules.Atom(SILENT),
    "any": _any,
    "all": _all,
    "not_": lambda vocabulary, value, persona: rules.Not(vocabulary.compile(value, persona=persona)),
    "then": lambda vocabulary, value, persona: rules.Then(
        tuple(vocabulary.compile(rule, persona=persona) for rule in value)
    ),
    "count": _count,
}
