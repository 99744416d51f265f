"""Faults that change a response on its way: its headers, its body, and where it breaks off."""

from collections.abc import Callable, Iterator
from typing import Any

from labs_mock.http.faults import lines
from labs_mock.http.faults.response import Break, FaultyResponse, Piece

GARBAGE = b'{"reward": 0.5, "scores": {"D1_\x00\xff\xfe<html>502 Bad Gateway'


def _garbage(response: FaultyResponse, _: Any) -> None:
    if b"content-length" in response.headers:
        response.headers[b"content-length"] = b"%d" % len(GARBAGE)
    response.delivery.note("garbage")
    response.pieces = iter([GARBAGE])


def _content_type(response: FaultyResponse, content_type: str) -> None:
    response.headers[b"content-type"] = content_type.encode()
    response.delivery.note(f"content type {content_type}")


def _row_count(response: FaultyResponse, difference: int) -> None:
    if b"x-row-count" in response.headers:
        response.delivery.note(f"X-Row-Count off by {difference:+d}")
        response.headers[b"x-row-count"] = b"%d" % max(0, int(response.headers[b"x-row-count"]) + difference)


def _breaks(how: Break) -> Callable[[FaultyResponse, Any], None]:
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


RESPONSE_FAULTS: dict[str, Callable[[FaultyResponse, Any], None]] = {
    "garbage": _garbage,
    "content_type": _content_type,
    "row_count": _row_count,
    "duplicate_line": lines.duplicate_line,
    "swap_lines": lines.swap_lines,
    "error_line": lines.error_line,
    "cut_after_line": lines.cut_after_line,
    "cut_in_line": lines.cut_in_line,
    "stall_after_line": lines.stall_after_line,
    "cut": _breaks(Break.CLOSE),
    "reset": _breaks(Break.RESET),
    "stall": _breaks(Break.STALL),
    "close": _breaks(Break.CLOSE),
}
"""The kinds of faults that change a response, with their functions, in the order in which they are applied."""
