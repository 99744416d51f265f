"""Faults that change a response on its way: its headers, its body, and where it breaks off."""

import json
from collections.abc import Callable, Iterator
from math import nan
from typing import Any

import orjson

from labs_mock.http.faults.response import Break, FaultyResponse, Piece

GARBAGE = b'{"reward": 0.5, "scores": {"D1_\x00\xff\xfe<html>502 Bad Gateway'


def garbage(response: FaultyResponse, _: Any) -> None:
    """The body is not JSON."""
    response.delivery.note("garbage")
    _replace_body(response, GARBAGE)


def other_body(response: FaultyResponse, text: str) -> None:
    """The body is another text."""
    response.delivery.note("another body")
    _replace_body(response, text.encode())


def nan_reward(response: FaultyResponse, index: int) -> None:
    """The reward, or that of a result of a batch, is `NaN`, as Python's `json` writes and reads it; exports have none."""
    if b"content-length" not in response.headers:
        return
    body = b"".join(piece for piece in response.pieces if isinstance(piece, bytes))
    value = orjson.loads(body)
    rewarded = value["results"][index : index + 1] if "results" in value else [value]
    if rewarded and "reward" in rewarded[0]:
        rewarded[0]["reward"] = nan
        response.delivery.note("reward NaN")
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    _replace_body(response, body)


def _replace_body(response: FaultyResponse, body: bytes) -> None:
    if b"content-length" in response.headers:
        response.headers[b"content-length"] = b"%d" % len(body)
    response.pieces = iter([body])


def content_type(response: FaultyResponse, value: str) -> None:
    """The content type is another one."""
    response.headers[b"content-type"] = value.encode()
    response.delivery.note(f"content type {value}")


def row_count(response: FaultyResponse, difference: int) -> None:
    """`X-Row-Count` is wrong by so much; only exports have it (DS-4)."""
    if b"x-row-count" in response.headers:
        response.delivery.note(f"X-Row-Count off by {difference:+d}")
        response.headers[b"x-row-count"] = b"%d" % max(0, int(response.headers[b"x-row-count"]) + difference)


def breaks(how: Break) -> Callable[[FaultyResponse, Any], None]:
    """A fault that breaks off before the head, or after so many bytes of the body."""

    def apply(response: FaultyResponse, place: Any) -> None:
        if place is True or place == "head":
            response.break_before_head = how
        else:
            response.pieces = _until(response.pieces, place, how)

    return apply


def _until(pieces: Iterator[Piece], size: int, how: Break) -> Iterator[Piece]:
    """The first `size` bytes, and then a break; the pieces as they are where there are fewer bytes."""
    if not size:
        yield how  # before a row is made, so that nobody waits for one that is half made
    for piece in pieces:
        if isinstance(piece, bytes) and len(piece) >= size:
            yield from (piece[:size], how)
            return
        size -= len(piece) if isinstance(piece, bytes) else 0
        yield piece
