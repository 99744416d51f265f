"""The lines of exports: rows and their tokens (ROW-1 to ROW-4, TOK-1 to TOK-3)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from labs_mock.conformance.checks import check
from labs_mock.conformance.checks.datasets import exports
from labs_mock.conformance.envelope import secret, wrong_in
from labs_mock.conformance.exchanges import Sent
from labs_mock.conformance.judgements import shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.target import Json
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
"""What the fields of a row are judged by."""


@dataclass(frozen=True, slots=True)
class ExportedLine:
    """A row with its number, from 0, and the export that it stands in."""

    lab: Lab
    number: int
    row: Json
    export: Sent

    @property
    def messages(self) -> list[Json]:
        """Its messages; none where they are no list of objects, which is judged by their shape."""
        messages = self.row.get("messages")
        return [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []

    @property
    def metadata(self) -> Json:
        """Its metadata; nothing where they are no object."""
        metadata = self.row.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    def expect(self, part: Part, held: bool, expected: str, seen: object) -> None:
        """Judge the row; its export is what led there."""
        clause, inferred = part
        said = seen if held else f"row {self.number}: {shown(seen)}"
        self.lab.expect(clause, held, expected, said, inferred, (self.export,))


@check("ROW-1", "ROW-2", "ROW-3", "ID-2", "NEVER-1")
def a_row_has_the_documented_fields(lab: Lab) -> None:
    """All of them, none beyond, and null for none but `ifd_score`."""
    for line in _lines(lab):
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
def a_row_names_its_scenario(lab: Lab) -> None:
    """By collection and slug."""
    for line in _lines(lab):
        seen = line.row.get("scenario_id")
        held = isinstance(seen, str) and _PLACE.fullmatch(seen) is not None
        line.expect(Part("ROW-1", inferred=True), held, "<collection>/<scenario>", seen)


@check("ROW-2")
def the_persona_is_user(lab: Lab) -> None:
    """What is the opening of a known scenario was said by `user`."""
    openings = {f"{one.collection}/{one.slug}": one.opening for one in lab.every_scenario if one.opening}
    for line in _lines(lab):
        opening = openings.get(str(line.row.get("scenario_id")))
        roles = [one.get("role") for one in line.messages if one.get("content") == opening][:1]
        line.expect(Part("ROW-2"), roles in ([], ["user"]), "the persona's opening from `user`", roles)


@check("ROW-2")
def roles_take_turns(lab: Lab) -> None:
    """`user` begins, and `turn_count` counts the messages of the other."""
    for line in _lines(lab):
        roles = [one.get("role") for one in line.messages]
        wanted = [("user", "assistant")[number % 2] for number in range(len(roles))]
        line.expect(Part("ROW-2", inferred=True), roles == wanted, "`user` and `assistant` by turns", roles)
        counted, said = roles.count("assistant"), line.metadata.get("turn_count")
        line.expect(Part("ROW-2", inferred=True), said == counted, f"a turn_count of {counted}", said)


@check("ROW-3")
def numbers_with_fractions_are_written_so(lab: Lab) -> None:
    """`1.0` and not `1`, so that a column has one type."""
    for line in _lines(lab):
        for name in FRACTIONS:
            value = line.metadata.get(name, 0.0)
            held = value is None or isinstance(value, float)
            line.expect(Part("ROW-3", inferred=True), held, f"{name} with a fraction", value)


@check("ROW-3")
def all_rows_are_alike(lab: Lab) -> None:
    """`thinking` is in row 0 if it is in any, and `ifd_score` is null in all rows or in none."""
    first = None
    for line in _lines(lab):
        if line.number == 0 or first is None:
            first = line
        thinks, nulls = (
            [any("thinking" in said for said in one.messages) for one in (first, line)],
            _nulls(first, line),
        )
        line.expect(Part("ROW-3", inferred=True), thinks[0] or not thinks[1], "`thinking` in row 0, too", line.row)
        line.expect(Part("ROW-3", inferred=True), nulls[0] == nulls[1], "ifd_score null as in row 0, or not", line.row)


@check("ROW-4")
def no_line_ends_for_some_clients_alone(lab: Lab) -> None:
    """Characters that Unicode takes for line ends are escaped."""
    for _, sent in lab.each(exports(lab)):
        seen = [f"U+{ord(char):04X}" for char in LINE_ENDS if char.encode() in sent.answer]
        lab.expect("ROW-4", not seen, "U+2028, U+2029 and U+0085 escaped", seen, exchanges=(sent,))


@check("TOK-1")
def silence_is_a_whole_message(lab: Lab) -> None:
    """`<no_response/>`, exactly so and alone; an empty message would be a silence that was dropped."""
    for line in _lines(lab):
        for message in line.messages:
            content = str(message.get("content"))
            if message.get("role") == "assistant":
                held = content != "" and (content == NO_RESPONSE or NO_RESPONSE not in content)
                held = held and not is_near_miss(content)
                line.expect(Part("TOK-1"), held, f"{NO_RESPONSE} alone, or something said", content)


@check("TOK-2")
def thinking_is_the_operators(lab: Lab) -> None:
    """It stands beside the content of `assistant` messages, as text. Skipped where no row has it."""
    any_thinks = False
    for line in _lines(lab):
        for message in line.messages:
            if "thinking" in message:
                any_thinks = True
                held = message.get("role") == "assistant" and isinstance(message["thinking"], str)
                line.expect(Part("TOK-2"), held, "thinking as text, of `assistant` alone", message)
    if not any_thinks:
        raise Skip("no row has `thinking`")


@check("TOK-3")
def the_persona_does_not_speak_of_silence(lab: Lab) -> None:
    """Neither the token nor the context of a time skip is in a `user` message."""
    for line in _lines(lab):
        for message in line.messages:
            if message.get("role") == "user":
                content = str(message.get("content"))
                held = "no_response" not in content and not _CONTEXT.search(content)
                line.expect(Part("TOK-3"), held, "neither the token nor the days that pass", content)


def _lines(lab: Lab) -> Iterator[ExportedLine]:
    """The first rows of every export; a line that is no object was judged before. Raises `Skip` without an export."""
    for _, sent in lab.each(exports(lab)):
        for number, line in enumerate(sent.answer.split(b"\n")[:MOST_LINES]):
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(row, dict):
                yield ExportedLine(lab, number, row, sent)


def _nulls(*lines: ExportedLine) -> list[bool]:
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
