"""The rule algebra. A rule yields a set of turns; sets of turns are integers.

Bit t of such an integer stands for turn t; bit 0 is the opening, which only `heard` can yield. `masks` maps
each atom (a number that stands for "says one of these phrases", "calls this tool" and so on) to the turns in
which it was seen, and `full` has a bit for every turn from 1 to the last. Every operator is a few bit
operations, whatever the number of turns, and none looks ahead: bit t depends on turns up to t alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

Turns = int
Masks = Mapping[int, Turns]


class Rule(ABC):
    """A node of the algebra; two nodes are never equal, however alike.

    A *condition* describes how things stand instead of something that happens: `not`, what the persona
    has revealed by now, and an `all` or `any` of nothing but these. Among other children of an `all`
    it is a guard: it must hold, and yields nothing of its own.
    """

    __slots__ = ()
    condition = False

    @abstractmethod
    def watched(self) -> frozenset[int] | None:
        """Atoms of which at least one must be seen in a turn for the rule to yield it; None if none need be."""

    @abstractmethod
    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        """The turns that the rule yields."""

    def holding_turns(self, masks: Masks, full: Turns) -> Turns:
        """The turns at which it holds: from its first yield on, for all but conditions."""
        return from_first(self.matching_turns(masks, full), full)


def from_first(turns: Turns, full: Turns) -> Turns:
    """All turns from the first one of a set on."""
    return -(turns & -turns) & (full | 1)


def after_first(turns: Turns, full: Turns) -> Turns:
    """All turns after the first one of a set."""
    return -((turns & -turns) << 1) & full


@dataclass(frozen=True, slots=True, eq=False)
class Atom(Rule):
    """`says`, `matches`, `calls`, `decides`, `silent`, `heard`, and `discovered` in scoring."""

    number: int

    def watched(self) -> frozenset[int] | None:
        return frozenset((self.number,))

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        return masks.get(self.number, 0)

    def holding_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = masks.get(self.number)
        return -(turns & -turns) & (full | 1) if turns else 0


@dataclass(frozen=True, slots=True, eq=False)
class Together(Rule):
    """`says_all`: turns in which all atoms were seen."""

    numbers: tuple[int, ...]

    def watched(self) -> frozenset[int] | None:
        return frozenset(self.numbers[:1])

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = full
        for number in self.numbers:
            turns &= masks.get(number, 0)
        return turns


@dataclass(frozen=True, slots=True, eq=False)
class Discovered(Rule):
    """`discovered` in persona rules: turns after the one in which the item was revealed."""

    number: int
    condition = True

    def watched(self) -> frozenset[int] | None:
        return None

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        return after_first(masks.get(self.number, 0), full)

    holding_turns = matching_turns


@dataclass(frozen=True, slots=True, eq=False)
class Between(Rule):
    """`turns`: what the rule beside it yields in a range of turns."""

    rule: Rule
    range: Turns

    def watched(self) -> frozenset[int] | None:
        return self.rule.watched()

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        return self.rule.matching_turns(masks, full) & self.range


@dataclass(frozen=True, slots=True, eq=False)
class AnyOf(Rule):
    """Turns that some child yields."""

    rules: tuple[Rule, ...]
    condition: bool

    def watched(self) -> frozenset[int] | None:
        return _any_of(self.rules)

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
    """Turns that some child yields and at which every child holds; conditions only guard."""

    events: tuple[Rule, ...]
    conditions: tuple[Rule, ...]
    condition: bool

    def watched(self) -> frozenset[int] | None:
        return _any_of(self.events) if self.events else None

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
    """Turns at which the rule does not hold."""

    rule: Rule
    condition = True

    def watched(self) -> frozenset[int] | None:
        return None

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        return full & ~self.rule.holding_turns(masks, full)

    holding_turns = matching_turns


@dataclass(frozen=True, slots=True, eq=False)
class Then(Rule):
    """Turns of the last rule, after the first of the one before it, and so on."""

    rules: tuple[Rule, ...]

    def watched(self) -> frozenset[int] | None:
        return self.rules[-1].watched()

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = self.rules[0].matching_turns(masks, full)
        for rule in self.rules[1:]:
            turns = rule.matching_turns(masks, full) & after_first(turns, full)
        return turns


@dataclass(frozen=True, slots=True, eq=False)
class Count(Rule):
    """What a rule yields, from its n-th yield on."""

    rule: Rule
    at_least: int

    def watched(self) -> frozenset[int] | None:
        return self.rule.watched()

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = self.rule.matching_turns(masks, full)
        for _ in range(self.at_least - 1):
            turns &= turns - 1
        return turns


@dataclass(frozen=True, slots=True, eq=False)
class CountRevealed(Rule):
    """`count: {of: discovered}`: turns in which an item is revealed, from the n-th item on."""

    numbers: tuple[int, ...]
    at_least: int

    def watched(self) -> frozenset[int] | None:
        return frozenset(self.numbers)

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        turns = [masks[number] for number in self.numbers if number in masks]
        yielded = 0
        for turn in sorted(turns)[self.at_least - 1 :] if len(turns) >= self.at_least else ():
            yielded |= turn
        return yielded


@dataclass(frozen=True, slots=True, eq=False)
class CountKnown(CountRevealed):
    """The same in persona rules: turns after the one in which the n-th item was revealed."""

    condition = True

    def watched(self) -> frozenset[int] | None:
        return None

    def matching_turns(self, masks: Masks, full: Turns) -> Turns:
        # Not super(): a dataclass with slots is made anew, and zero-argument super loses its class.
        return after_first(CountRevealed.matching_turns(self, masks, full), full)

    holding_turns = matching_turns


def _any_of(rules: Iterable[Rule]) -> frozenset[int] | None:
    watched: frozenset[int] = frozenset()
    for rule in rules:
        atoms = rule.watched()
        if atoms is None:
            return None
        watched |= atoms
    return watched


_NONE: frozenset[Rule] = frozenset()


class Rulebook:
    """Rules that are asked together. Only those are evaluated one of whose atoms was seen, however many there are."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._always: list[Rule] = []
        self._by_atom: dict[int, list[Rule]] = {}
        for rule in rules:
            watched = rule.watched()
            if watched is None:
                self._always.append(rule)
            else:
                for atom in sorted(watched):
                    self._by_atom.setdefault(atom, []).append(rule)

    def matching_at_last_turn(self, masks: Masks, full: Turns, seen: Iterable[int]) -> AbstractSet[Rule]:
        """The rules that yield at the last turn, in which the atoms in `seen` were seen."""
        turn, watching = last_turn(full), self._watching(seen)
        return {rule for rule in watching if rule.matching_turns(masks, full) >> turn} if watching else watching

    def holding_at_last_turn(self, masks: Masks, full: Turns) -> dict[Rule, int]:
        """The rules that hold at the last turn, with the turn since which they do."""
        turn, held = last_turn(full), {}
        for rule in self._watching(masks):
            turns = rule.holding_turns(masks, full)
            if turns >> turn:
                held[rule] = last_turn(~turns & (full | 1)) + 1
        return held

    def _watching(self, atoms: Iterable[int]) -> AbstractSet[Rule]:
        if not self._always and self._by_atom.keys().isdisjoint(atoms):
            return _NONE
        watching = set(self._always)
        for atom in self._by_atom.keys() & atoms:
            watching.update(self._by_atom[atom])
        return watching


def last_turn(turns: Turns) -> int:
    """The last turn of a set; -1 for the empty one."""
    return turns.bit_length() - 1


def turn_numbers(turns: Turns) -> list[int]:
    """The turns of a set, in order."""
    return [turn for turn in range(turns.bit_length()) if turns >> turn & 1]
