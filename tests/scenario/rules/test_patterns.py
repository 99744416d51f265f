import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labs_mock.scenario.rules.patterns import Patterns, expression_error
from labs_mock.text import normalise

ALPHABET = "abéß\u0327_1' .-(*"
TEXTS = st.text(ALPHABET, max_size=30).map(normalise)
PHRASES = st.dictionaries(
    st.text(ALPHABET, min_size=1, max_size=6).map(normalise).filter(bool),
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
    max_size=12,
)
EXPRESSIONS = st.lists(
    st.tuples(st.sampled_from(["a", "A", "a.*é", "^b", "a+b?$", "[ab]{2}", "É|1", r"\.", "(?:a|b)+ "]),
              st.integers(1, 6)), max_size=6
)  # fmt: skip

_LETTER = r"[\w\u0327]"
_WORD = re.compile(f"{_LETTER}+(?:'{_LETTER}+)*")


def found_between_words(text: str, phrase: str) -> bool:
    """The naive way: cut the text into words; a phrase may begin and end anywhere but inside of one."""
    inside = {place for word in _WORD.finditer(text) for place in range(word.start() + 1, word.end())}
    starts = [start for start in range(len(text)) if text.startswith(phrase, start)]
    return any(start not in inside and start + len(phrase) not in inside for start in starts)


@given(PHRASES, EXPRESSIONS, TEXTS)
@example({"can": [1], "can't": [2]}, [], "i can't")
@example({"hello": [1]}, [], "'hello'")
@example({"a": [1, 2], "b": [2, 3]}, [("a", 3)], "b")
def test_atoms_are_those_that_a_search_one_by_one_finds(
    phrases: dict[str, list[int]], expressions: list[tuple[str, int]], text: str
) -> None:
    """Searching for everything at once finds what a search phrase by phrase and expression by expression finds."""
    expected = {atom for phrase, atoms in phrases.items() if found_between_words(text, phrase) for atom in atoms}
    expected |= {atom for expression, atom in expressions if re.search(expression, text, re.IGNORECASE)}
    assert Patterns(phrases, expressions).atoms(text) == expected


def test_a_phrase_is_taken_literally() -> None:
    """What has a meaning in expressions stands for itself in a phrase."""
    patterns = Patterns({"a.c": [1], "(x|y)": [2], "c++": [3], r"\d": [4]}, [])
    assert patterns.atoms(r"abc xy c+ 7") == frozenset()
    assert patterns.atoms(r"a.c, (x|y), c++ and \d") == {1, 2, 3, 4}


def test_a_scenario_without_patterns_finds_nothing() -> None:
    """Where there is nothing to look for, no text has any atom."""
    assert Patterns({}, []).atoms("anything at all") == frozenset()


def test_a_thousand_phrases_are_found_each_by_itself() -> None:
    """A large scenario's phrases fit into one matcher, and none of them hides another."""
    phrases = {f"phrase {number}": [number] for number in range(1_000)}
    patterns = Patterns(phrases, [])
    for number in (0, 7, 70, 700, 999):
        assert patterns.atoms(f"this is phrase {number}, and no other") == {number}


@pytest.mark.parametrize("expression", ["TELL ME", "Tell Me", "tell me", "[TX]ell", "É", r"\bSTRASSE\b"])
def test_an_expression_matches_whatever_its_letters_case(expression: str) -> None:
    """Texts are case folded, so an author's capital letter matches all the same."""
    assert Patterns({}, [(expression, 1)]).atoms(normalise("Please TELL me, É, Straße!")) == {1}


@pytest.mark.parametrize("expression", ["(a+)+$", "(a|aa)+$", "^(([a-z])+.)+[a-z]([a-z])+$"])
def test_an_expression_that_hangs_elsewhere_takes_no_time(expression: str) -> None:
    """RE2 takes linear time, also for what keeps a backtracking engine busy for ever."""
    patterns = Patterns({}, [(expression, 1), ("a!$", 2)])
    assert patterns.atoms("a" * 10_000) == {1}
    assert patterns.atoms("a" * 10_000 + "!") == {2}


@pytest.mark.parametrize(
    "expression",
    ["(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", r"(a)\1", "(?P<x>a)(?P=x)", "(?>a)", "a++", "(", ")", "[z-a]", "a{2000}",
     "*a", "a**", r"\q", "(?i", "a{1000}{1000}"],
)  # fmt: skip
def test_what_re2_does_not_know_is_refused(expression: str) -> None:
    """Look-around, back-references, broken syntax and expressions without bounds have an error text."""
    assert expression_error(expression)


@pytest.mark.parametrize(
    "expression", ["a", "^a.*b$", r"\bpain\b", "(?i)x", "[a-z]{2,5}", r"\p{Greek}", "(?:a|b)+?", "é"]
)
def test_what_re2_knows_has_no_error(expression: str) -> None:
    """Good expressions have no error."""
    assert expression_error(expression) is None
