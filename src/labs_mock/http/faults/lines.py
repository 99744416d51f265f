"""Faults in the lines of an export (DS-4). Lines are numbered from 1; one that an export does not have changes nothing."""

from collections.abc import Callable, Iterator

import orjson

from labs_mock.contract.wording import FAULTED
from labs_mock.http.faults.response import Break, FaultyResponse, Piece

ERROR_LINE = orjson.dumps({"error": FAULTED}) + b"\n"

Note = Callable[[str], None]
Apply = Callable[[FaultyResponse, int], None]


def at_line(replacement: Callable[[bytes], tuple[Piece, ...]], note_text: str = "") -> Apply:
    """A fault that replaces line n; line 0 is what stands before the first line, and is empty."""

    def change(lines: Iterator[Piece], chosen: int, note: Note) -> Iterator[Piece]:
        if not chosen:
            yield from replacement(b"")
        number = 0
        for line in lines:
            number += bool(line)
            if number == chosen and line and isinstance(line, bytes):
                if note_text:
                    note(note_text.format(chosen))
                yield from replacement(line)
            else:
                yield line

    return _by_lines(change)


def _by_lines(change: Callable[[Iterator[Piece], int, Note], Iterator[Piece]]) -> Apply:
    def apply(response: FaultyResponse, chosen: int) -> None:
        if b"x-row-count" in response.headers:  # only exports have lines
            response.pieces = change(_lines(response.pieces), chosen, response.delivery.note)

    return apply


def _swap(lines: Iterator[Piece], chosen: int, note: Note) -> Iterator[Piece]:
    """Line n after the line that follows it; the last line stays, since none follows."""
    kept_back: list[Piece] = []
    number = 0
    for line in lines:
        number += bool(line)
        if number == chosen and line:
            kept_back.append(line)
            continue
        if number > chosen and kept_back:
            note(f"lines {chosen} and {number} swapped")
            yield from (line, kept_back.pop())
        else:
            yield line
    yield from kept_back


def _lines(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Whole lines, wherever chunks end, and between them what is not a line: empty pieces and breaks."""
    rest = b""
    for piece in pieces:
        if isinstance(piece, bytes):
            *whole, rest = (rest + piece).split(b"\n")
            yield from [line + b"\n" for line in whole] or [b""]
        else:
            yield from (rest, piece)
    yield rest


swap_lines = _by_lines(_swap)
duplicate_line = at_line(lambda line: (line, line), "line {} twice")
error_line = at_line(lambda line: (ERROR_LINE, line), "an error before line {}")
cut_after_line = at_line(lambda line: (line, Break.CLOSE))
cut_in_line = at_line(lambda line: (line[: len(line) // 2], Break.CLOSE))
stall_after_line = at_line(lambda line: (line, Break.STALL))
