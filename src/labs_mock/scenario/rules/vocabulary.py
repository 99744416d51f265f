"""Atoms: what can be seen in a transcript, numbered while the rules of a scenario are compiled."""

from dataclasses import dataclass
from typing import Any

from labs_mock.contract.limits import MAX_TURNS
from labs_mock.scenario.files import schema
from labs_mock.scenario.rules import algebra as rules
from labs_mock.text import normalise

SILENT = 0


class Vocabulary:
    """Compiles rules, and remembers what makes each atom true.

    `items` has the atom of every state item; `operator_phrases` and `observation_phrases` the atoms of every phrase; `expressions`,
    `calls` and `decisions` those of what else rules ask for. Persona rules see what was revealed in earlier
    turns; scoring rules see this turn too, and what was heard.
    """

    def __init__(self, items: list[str]) -> None:
        self._size = SILENT + 1
        self.items = {item: self.atom() for item in items}
        self.operator_phrases: dict[str, list[int]] = {}
        self.observation_phrases: dict[str, list[int]] = {}
        self.expressions: list[tuple[str, int]] = []
        self.calls: dict[str, list[tuple[dict[str, Any] | None, int]]] = {}
        self.decisions: dict[tuple[str, str], int] = {}

    def atom(self) -> int:
        """A new atom."""
        self._size += 1
        return self._size - 1

    def item(self, state_id: str) -> int:
        """The atom of a state item."""
        return self.items[state_id]

    def phrases(self, index: dict[str, list[int]], phrases: list[str]) -> int:
        """One atom for "one of these phrases"."""
        atom = self.atom()
        for phrase in dict.fromkeys(normalise(phrase) for phrase in phrases):
            index.setdefault(phrase, []).append(atom)
        return atom

    def compile(self, rule: schema.RuleFile, *, persona: bool = False) -> rules.Rule:
        """The node of a checked rule."""
        return _Compiler(self, persona).compile(rule)

    def optional(self, rule: schema.RuleFile | None, *, persona: bool = False) -> rules.Rule | None:
        """The same where there may be no rule."""
        return None if rule is None else self.compile(rule, persona=persona)


@dataclass(frozen=True, slots=True)
class _Compiler:
    """One method for every operator of the language, by its name in the schema."""

    words: Vocabulary
    persona: bool

    def compile(self, rule: schema.RuleFile) -> rules.Rule:
        operator, value = next((key, value) for key, value in rule if value is not None and key != "turns")
        node: rules.Rule = getattr(self, operator)(value)
        if rule.turns is None:
            return node
        first, final = rule.turns.at_least or 0, rule.turns.at_most or MAX_TURNS
        return rules.Between(node, sum(1 << turn for turn in range(first, final + 1)))

    def each(self, children: list[schema.RuleFile]) -> tuple[rules.Rule, ...]:
        return tuple(self.compile(child) for child in children)

    def says(self, phrases: list[str]) -> rules.Rule:
        return rules.Atom(self.words.phrases(self.words.operator_phrases, phrases))

    def says_all(self, phrases: list[str]) -> rules.Rule:
        return rules.Together(tuple(self.words.phrases(self.words.operator_phrases, [phrase]) for phrase in phrases))

    def heard(self, phrases: list[str]) -> rules.Rule:
        return rules.Atom(self.words.phrases(self.words.observation_phrases, phrases))

    def matches(self, expression: str) -> rules.Rule:
        atom = self.words.atom()
        self.words.expressions.append((expression, atom))
        return rules.Atom(atom)

    def calls(self, pattern: schema.CallPattern) -> rules.Rule:
        atom = self.words.atom()
        self.words.calls.setdefault(pattern.tool, []).append((pattern.input, atom))
        return rules.Atom(atom)

    def decides(self, decision: dict[str, str]) -> rules.Rule:
        ((tool, option),) = decision.items()
        if (tool, option) not in self.words.decisions:
            self.words.decisions[tool, option] = self.words.atom()
        return rules.Atom(self.words.decisions[tool, option])

    def discovered(self, item: str) -> rules.Rule:
        return (rules.Discovered if self.persona else rules.Atom)(self.words.item(item))

    def silent(self, _: bool) -> rules.Rule:
        return rules.Atom(SILENT)

    def any(self, children: list[schema.RuleFile]) -> rules.Rule:
        nodes = self.each(children)
        return rules.AnyOf(nodes, all(node.condition for node in nodes))

    def all(self, children: list[schema.RuleFile]) -> rules.Rule:
        nodes = self.each(children)
        events = tuple(node for node in nodes if not node.condition)
        return rules.AllOf(events, tuple(node for node in nodes if node.condition), not events)

    def not_(self, child: schema.RuleFile) -> rules.Rule:
        return rules.Not(self.compile(child))

    def then(self, children: list[schema.RuleFile]) -> rules.Rule:
        return rules.Then(self.each(children))

    def count(self, count: schema.CountFile) -> rules.Rule:
        if isinstance(count.of, schema.RuleFile):
            return rules.Count(self.compile(count.of), count.at_least)
        node = rules.CountKnown if self.persona else rules.CountRevealed
        return node(tuple(self.words.items.values()), count.at_least)
