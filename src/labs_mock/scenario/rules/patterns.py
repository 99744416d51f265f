"""All phrases and expressions of a scenario in one matcher, in linear time on any text (RE2)."""

import re
from collections.abc import Iterable, Mapping, Sequence

import re2

from labs_mock.text import UNCOLLAPSED, contains_phrase, normalise

_MAX_MEMORY = 64 << 20
_NOTHING: frozenset[int] = frozenset()

MAX_KNOWN_HITS = 10_000


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False  # text is case folded; an author's `A` should match it all the same
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    return options


def expression_error(pattern: str) -> str | None:
    """What is wrong with an RE2 expression, or None."""
    try:
        re2.compile(pattern, _options())
    except re2.error as error:
        return str(error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0])
    return None


def remedy(error: str) -> str:
    """What to write instead of an expression with this error."""
    return next((words for pattern, words in _REMEDIES if pattern.match(error)), "expected RE2's syntax")


_REMEDIES = [
    (re.compile(pattern), words)
    for pattern, words in (
        (
            r"invalid perl operator: \(\?(=|!|<[=!])",
            "RE2 has no look-around; a rule can have 'all', 'not' and 'then' instead",
        ),
        (r"invalid perl operator: \(\?P?$|invalid escape sequence: \\[1-9k]", "RE2 has no back-references"),
        (r"invalid perl operator", "of '(?…' RE2 has (?:…), (?P<name>…) and flags such as (?i)"),
        (r"missing \)", "expected a ')' for each '('; write '\\(' for the character"),
        (r"unexpected \)", "expected a '(' for each ')'; write '\\)' for the character"),
        (r"missing \]", "expected a ']' for each '['; write '\\[' for the character"),
        (
            r"no argument for repetition",
            "expected something to repeat before it; write '\\*', '\\+' or '\\?' for the character",
        ),
        (r"bad repetition", "expected one repetition, and none of a repetition"),
        (r"invalid repetition size", "expected at most {1000}, and the smaller number first"),
        (r"invalid character class range", "expected a range that rises, or the name of a class that RE2 knows"),
        (r"trailing", "expected a character behind '\\'"),
        (
            r"invalid escape sequence",
            "expected '\\\\' for a backslash, or no backslash before a letter that means nothing",
        ),
    )
]


def has_wide_gap(expression: str) -> bool:
    """Whether an expression repeats more than nine times what may be many characters, which makes every match slower."""
    return _WIDE_GAP.search(expression) is not None


_WIDE_GAP = re.compile(r"[.\])]\{\d*,?(\d{2,})\}")


class PatternError(Exception):
    """Patterns that take more memory than RE2 may use."""


class Patterns:
    """Finds which atoms a message makes true. Raises `PatternError` for patterns that take too much memory.

    Phrases are put into the set as literals with RE2's own, ASCII word boundaries, which cost nothing and
    miss no true hit; the boundaries of Unicode words, which would cost more memory than RE2 has
    by default, are verified on hits only. Expressions have a set of their own, since one wide gap in them
    slows a whole set down.
    """

    def __init__(self, phrases: Mapping[str, Iterable[int]], expressions: Sequence[tuple[str, int]]) -> None:
        self._phrases = [(phrase, frozenset(atoms)) for phrase, atoms in phrases.items()]
        self._expressions = [atom for _, atom in expressions]
        # White space that normalising would collapse is looked for in the same pass, so that most messages,
        # which have none, need not be read twice.
        literals = [_bounded(phrase) for phrase, _ in self._phrases]
        self._phrase_set = _compiled([*literals, *(re2.escape(space) for space in UNCOLLAPSED)])
        self._expression_set = _compiled([pattern for pattern, _ in expressions]) if expressions else None
        self._known_hits: dict[tuple[int, ...], frozenset[int]] = {}  # what some hits mean: many texts have the same

    def atoms(self, content: str) -> frozenset[int]:
        """The atoms of the phrases and expressions that a message has; its content need not be normalised."""
        text = content.lower().strip(" ") if content.isascii() else normalise(content)
        encoded = text.encode()
        hits = self._phrase_set.Match(encoded)
        if hits is not None and max(hits) >= len(self._phrases):
            text = normalise(text)
            encoded = text.encode()
            hits = self._phrase_set.Match(encoded)
        found = _NOTHING if hits is None else self._phrase_atoms(text, hits)
        if self._expression_set is not None and (hits := self._expression_set.Match(encoded)) is not None:
            found |= {self._expressions[index] for index in hits}
        return found

    def _phrase_atoms(self, text: str, hits: list[int]) -> frozenset[int]:
        """The atoms of the phrases that RE2 has found and that stand at boundaries of Unicode words.

        In ASCII text without apostrophes RE2's word boundaries are those, so that the hits alone decide.
        """
        if "'" in text or not text.isascii():
            return frozenset().union(
                *(atoms for phrase, atoms in map(self._phrases.__getitem__, hits) if contains_phrase(text, phrase))
            )
        known = tuple(hits)
        found = self._known_hits.get(known)
        if found is None:
            found = frozenset().union(*(self._phrases[index][1] for index in hits))
            if len(self._known_hits) >= MAX_KNOWN_HITS:
                self._known_hits.clear()
            self._known_hits[known] = found
        return found


def _bounded(phrase: str) -> str:
    """A phrase as a literal; where it starts or ends with an ASCII word, a word boundary there."""
    first, last = (r"\b" if end.isascii() and (end.isalnum() or end == "_") else "" for end in (phrase[0], phrase[-1]))
    return f"{first}{re2.escape(phrase)}{last}"


def _compiled(patterns: list[str]) -> re2.Set:
    matcher = re2.Set.SearchSet(_options())
    try:
        for pattern in patterns:
            matcher.Add(pattern)
        matcher.Compile()
    except re2.error as error:
        raise PatternError(str(error)) from None
    matcher.Match("warm")  # RE2 builds its automaton on first use
    return matcher
