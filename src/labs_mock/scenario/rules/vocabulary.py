"""Atoms: what can be seen in a transcript, numbered while the rules of a scenario are compiled."""

from collections.abc import Iterable
from typing import Any

from labs_mock.text import normalise

SILENT = 0


class Vocabulary:
    """What makes each atom true. Atoms are whole numbers from 0; `SILENT` is that of a silent turn.

    `items` has the atom of every state item; `operator_phrases` and `observation_phrases` have, for each normalised phrase,
    the atoms that it makes true in the operator's messages and in observations; `expressions` are RE2 expressions with their
    atoms, `calls` for each tool the inputs that a call must contain (None for any) with their atoms, and `decisions` the atom of
    each option of a tool.
    """

    def __init__(self, items: Iterable[str]) -> None:
        self._size = SILENT + 1
        self.items = {item: self._new_atom() for item in items}
        self.operator_phrases: dict[str, list[int]] = {}
        self.observation_phrases: dict[str, list[int]] = {}
        self.expressions: list[tuple[str, int]] = []
        self.calls: dict[str, list[tuple[dict[str, Any] | None, int]]] = {}
        self.decisions: dict[tuple[str, str], int] = {}

    def add_operator_phrases(self, phrases: Iterable[str]) -> int:
        """The atom of turns in which an operator message has one of the phrases."""
        return self._add_phrases(self.operator_phrases, phrases)

    def add_observation_phrases(self, phrases: Iterable[str]) -> int:
        """The atom of turns whose observation has one of the phrases."""
        return self._add_phrases(self.observation_phrases, phrases)

    def add_expression(self, expression: str) -> int:
        """The atom of turns in which an operator message matches an RE2 expression."""
        atom = self._new_atom()
        self.expressions.append((expression, atom))
        return atom

    def add_call(self, tool: str, contained: dict[str, Any] | None) -> int:
        """The atom of turns with a valid call of a tool whose input contains this."""
        atom = self._new_atom()
        self.calls.setdefault(tool, []).append((contained, atom))
        return atom

    def add_decision(self, tool: str, option: str) -> int:
        """The atom of turns in which an option is chosen with a tool."""
        if (tool, option) not in self.decisions:
            self.decisions[tool, option] = self._new_atom()
        return self.decisions[tool, option]

    def _add_phrases(self, atoms_of: dict[str, list[int]], phrases: Iterable[str]) -> int:
        atom = self._new_atom()
        for phrase in dict.fromkeys(normalise(phrase) for phrase in phrases):
            atoms_of.setdefault(phrase, []).append(atom)
        return atom

    def _new_atom(self) -> int:
        self._size += 1
        return self._size - 1
