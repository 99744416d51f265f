"""Text as rules see it: normalised, matched at word boundaries, compared as sets of words."""

import unicodedata
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from itertools import islice
from typing import Any

import re2

_PLAIN = str.maketrans(
    dict.fromkeys("‘’‚‛ʼ′＇", "'") | dict.fromkeys("“”„‟″«»", '"')  # noqa: RUF001 - these are the typographic ones
)
UNCOLLAPSED = ("\n", "  ", "\t", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f")
"""White space of lower-case ASCII text that normalising changes, wherever it stands."""
_WORD = re2.compile(r"[\pL\pM\pN_]+(?:'[\pL\pM\pN_]+)*")


def normalise(text: str) -> str:
    """Unicode NFKC, case folded, typographic quotes made plain, white space collapsed.

    Applying it twice changes nothing. ASCII text, the common case, takes a short way to the same end.
    """
    if text.isascii():
        folded = text.lower()
    else:
        # Folding before and after: some compatibility forms fold to text that folds again.
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        folded = unicodedata.normalize("NFKC", folded.casefold()).translate(_PLAIN)
        return " ".join(folded.split())
    for space in UNCOLLAPSED:
        if space in folded:
            return " ".join(folded.split())
    return folded.strip(" ")


def utf16_length(text: str) -> int:
    """Its length in UTF-16 code units, as JavaScript counts: a character beyond U+FFFF is two of them (EP-9)."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def contains_phrase(text: str, phrase: str) -> bool:
    """Whether a normalised phrase stands in a normalised text at word boundaries.

    A word is a run of letters, digits, marks and underscores; an apostrophe between two of them belongs
    to it, so `can` is not found in `can't`, and `hello` is found in `'hello'`.
    """
    start = text.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        # A space is the common neighbour, and needs no closer look.
        if (text[start - 1 : start] in ("", " ") or _boundary(text, start)) and (
            text[end : end + 1] in ("", " ") or _boundary(text, end)
        ):
            return True
        start = text.find(phrase, start + 1)
    return False


def words(text: str) -> frozenset[str]:
    """The set of words of a text, normalised."""
    return frozenset(_WORD.findall(normalise(text)))


def word_list(text: str) -> list[str]:
    """The words of a text in their order, normalised; an underscore is between words."""
    return list(_WORD.findall(normalise(text.replace("_", " "))))


def similarity(one: str, other: str) -> float:
    """Token-set similarity in [0, 1]: shared words over all words; two texts without words are compared whole."""
    left, right = words(one), words(other)
    if not left and not right:
        return float(normalise(one) == normalise(other))
    return len(left & right) / len(left | right)


MAX_COMPARED = 1_000  # names that a word is compared with
MAX_LISTED = 20


def closest(word: Any, known: Iterable[str]) -> str:
    """The known word that another one was probably meant to be; empty where none of the first thousand is close."""
    choices = {name[:80]: name for name in islice(known, MAX_COMPARED)}
    return next((choices[close] for close in get_close_matches(str(word)[:80], choices, n=1)), "")


def did_you_mean(word: Any, known: Collection[str]) -> str:
    """`did you mean 'x'?` or, where nothing is close, `expected one of: …` with up to twenty names."""
    close = closest(word, known)
    if close:
        return f"did you mean '{close}'?"
    more = f" and {len(known) - MAX_LISTED:,} more" if len(known) > MAX_LISTED else ""
    return f"expected one of: {', '.join(islice(known, MAX_LISTED))}{more}" if known else "there is none to name"


def _boundary(text: str, index: int) -> bool:
    """Whether no word runs across the place before `index`."""
    if index == 0 or index == len(text):
        return True
    before, after = text[index - 1], text[index]
    if before == "'":
        before = text[index - 2] if index >= 2 else " "
    elif after == "'":
        after = text[index + 1] if index + 1 < len(text) else " "
    return not (_in_word(before) and _in_word(after))


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"
