"""All phrases and expressions of a scenario in one matcher, in linear time on any text (RE2)."""

from collections.abc import Iterable, Mapping

import re2

from labs_mock.text import contains_phrase

_MAX_MEMORY = 64 << 20


def _options(*, literal: bool) -> re2.Options:
    options = re2.Options()
    options.literal = literal
    options.case_sensitive = literal  # text is case folded; an author's `A` should match it all the same
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    return options


def expression_error(pattern: str) -> str | None:
    """What is wrong with an RE2 expression, or None."""
    try:
        re2.compile(pattern, _options(literal=False))
    except re2.error as error:
        return str(error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0])
    return None


class Patterns:
    """Finds which atoms a normalised text makes true.

    Phrases are put into the set as plain literals, and word boundaries are verified on hits only: Unicode
    boundaries inside the set would cost more memory than RE2 has by default. Expressions have a set of
    their own, since one wide gap in them slows a whole set down.
    """

    def __init__(self, phrases: Mapping[str, Iterable[int]], expressions: Iterable[tuple[str, int]]) -> None:
        self._phrases = [(phrase, tuple(atoms)) for phrase, atoms in phrases.items()]
        self._expressions = [atom for _, atom in expressions]
        self._phrase_set = _compiled([phrase for phrase, _ in self._phrases], literal=True)
        self._expression_set = _compiled([pattern for pattern, _ in expressions], literal=False)

    def atoms(self, text: str) -> frozenset[int]:
        """The atoms of the phrases and expressions that a normalised text has."""
        found: set[int] = set()
        if self._phrase_set is not None:
            for index in self._phrase_set.Match(text) or ():
                phrase, atoms = self._phrases[index]
                if not found.issuperset(atoms) and contains_phrase(text, phrase):
                    found.update(atoms)
        if self._expression_set is not None:
            found.update(self._expressions[index] for index in self._expression_set.Match(text) or ())
        return frozenset(found)


def _compiled(patterns: list[str], *, literal: bool) -> "re2.Set | None":
    if not patterns:
        return None
    matcher = re2.Set.SearchSet(_options(literal=literal))
    for pattern in patterns:
        matcher.Add(pattern)
    matcher.Compile()
    matcher.Match("warm")  # RE2 builds its automaton on first use
    return matcher
