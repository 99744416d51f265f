"""The rule algebra. A rule matches a set of turns and holds at a set of turns; sets of turns are integers.

Bit t of such an integer stands for turn t; bit 0 is the opening, which only `heard` can match. `masks` maps
each atom (a number that stands for "says one of these phrases", "calls this tool" and so on) to the turns in
which it was seen, and `full` has a bit for every turn from 1 to the last. Every rule is evaluated with a few bit
operations, whatever the number of turns, and none looks ahead: bit t depends on turns up to t alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Turns = int
Masks = Mapping[int, Turns]


def from_first(turns: Turns, full: Turns) -> Turns:
    """All turns from the first one of a set on."""
    return -(turns & -turns) & (full | 1)


def after_first(turns: Turns, full: Turns) -> Turns:
    """All turns after the first one of a set."""
    return -((turns & -turns) << 1) & full


def last_turn(turns: Turns) -> int:
    """The last turn of a set; -1 for the empty one."""
    return turns.bit_length() - 1


def turn_numbers(turns: Turns) -> list[int]:
    """The turns of a set, in order."""
    return [turn for turn in range(turns.bit_length()) if turns >> turn & 1]


class Rule(ABC):
    """A node of the algebra; two nodes are never equal, however alike.

    A *condition* describes how things stand instead of something that happens: `not`, what the persona
    has revealed by now, and an `all` or `any` of nothing but these. Among other children of an `all`
    it is a guard: it must hold, and matches nothing of its own.
    """

    __slots__ = ()
    condition = False

    @abstractmethod
    def watched_atoms(self) -> frozenset[int] | None:
        """Atoms of which at least one is seen in every turn that the rule matches; None if there are none such."""

    @abstractmethod
    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        """The turns that the rule matches."""

    def holding_turns(self, masks: Masks, full: Turns) -> Turns:
        """The turns at which it holds: from the first one that it matches on, for all but conditions."""
        return from_first(self.matching_turns(masks, full), full)


@dataclass(frozen=True, slots=True, eq=False)
class Seen(Rule):
    """Turns in which an atom was seen."""

    atom: int

    def watched_atoms(self) -> frozenset[int] | None:
        return frozenset((self.atom,))

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        return masks.get(self.atom, 0)

    def holding_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = masks.get(self.atom)
        return -(turns & -turns) & (full | 1) if turns else 0


@dataclass(frozen=True, slots=True, eq=False)
class AllSeen(Rule):
    """Turns in which all of some atoms were seen."""

    atoms: tuple[int, ...]

    def watched_atoms(self) -> frozenset[int] | None:
        return frozenset(self.atoms[:1])

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = full
        for atom in self.atoms:
            turns &= masks.get(atom, 0)
        return turns


@dataclass(frozen=True, slots=True, eq=False)
class SeenBefore(Rule):
    """Turns after the first one in which an atom was seen."""

    atom: int
    condition = True

    def watched_atoms(self) -> frozenset[int] | None:
        return None

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        return after_first(masks.get(self.atom, 0), full)

    holding_turns = matching_turns


@dataclass(frozen=True, slots=True, eq=False)
class InTurns(Rule):
    """Those turns that a rule matches which are in a set."""

    rule: Rule
    turns: Turns

    def watched_atoms(self) -> frozenset[int] | None:
        return self.rule.watched_atoms()

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        return self.rule.matching_turns(masks, full) & self.turns


@dataclass(frozen=True, slots=True, eq=False)
class AnyOf(Rule):
    """Turns that some child matches; it holds while some child does."""

    rules: tuple[Rule, ...]
    condition: bool

    @classmethod
    def from_rules(cls, rules: tuple[Rule, ...]) -> "AnyOf":
        """It is a condition if all children are."""
        return cls(rules, all(rule.condition for rule in rules))

    def watched_atoms(self) -> frozenset[int] | None:
        return _watched_by(self.rules)

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = 0
        for rule in self.rules:
            turns |= rule.matching_turns(masks, full)
        return turns

    def holding_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = 0
        for rule in self.rules:
            turns |= rule.holding_turns(masks, full)
        return turns


@dataclass(frozen=True, slots=True, eq=False)
class AllOf(Rule):
    """Turns that some child matches and at which every child holds; conditions are guards alone."""

    events: tuple[Rule, ...]
    conditions: tuple[Rule, ...]
    condition: bool

    @classmethod
    def from_rules(cls, rules: tuple[Rule, ...]) -> "AllOf":
        """It is a condition if all children are."""
        events = tuple(rule for rule in rules if not rule.condition)
        return cls(events, tuple(rule for rule in rules if rule.condition), not events)

    def watched_atoms(self) -> frozenset[int] | None:
        return _watched_by(self.events) if self.events else None

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = 0
        for rule in self.events:
            turns |= rule.matching_turns(masks, full)
        if not self.events:
            turns = full
        for rule in self.events if len(self.events) > 1 else ():
            turns &= rule.holding_turns(masks, full)
        for rule in self.conditions:
            turns &= rule.holding_turns(masks, full)
        return turns

    def holding_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = self.matching_turns(masks, full)
        return from_first(turns, full) if self.events else turns


@dataclass(frozen=True, slots=True, eq=False)
class Not(Rule):
    """Turns at which a rule does not hold."""

    rule: Rule
    condition = True

    def watched_atoms(self) -> frozenset[int] | None:
        return None

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        return full & ~self.rule.holding_turns(masks, full)

    holding_turns = matching_turns


@dataclass(frozen=True, slots=True, eq=False)
class Then(Rule):
    """Turns that the last rule matches, after the first turn that the one before it matches, and so on."""

    rules: tuple[Rule, ...]

    def watched_atoms(self) -> frozenset[int] | None:
        return self.rules[-1].watched_atoms()

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = self.rules[0].matching_turns(masks, full)
        for rule in self.rules[1:]:
            turns = rule.matching_turns(masks, full) & after_first(turns, full)
        return turns


@dataclass(frozen=True, slots=True, eq=False)
class Count(Rule):
    """Turns that a rule matches, from the n-th on."""

    rule: Rule
    at_least: int

    def watched_atoms(self) -> frozenset[int] | None:
        return self.rule.watched_atoms()

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = self.rule.matching_turns(masks, full)
        for _ in range(self.at_least - 1):
            turns &= turns - 1
        return turns


@dataclass(frozen=True, slots=True, eq=False)
class CountSeen(Rule):
    """Turns in which an atom is seen, from the n-th atom on; each is seen once."""

    atoms: tuple[int, ...]
    at_least: int

    def watched_atoms(self) -> frozenset[int] | None:
        return frozenset(self.atoms)

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = [masks[atom] for atom in self.atoms if atom in masks]
        matching = 0
        for turn in sorted(turns)[self.at_least - 1 :] if len(turns) >= self.at_least else ():
            matching |= turn
        return matching


@dataclass(frozen=True, slots=True, eq=False)
class CountSeenBefore(CountSeen):
    """Turns after the one in which the n-th atom was seen."""

    condition = True

    def watched_atoms(self) -> frozenset[int] | None:
        return None

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        # Not super(): a dataclass with slots is made anew, and zero-argument super loses its class.
        return after_first(CountSeen.matching_turns(self, masks, full), full)

    holding_turns = matching_turns


def _watched_by(rules: Iterable[Rule]) -> frozenset[int] | None:
    watched: frozenset[int] = frozenset()
    for rule in rules:
        atoms = rule.watched_atoms()
        if atoms is None:
            return None
        watched |= atoms
    return watched
