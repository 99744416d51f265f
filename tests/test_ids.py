import os
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.ids import digest, episode_id, fingerprint, request_id

CROCKFORD = "[0-7][0-9a-hjkmnp-tv-z]{25}"
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
BASE: dict[str, Any] = {
    "seed": 7,
    "organisation": "acme",
    "method": "POST",
    "path": "/api/v1/evaluate",
    "body": b"{}",
    "attempt": 0,
}

NAMES = st.text("ab/1", max_size=3)
ASKED = st.tuples(NAMES, NAMES, st.text("ab/1\0\ud800", max_size=3), st.binary(max_size=3))
"""Organisations are slugs and methods are tokens; a path may hold anything that can be percent-encoded."""


def _ids(*, seed: int, organisation: str, method: str, path: str, body: bytes, attempt: int) -> tuple[str, str]:
    identity = fingerprint(organisation, method, path, body)
    return request_id(seed, identity, attempt), episode_id(seed, identity, attempt)


@given(st.integers(0, 2**63 - 1), st.text(), st.binary(), st.integers(0, 10**6))
def test_ids_are_a_prefix_and_26_crockford_characters(seed: int, path: str, body: bytes, attempt: int) -> None:
    """Request ids are `req_…` and episode ids `ep_…`, in lower-case Crockford base 32 (ID-1, EP-1)."""
    request, episode = _ids(**BASE | {"seed": seed, "path": path, "body": body, "attempt": attempt})
    assert re.fullmatch(f"req_{CROCKFORD}", request)
    assert re.fullmatch(f"ep_{CROCKFORD}", episode)


@given(st.integers(0, 2**63 - 1), st.binary(), st.integers(0, 10**6))
def test_ids_are_128_bits(seed: int, body: bytes, attempt: int) -> None:
    """Parsers of TypeIDs and ULIDs read 26 characters as 128 bits and refuse more: the first one is 0 to 7 (ID-1)."""
    for name in _ids(**BASE | {"seed": seed, "body": body, "attempt": attempt}):
        digits = name.partition("_")[2]
        assert sum(ALPHABET.index(digit) * 32**place for place, digit in enumerate(reversed(digits))) < 2**128


def test_every_first_character_comes_up() -> None:
    """The three bits of the first character are used, all of them (DET-3)."""
    identity = fingerprint("acme", "POST", "/", b"")
    assert {request_id(7, identity, attempt)[4] for attempt in range(200)} == set("01234567")


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"organisation": "other"},
        {"method": "PUT"},
        {"path": "/api/v1/episodes"},
        {"body": b"{ }"},
        {"attempt": 1},
    ],
    ids=lambda change: str(next(iter(change))),
)
def test_whatever_differs_makes_other_ids(change: dict[str, Any]) -> None:
    """Seed, organisation, method, path, body and attempt all count (DET-3)."""
    assert not set(_ids(**BASE)) & set(_ids(**BASE | change))


def test_an_id_depends_on_its_purpose() -> None:
    """A request and the episode that it creates do not share their characters (DET-3)."""
    request, episode = _ids(**BASE)
    assert request.removeprefix("req_") != episode.removeprefix("ep_")


@given(ASKED, ASKED)
def test_the_fields_of_a_request_cannot_run_into_each_other(
    one: tuple[str, str, str, bytes], other: tuple[str, str, str, bytes]
) -> None:
    """Two requests share a fingerprint only if organisation, method, path and body are all equal (DET-3)."""
    assert (fingerprint(*one) == fingerprint(*other)) == (one == other)


@given(NAMES, NAMES, NAMES)
def test_a_character_never_moves_from_one_field_to_the_next(first: str, moved: str, last: str) -> None:
    """What ends one field is not read as the start of the next (DET-3)."""
    ways = {
        (first + moved, last, "/", b""),
        (first, moved + last, "/", b""),
        (first, last + moved, "/", b""),
        (first, last, moved + "/", b""),
        (first, last, "/", moved.encode()),
        (first, last, "/" + moved, b""),
    }
    assert len({fingerprint(*way) for way in ways}) == len(ways)


@given(st.integers(0, 111), st.integers(0, 111), st.integers(0, 111), st.integers(0, 111))
def test_seed_and_attempt_cannot_run_into_each_other(seed: int, attempt: int, seed2: int, attempt2: int) -> None:
    """Ids are equal only if both seed and attempt are (DET-3)."""
    identity = fingerprint("acme", "POST", "/", b"")
    assert (request_id(seed, identity, attempt) == request_id(seed2, identity, attempt2)) == (
        (seed, attempt) == (seed2, attempt2)
    )


@pytest.mark.parametrize("hash_seed", ["0", "1", "4711"])
def test_another_process_makes_the_same_ids(hash_seed: str) -> None:
    """Ids do not depend on the process or on PYTHONHASHSEED (DET-1)."""
    code = (
        "from labs_mock.ids import *\n"
        "identity = fingerprint('acme', 'POST', '/api/v1/evaluate', b'{}')\n"
        "print(request_id(7, identity, 0), episode_id(7, identity, 0), digest(b'{}'))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [*_ids(**BASE), digest(b"{}")]


@given(st.binary(max_size=4), st.binary(max_size=4))
def test_a_digest_is_12_hexadecimal_characters_that_tell_contents_apart(one: bytes, other: bytes) -> None:
    """Versions of content are equal exactly when the content is."""
    assert re.fullmatch("[0-9a-f]{12}", digest(one))
    assert (digest(one) == digest(other)) == (one == other)
