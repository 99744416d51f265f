import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.redaction import Redactor, credentials, masked

KEYS = st.text("abcXYZ019_-", min_size=1, max_size=12).map("lab_{}".format)
BETWEEN = st.sampled_from([" ", ".", ": ", '"', "\n", "/", "=", ", ", "é ", "…"])
REDACT = Redactor({"lab_team-A_7", "lab_1"}, ["sk.abc/1==", "p w"])


def naive(text: str, keys: set[str]) -> str:
    """The reference: every run of letters, digits, `_` and `-` that is a key is masked."""
    return re.sub(r"[\w-]+", lambda found: masked(found[0]) if found[0] in keys else found[0], text)


@given(st.sets(KEYS, min_size=1, max_size=3), st.data())
def test_keys_are_masked_as_whole_words(keys: set[str], data: st.DataObject) -> None:
    """Each at its length, and nothing else, wherever they stand (ERR-2)."""
    parts = data.draw(st.lists(st.sampled_from(sorted(keys)) | KEYS | st.text("lab_kx-", max_size=6)))
    text = "".join(f"{part}{data.draw(BETWEEN.filter('…'.__ne__))}" for part in parts)
    assert Redactor(keys)(text) == naive(text, keys)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bearer lab_team-A_7, then", "Bearer lab_********, then"),
        ("lab_results lab_10 xlab_1 lab_1x lab_1-", "lab_results lab_10 xlab_1 lab_1x lab_1-"),
        ("token=sk.abc/1==&x", "token=**********&x"),
        ("xsk.abc/1==", "xsk.abc/1=="),
        ("say p w now", "say *** now"),
        ("lab_team…' lab_res…", "lab_****…' lab_res…"),
        ("sk.a… sk.abc/1==", "****… **********"),
        ("100 %41 \\u0041", "100 %41 \\u0041"),
    ],
)
def test_only_secrets_are_masked(text: str, expected: str) -> None:
    """Keys and credentials of any shape, also cut short; what looks like a key and is none stays readable (ERR-2)."""
    assert REDACT(text) == expected


@given(st.sets(KEYS, max_size=3), st.sets(KEYS, max_size=3), st.data())
def test_keys_that_another_process_has_added_are_masked_too(
    keys: set[str], others: set[str], data: st.DataObject
) -> None:
    """Of those it is known what is one, and not which there are (ERR-2)."""
    words = st.sampled_from(sorted({*keys, *others, "lab_"})) | KEYS | st.text("lab_kx-", max_size=6)
    parts = data.draw(st.lists(words))
    text = "".join(f"{part}{data.draw(BETWEEN.filter('…'.__ne__))}" for part in parts)
    assert Redactor(keys, is_key=others.__contains__)(text) == naive(text, {*keys, *others})


@pytest.mark.parametrize("layers", range(4))
@pytest.mark.parametrize("escape", [quote, lambda text: json.dumps(text)[1:-1]])
def test_escapes_hide_no_key(layers: int, escape: object) -> None:
    """Neither those of URLs nor those of JSON, also one in the other (ERR-2)."""
    assert callable(escape)
    every = "".join(f"%{ord(char):02x}" if escape is quote else f"\\u{ord(char):04x}" for char in "lab_team-A_7")
    text = f'\n"{every if layers else "lab_team-A_7"}"'
    for _ in range(layers - 1):
        text = escape(text)
    assert "lab_********" in REDACT(text)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"Bearer lab_x", {"lab_x"}),
        (b"lab_x", {"lab_x"}),
        (b'Bearer "lab_x"', {'"lab_x"', "lab_x"}),
        (b"Basic eA== rest", {"eA==", "rest"}),
        ("Token ké".encode(), {"ké", "kÃ©"}),
        (b"", set()),
    ],
)
def test_credentials_are_all_words_but_the_scheme(header: bytes, expected: set[str]) -> None:
    """Of every Authorization header there is, in whatever form (AUTH-1)."""
    assert set(credentials([(b"authorization", header), (b"host", b"x")])) == expected
    assert set(credentials([(b"authorization", header)] * 2)) == expected


def test_stars_stand_for_as_many_characters() -> None:
    """Only the beginning that all keys have stays."""
    assert (masked("lab_abc"), masked("sk-abc")) == ("lab_***", "******")
