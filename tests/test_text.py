# ruff: noqa: RUF001 - letters that look like others are what is tested
import re
import unicodedata
from itertools import permutations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from labs_mock.text import contains_phrase, did_you_mean, normalise, similarity, utf16_length

ANYTHING = st.text() | st.text("aAßſıİǰﬁ½Å\u0345\u0301\u0308\u0327 \u00a0\u2028\n\t’‘“«'\"")
ASCII = st.text(st.characters(max_codepoint=127))
SMALL = st.text("abé\u0327_1' .-", max_size=12).map(normalise)
WORDS = st.lists(st.sampled_from(["strain", "back", "don't", "café", "x_1"]), max_size=6)
KEYS = st.text("abcXYZ019_-", min_size=1, max_size=12).map("lab_{}".format)

_LETTER = r"[\w\u0300-\u036f]"
_WORD = re.compile(f"{_LETTER}+(?:'{_LETTER}+)*")


def _found_between_words(text: str, phrase: str) -> bool:
    """The naive way: cut the text into words; a phrase may start and end anywhere but inside of one."""
    inside = {place for word in _WORD.finditer(text) for place in range(word.start() + 1, word.end())}
    starts = [start for start in range(len(text)) if text.startswith(phrase, start)]
    return any(start not in inside and start + len(phrase) not in inside for start in starts)


@given(ANYTHING)
@example("\u0345\u0301")
@example("ǰ\u0323")
def test_normalising_twice_changes_nothing(text: str) -> None:
    """`normalise` is idempotent for any text."""
    assert normalise(normalise(text)) == normalise(text)


@given(ASCII)
def test_the_short_way_of_ascii_ends_where_the_long_way_does(text: str) -> None:
    """ASCII text is folded and its white space collapsed, as any other text is."""
    expected = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    assert normalise(text) == expected
    assert normalise(f"{text} é") == f"{expected} é".lstrip(" ")


@given(ANYTHING, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_texts_that_unicode_holds_equivalent_are_normalised_alike(
    text: str, form: "unicodedata._NormalizationForm"
) -> None:
    """Composed, decomposed and compatibility forms of a text have one normalised form."""
    assert normalise(unicodedata.normalize(form, text)) == normalise(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Hello", "hello", id="case"),
        pytest.param("STRASSE Straße", "strasse strasse", id="case-folding-beyond-lower-case"),
        pytest.param("ﬁle ① ＡＢ", "file 1 ab", id="compatibility-forms"),
        pytest.param("cafe\u0301", "café", id="composition"),
        pytest.param("I’m ‘sure’ ＇so＇", "i'm 'sure' 'so'", id="single-quotes"),
        pytest.param("“so” «so» „so‟", '"so" "so" "so"', id="double-quotes"),
        pytest.param("  a \t b\r\n\n c ", "a b c", id="ascii-white-space"),
        pytest.param("\u00a0a\u2003b\u2028c\u0085", "a b c", id="unicode-white-space"),
        pytest.param(" \n ", "", id="nothing-but-white-space"),
        pytest.param("don't - stop!", "don't - stop!", id="punctuation-stays"),
    ],
)
def test_what_normalising_does(text: str, expected: str) -> None:
    """NFKC, case folding, plain quotes, collapsed white space, and nothing else."""
    assert normalise(text) == expected


@given(SMALL, st.integers(0, 11), st.integers(1, 12))
@example("say 'hello' now", 5, 5)
@example("can't", 0, 3)
@example("can't", 0, 4)
@example("can'", 0, 3)
@example("'can", 1, 3)
@example("a'b'c", 2, 1)
@example("aa a", 0, 1)
@example("b\u0327", 0, 1)
def test_a_phrase_is_found_at_word_boundaries_only(text: str, start: int, length: int) -> None:
    """A phrase matches where it cuts no word of the text."""
    phrase = text[start : start + length].strip()
    assume(phrase)
    assert contains_phrase(text, phrase) == _found_between_words(text, phrase)


@given(SMALL, SMALL, SMALL.filter(bool))
def test_a_phrase_between_spaces_is_always_found(before: str, after: str, phrase: str) -> None:
    """White space on both sides is a boundary, whatever the phrase is."""
    assert contains_phrase(f"{before} {phrase} {after}", phrase)


