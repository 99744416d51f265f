"""Secrets masked where something is shown: the keys of accounts, and a request's own credentials (ERR-2).

A secret is recognised by the place where it stands, and never by its looks.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator

Redact = Callable[[str], str]

MARK = "lab_"
"""The prefix of keys (AUTH-1)."""
MAX_LAYERS = 3  # of escapes, one in the other, behind which a secret is looked for
_WORD = re.compile(r"[\w-]+…?")
_ESCAPED = re.compile(r"(?:%|\\+u00)([2-7][0-9a-f])|\\+[bfnrt]", re.IGNORECASE)


def masked(secret: str) -> str:
    """Stars, as many as a secret has characters; only the `lab_` of a key stays."""
    kept = MARK if secret.startswith(MARK) else ""
    return kept + "*" * (len(secret) - len(kept))


def credentials(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[str]:
    """The credentials in the `Authorization` headers of a request, keys or not: all words but the scheme."""
    for value in [value for name, value in headers if name == b"authorization"]:
        for text in (value.decode("latin-1"), value.decode("utf-8", "replace")):
            words = text.split()
            for word in words[1:] or words:
                yield from (word, word.strip("\"'<>,;"))


class Redactor:
    """Masks secrets that stand in a text as whole words, also behind the escapes of URLs and JSON.

    `keys` are words of letters, digits, `_` and `-`, any number of them, and may change; `others` are any texts. What begins
    with `lab_` is also one if `is_key` knows it. Without such escapes, texts keep their length. A word that ends with `…` was cut short, and
    is masked if one of `keys` or `others` begins with it.
    """

    def __init__(
        self, keys: Collection[str], others: Iterable[str] = (), is_key: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._keys, self._is_key = keys, is_key
        self._others = sorted({other for other in others if other}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with all secrets masked."""
        if "%" in text or "\\" in text:
            plain = text
            for _ in range(MAX_LAYERS):
                plain = _ESCAPED.sub(lambda found: chr(int(found[1] or "20", 16)), plain)
            hidden = self._hidden(plain)
            if hidden != plain:
                return hidden
        return self._hidden(text)

    def including(self, others: Iterable[str]) -> "Redactor":
        """A redactor that masks some more secrets."""
        return Redactor(self._keys, (*self._others, *others), self._is_key)

    def _hidden(self, text: str) -> str:
        for other in self._others:
            if other in text:
                text = re.sub(rf"(?<![\w-]){re.escape(other)}(?![\w-])", masked(other), text)
            for cut in range(len(other) - 1, 0, -1) if "…" in text else ():
                if f"{other[:cut]}…" in text:
                    text = re.sub(rf"(?<![\w-]){re.escape(other[:cut])}…", f"{masked(other[:cut])}…", text)
        if "…" in text or MARK in text or any(map(text.__contains__, tuple(self._keys))):
            text = _WORD.sub(self._word, text)
        return text

    def _word(self, found: re.Match[str]) -> str:
        word = found[0].removesuffix("…")
        cut = word != found[0]
        if cut:
            secret = any(key.startswith(word) for key in tuple(self._keys))
        else:
            secret = word in self._keys or (word.startswith(MARK) and self._is_key(word))
        return masked(word) + "…" * cut if secret else found[0]


class Unredacted(Redactor):
    """Leaves texts as they are: those of a saved session, in which secrets were masked when it was saved."""

    def __call__(self, text: str) -> str:
        """The text."""
        return text

    def including(self, others: Iterable[str]) -> "Unredacted":
        """Itself: there is nothing to mask."""
        del others
        return self
