"""A fault as it is written in a plan: which requests it matches, which of these trigger it, and what happens then."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, StringConstraints, Tag

from labs_mock.scenario.files.fields import ApiKey, FileModel, Slug, Text
from labs_mock.scenario.files.paths import Mistake

Seconds = Annotated[float, Field(ge=0, le=86_400)]
Number = Annotated[int, Field(ge=1, le=1_000_000_000)]
Index = Annotated[int, Field(ge=0, le=1_000_000_000)]
Above0To1 = Annotated[float, Field(gt=0, le=1)]
ErrorStatus = Annotated[int, Field(ge=400, le=599)]
BodyText = Annotated[str, StringConstraints(max_length=100_000)]
ContentType = Annotated[str, StringConstraints(pattern="^[!-~]([ -~]*[!-~])?$", max_length=200)]


class Uniform(FileModel):
    """Seconds at random (seeded), evenly from a range."""

    low: Seconds
    high: Seconds


class LogNormal(FileModel):
    """Seconds around a median, with a long tail: `sigma` is the deviation of their logarithm."""

    median: Seconds
    sigma: Annotated[float, Field(ge=0, le=5)]


_by_type = Discriminator(lambda value: "(word)" if isinstance(value, str) else "(number)")
Place = Annotated[Annotated[Index, Tag("(number)")] | Annotated[Literal["head"], Tag("(word)")], _by_type]
Item = Annotated[Annotated[Index, Tag("(number)")] | Annotated[Text, Tag("(word)")], _by_type]


def _delay_kind(value: Any) -> str:
    if not isinstance(value, dict | BaseModel):
        return "(seconds)"
    keys = value if isinstance(value, dict) else type(value).model_fields
    return "(median)" if "median" in keys or "sigma" in keys else "(range)"


Delay = Annotated[
    Annotated[Seconds, Tag("(seconds)")] | Annotated[Uniform, Tag("(range)")] | Annotated[LogNormal, Tag("(median)")],
    Discriminator(_delay_kind),
]


@dataclass(frozen=True, slots=True)
class Role:
    """Marks a field of a fault that is not a filter: a rule of when, a kind of fault, or what stands `beside` a kind."""

    is_when: bool = False
    is_kind: bool = False
    beside: str = ""


When, Kind = Role(is_when=True), Role(is_kind=True)


class FaultEntry(FileModel):
    """A fault. Without filters it is for every request, without a rule of when it happens every time."""

    # The fields marked `Kind` are the one table of the kinds of faults. What a kind does is a function that has the same name
    # in a table of `http.faults`.

    id: Slug | None = None

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] | None = None
    path: Annotated[str, StringConstraints(pattern=r"^[/*][^?\[\]{}]*$", max_length=200)] | None = Field(
        None, description="The path, where * stands for anything."
    )
    collection_slug: Slug | None = None
    scenario_slug: Slug | None = None
    dataset: Text | None = None
    organisation: Slug | None = None
    key: ApiKey | None = Field(None, repr=False)
    item: Text | None = Field(None, description="The id of an item of a batch.")

    nth: Annotated[Number | None, When] = Field(None, description="Only the n-th request that matches, from 1.")
    every: Annotated[Number | None, When] = Field(None, description="The n-th, the 2n-th and so on.")
    first: Annotated[Number | None, When] = Field(None, description="The first n.")
    share: Annotated[Above0To1 | None, When] = Field(
        None, description="A share of them, at random (seeded by the request)."
    )
    attempts: Annotated[Number | None, When] = Field(
        None, description="The first n attempts at one and the same request."
    )

    status: Annotated[ErrorStatus | None, Kind] = Field(None, description="An error in the usual envelope.")
    message: Annotated[Text | None, Role(beside="status")] = Field(None, description="The message of that error.")
    delay: Annotated[Delay | None, Kind] = Field(None, description="Seconds on the server's clock.")
    before: Annotated[Literal["head", "body", "chunk"] | None, Role(beside="delay")] = Field(
        None, description="What the delay comes before."
    )
    close: Annotated[Literal[True] | None, Kind] = Field(
        None, description="The connection is closed without a response."
    )
    reset: Annotated[Place | None, Kind] = Field(None, description="A TCP reset, before the head or in the body.")
    cut: Annotated[Index | None, Kind] = Field(
        None, description="The connection is closed after so many bytes of the body."
    )
    stall: Annotated[Place | None, Kind] = Field(None, description="Nothing more comes, from there on.")
    garbage: Annotated[Literal[True] | None, Kind] = Field(None, description="The body is no JSON.")
    content_type: Annotated[ContentType | None, Kind] = Field(None, description="Another content type.")
    body: Annotated[BodyText | None, Kind] = Field(None, description="Another body, such as that of another response.")
    nan_reward: Annotated[Index | None, Kind] = Field(
        None, description="The reward, or that of the n-th result of a batch from 0, is NaN, which is no JSON."
    )

    cut_after_line: Annotated[Index | None, Kind] = Field(
        None, description="A stream ends after line n, without its last chunk."
    )
    cut_in_line: Annotated[Number | None, Kind] = Field(None, description="The same, in the middle of line n.")
    duplicate_line: Annotated[Number | None, Kind] = Field(None, description="Line n comes twice.")
    swap_lines: Annotated[Number | None, Kind] = Field(None, description="Lines n and n + 1 change places.")
    error_line: Annotated[Number | None, Kind] = Field(None, description="An error object comes before line n.")
    row_count: Annotated[int | None, Kind] = Field(None, description="X-Row-Count is wrong by so much.")
    stall_after_line: Annotated[Index | None, Kind] = Field(None, description="Nothing more comes after line n.")

    fail_item: Annotated[Item | None, Kind] = Field(
        None, description="An item of a batch, by its number from 0 or its id, fails."
    )
    reverse_results: Annotated[Literal[True] | None, Kind] = Field(
        None, description="The results of a batch come in reverse order."
    )
    drop_result: Annotated[Item | None, Kind] = Field(
        None, description="A result of a batch, by its number from 0 or its id, is missing."
    )


_ROLES = {
    name: role for name, field in FaultEntry.model_fields.items() for role in field.metadata if isinstance(role, Role)
}
WHEN = tuple(name for name, role in _ROLES.items() if role.is_when)
KINDS = tuple(name for name, role in _ROLES.items() if role.is_kind)
BESIDE = {name: role.beside for name, role in _ROLES.items() if role.beside}
"""Fields that belong to a kind, by their names."""


def check_fault(fault: dict[str, Any]) -> Iterator[Mistake]:
    """All mistakes of a fault that its schema cannot see."""
    fault = {name: value for name, value in fault.items() if value is not None}
    rules, kinds = ([name for name in names if name in fault] for names in (WHEN, KINDS))
    if len(kinds) != 1:
        message = "several things that happen" if kinds else "nothing that happens"
        yield Mistake(
            (kinds[1],) if kinds else (), message, f"expected exactly one of: {', '.join(KINDS)}", bool(kinds)
        )
    if len(rules) > 1:
        yield Mistake((rules[1],), "several rules of when", f"expected one of: {', '.join(WHEN)}", True)
    for name, kind in BESIDE.items():
        if name in fault and kind not in fault:
            yield Mistake((name,), f"'{name}' without '{kind}'", f"expected it beside '{kind}' only", True)
    if fault.get("row_count") == 0:
        yield Mistake(("row_count",), "a count that is right", "expected another number than 0")
    delay = fault.get("delay")
    if isinstance(delay, dict) and _number(delay.get("low")) > _number(delay.get("high"), 1e9):
        yield Mistake(("delay", "high"), "'high' below 'low'", "expected low to high")


def _number(value: Any, otherwise: float = 0.0) -> float:
    return value if isinstance(value, int | float) else otherwise