@pytest.mark.parametrize(
    ("text", "phrase", "found"),
    [
        ("i have a second job.", "second job", True),
        ("a second jobless man", "second job", False),
        ("'hello', she said", "hello", True),
        ("i can't", "can", False),
        ("i can't", "can't", True),
        ("the workers' claim", "workers", True),
        ("o'clock", "clock", False),
        ("x_1", "x", False),
        ("b\u0327a", "b", False),
        ("naïveté", "naïvet", False),
        ("worrying, worry", "worry", True),
        ("what happened?", "happened?", True),
        ("日本語", "日本", False),
    ],
)
def test_phrases_and_texts(text: str, phrase: str, found: bool) -> None:
    """Letters, digits, marks and underscores make words; an apostrophe belongs to one only between two of these."""
    assert contains_phrase(text, phrase) is found


@given(ANYTHING, ANYTHING)
def test_similarity_is_a_symmetric_share(one: str, other: str) -> None:
    """Two texts are as alike as the other way round, and never less than 0 or more than 1."""
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, other) == similarity(other, one)


@given(ANYTHING)
def test_a_text_is_like_itself(text: str) -> None:
    """The similarity of a text to itself, however spelled, is 1."""
    assert similarity(text, text) == similarity(normalise(text), text) == 1


@given(WORDS, WORDS)
def test_similarity_is_the_share_of_words_in_common(one: list[str], other: list[str]) -> None:
    """Shared words over all words, counting each once; two texts without words are equal."""
    shared = [word for word in dict.fromkeys(one) if word in other]
    together = list(dict.fromkeys(one + other))
    expected = len(shared) / len(together) if together else 1
    assert similarity(", ".join(one), " ".join(other).upper()) == expected


def test_order_and_punctuation_do_not_matter_to_similarity() -> None:
    """The same words in any order are the same."""
    orders = permutations(["rest", "ice", "don't lift"])
    assert {similarity("Rest; ice - don’t lift!", " ".join(order)) for order in orders} == {1.0}


@pytest.mark.parametrize(("one", "other"), [("हिंदी", "हांदा"), ("b\u0327", "b\u0323"), ("e", "é"), ("can't", "can t")])
def test_words_that_differ_are_not_alike(one: str, other: str) -> None:
    """Marks are part of words, as they are for phrases: words that differ in one are other words."""
    assert similarity(one, other) == 0


@pytest.mark.parametrize(("one", "other", "expected"), [("?", "?", 1), ("?", "!", 0), ("", "", 1), ("", "a", 0)])
def test_texts_without_words_are_compared_whole(one: str, other: str, expected: float) -> None:
    """Without a word in either, only equal texts are alike."""
    assert similarity(one, other) == expected


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("succes_metrics", ["discovery", "success_metrics"], "did you mean 'success_metrics'?"),
        ("zzz", ["discovery", "rubrics"], "expected one of: discovery, rubrics"),
        (17, ["discovery"], "expected one of: discovery"),
        ("zzz", [], "there is none to name"),
    ],
)
def test_did_you_mean(word: object, known: list[str], expected: str) -> None:
    """The closest known word is offered, or else all of them."""
    assert did_you_mean(word, known) == expected


def test_a_suggestion_lists_twenty_names_and_no_more() -> None:
    """Of many names that are all unlike the word, the first twenty are named, and the others counted."""
    known = [f"name{number}" for number in range(1_520)]
    assert did_you_mean("zzz", known) == f"expected one of: {', '.join(known[:20])} and 1,500 more"


@given(st.text(), st.lists(st.text(), max_size=20))
def test_a_suggestion_names_nothing_unknown(word: str, known: list[str]) -> None:
    """What is offered is always one of the known words."""
    offered = did_you_mean(word, known).removeprefix("did you mean '").removesuffix("'?")
    assert offered in {*known, f"expected one of: {', '.join(known)}", "there is none to name"}


@given(st.text())
def test_lengths_are_those_of_javascript(text: str) -> None:
    """A character beyond U+FFFF counts as two, any other as one (EP-9)."""
    assert utf16_length(text) == sum(2 if char > "\uffff" else 1 for char in text)
