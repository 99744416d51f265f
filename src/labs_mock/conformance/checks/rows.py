"""The lines of exports: rows and their tokens (ROW-1 to ROW-4, TOK-1 to TOK-3)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from labs_mock.conformance.checks import check
from labs_mock.conformance.checks.datasets import exports
from labs_mock.conformance.every_response import secret, wrong_in
from labs_mock.conformance.http_response import Response
from labs_mock.conformance.offered import Json
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import shown
from labs_mock.conformance.violations import Skip
from labs_mock.contract.clauses import Part
from labs_mock.contract.rows import Row
from labs_mock.contract.tokens import NO_RESPONSE, is_near_miss

MOST_LINES = 500  # of an export
FRACTIONS = ("temperature", "quality_score", "complexity_score", "ifd_score")
LINE_ENDS = ("\N{LINE SEPARATOR}", "\N{PARAGRAPH SEPARATOR}", "\N{NEXT LINE}")

_PLACE = re.compile(r"[^/]+/[^/]+")
_CONTEXT = re.compile(r"no word for \d+ day", re.IGNORECASE)

SHAPES = (
    Part("ROW-1"),
    Part("ROW-1", inferred=True),
    Part("ROW-2"),
    Part("ROW-2", inferred=True),
    Part("ROW-3", inferred=True),
    Part("ID-2", inferred=True),
    Part("NEVER-1"),
)
"""The parts of clauses that say what the fields of a row are."""


@dataclass(frozen=True, slots=True)
class ExportedRow:
    """A row with its number, from 0, and the export that it stands in."""

    target: Target
    number: int
    row: Json
    export: Response

    @property
    def messages(self) -> list[Json]:
        """Its messages; none where they are no list of objects, which the check of fields reports."""
        messages = self.row.get("messages")
        return [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []

    @property
    def metadata(self) -> Json:
        """Its metadata; nothing where they are no object."""
        metadata = self.row.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    def expect(self, part: Part, holds: bool, expected: str, seen: object) -> None:
        """Check the row; its export is what led there."""
        clause, inferred = part
        seen_there = seen if holds else f"row {self.number}: {shown(seen)}"
        self.target.expect(clause, holds, expected, seen_there, inferred, (self.export,))


@check("ROW-1", "ROW-2", "ROW-3", "ID-2", "NEVER-1")
def a_row_has_the_documented_fields(target: Target) -> None:
    """All of them, none beyond, and null for none but `ifd_score`."""
    for line in _lines(target):
        try:
            Row.model_validate(line.row)
            found = []
        except ValidationError as error:
            found = error.errors()
        for one in found:
            place = ".".join(map(str, one["loc"]))
            shape = _shape_of(one)
            line.expect(shape, False, "the documented fields", f"{place}: {wrong_in(one)}")
        for shape in SHAPES:
            line.expect(shape, True, "", "")


@check("ROW-1")
def a_row_names_its_scenario(target: Target) -> None:
    """By collection and slug."""
    for line in _lines(target):
        seen = line.row.get("scenario_id")
        holds = isinstance(seen, str) and _PLACE.fullmatch(seen) is not None
        line.expect(Part("ROW-1", inferred=True), holds, "<collection>/<scenario>", seen)


@check("ROW-2")
def the_persona_is_user(target: Target) -> None:
    """The opening of a known scenario is a message of `user`."""
    openings = {f"{one.collection}/{one.slug}": one.opening for one in target.every_scenario if one.opening}
    for line in _lines(target):
        opening = openings.get(str(line.row.get("scenario_id")))
        roles = [one.get("role") for one in line.messages if one.get("content") == opening][:1]
        line.expect(Part("ROW-2"), roles in ([], ["user"]), "the persona's opening from `user`", roles)


@check("ROW-2")
def roles_take_turns(target: Target) -> None:
    """`user` begins, and `turn_count` counts the messages of the other."""
    for line in _lines(target):
        roles = [one.get("role") for one in line.messages]
        wanted = [("user", "assistant")[number % 2] for number in range(len(roles))]
        line.expect(Part("ROW-2", inferred=True), roles == wanted, "`user` and `assistant` by turns", roles)
        counted, reported = roles.count("assistant"), line.metadata.get("turn_count")
        line.expect(Part("ROW-2", inferred=True), reported == counted, f"a turn_count of {counted}", reported)


@check("ROW-3")
def numbers_with_fractions_are_written_so(target: Target) -> None:
    """`1.0` and not `1`, so that a column has one type."""
    for line in _lines(target):
        for name in FRACTIONS:
            value = line.metadata.get(name, 0.0)
            holds = value is None or isinstance(value, float)
            line.expect(Part("ROW-3", inferred=True), holds, f"{name} with a fraction", value)


@check("ROW-3")
def all_rows_are_alike(target: Target) -> None:
    """`thinking` is in row 0 if it is in any, and `ifd_score` is null in all rows or in none."""
    first = None
    for line in _lines(target):
        if line.number == 0 or first is None:
            first = line
        thinks, nulls = (
            [any("thinking" in message for message in one.messages) for one in (first, line)],
            _nulls(first, line),
        )
        line.expect(Part("ROW-3", inferred=True), thinks[0] or not thinks[1], "`thinking` in row 0, too", line.row)
        line.expect(Part("ROW-3", inferred=True), nulls[0] == nulls[1], "ifd_score null as in row 0, or not", line.row)


@check("ROW-4")
def no_line_ends_for_some_clients_alone(target: Target) -> None:
    """Characters that Unicode takes for line ends are escaped."""
    for _, response in target.each(exports(target)):
        seen = [f"U+{ord(char):04X}" for char in LINE_ENDS if char.encode() in response.content]
        target.expect("ROW-4", not seen, "U+2028, U+2029 and U+0085 escaped", seen, responses=(response,))


@check("TOK-1")
def silence_is_a_whole_message(target: Target) -> None:
    """`<no_response/>`, exactly so and alone; an empty message would be a silence that was dropped."""
    for line in _lines(target):
        for message in line.messages:
            content = str(message.get("content"))
            if message.get("role") == "assistant":
                holds = content != "" and (content == NO_RESPONSE or NO_RESPONSE not in content)
                holds = holds and not is_near_miss(content)
                line.expect(Part("TOK-1"), holds, f"{NO_RESPONSE} alone, or other text", content)


@check("TOK-2")
def thinking_is_the_operators(target: Target) -> None:
    """It stands beside the content of `assistant` messages, as text. Skipped where no row has it."""
    any_thinks = False
    for line in _lines(target):
        for message in line.messages:
            if "thinking" in message:
                any_thinks = True
                holds = message.get("role") == "assistant" and isinstance(message["thinking"], str)
                line.expect(Part("TOK-2"), holds, "thinking as text, of `assistant` alone", message)
    if not any_thinks:
        raise Skip("no row has `thinking`")


@check("TOK-3")
def the_persona_does_not_speak_of_silence(target: Target) -> None:
    """Neither the token nor the context of a time skip is in a `user` message."""
    for line in _lines(target):
        for message in line.messages:
            if message.get("role") == "user":
                content = str(message.get("content"))
                holds = "no_response" not in content and not _CONTEXT.search(content)
                line.expect(Part("TOK-3"), holds, "neither the token nor the days that pass", content)


def _lines(target: Target) -> Iterator[ExportedRow]:
    """The first rows of every export; a line that is no object was reported before. Raises `Skip` without an export."""
    for _, response in target.each(exports(target)):
        for number, line in enumerate(response.content.split(b"\n")[:MOST_LINES]):
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(row, dict):
                yield ExportedRow(target, number, row, response)


def _nulls(*lines: ExportedRow) -> list[bool]:
    return [line.metadata.get("ifd_score") is None for line in lines]


def _shape_of(error: ErrorDetails) -> Part:
    """The clause of a field that is wrong, missing or too much."""
    name = str(error["loc"][-1])
    if error["type"] == "extra_forbidden":
        extra = {"request_id": Part("ID-2", inferred=True), "tool_calls": Part("ROW-2", inferred=True)}
        return Part("NEVER-1") if secret(name) else extra.get(name, Part("ROW-1", inferred=True))
    if name == "thinking":
        return Part("ROW-3", inferred=True) if error["input"] is None else Part("TOK-2")
    wrong = {"role": Part("ROW-2", error["input"] == "system"), "messages": Part("ROW-2", inferred=True)}
    return wrong.get(name, Part("ROW-1")) if error["type"] != "missing" else Part("ROW-1")
