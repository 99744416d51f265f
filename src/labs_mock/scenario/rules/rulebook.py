"""Many rules evaluated together."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from labs_mock.scenario.rules.algebra import Masks, Rule, Turns, last_turn

_NONE: frozenset[Rule] = frozenset()


class Rulebook:
    """Rules by the atoms that they watch. Only rules are evaluated of which an atom was seen, however many there are."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._always: list[Rule] = []
        self._by_atom: dict[int, list[Rule]] = {}
        for rule in rules:
            watched = rule.watched_atoms()
            if watched is None:
                self._always.append(rule)
            else:
                for atom in sorted(watched):
                    self._by_atom.setdefault(atom, []).append(rule)

    def matching_at_last_turn(self, masks: Masks, full: Turns, seen: Iterable[int]) -> AbstractSet[Rule]:
        """The rules that match the last turn, in which the atoms in `seen` were seen."""
        turn, candidates = last_turn(full), self._candidates(seen)
        return {rule for rule in candidates if rule.matching_turns(masks, full) >> turn} if candidates else candidates

    def holding_at_last_turn(self, masks: Masks, full: Turns) -> dict[Rule, int]:
        """The rules that hold at the last turn, each with the turn since which it does."""
        turn, since = last_turn(full), {}
        for rule in self._candidates(masks):
            turns = rule.holding_turns(masks, full)
            if turns >> turn:
                since[rule] = last_turn(~turns & (full | 1)) + 1
        return since

    def _candidates(self, atoms: Iterable[int]) -> AbstractSet[Rule]:
        """The rules that may match or hold where these atoms were seen."""
        if not self._always and self._by_atom.keys().isdisjoint(atoms):
            return _NONE
        candidates = set(self._always)
        for atom in self._by_atom.keys() & atoms:
            candidates.update(self._by_atom[atom])
        return candidates
