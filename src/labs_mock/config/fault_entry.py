"""A fault as it is written down: which requests, when, and what happens to them."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, StringConstraints, Tag

from labs_mock.scenario.files.fields import ApiKey, FileModel, Slug, Text
from labs_mock.scenario.files.paths import Mistake

Seconds = Annotated[float, Field(ge=0, le=86_400)]
Number = Annotated[int, Field(ge=1, le=1_000_000_000)]
Index = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Uniform(FileModel):
    """Seconds that are drawn evenly from a range."""

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


class FaultEntry(FileModel):
    """A fault. Without filters it is for every request, without a rule of when it happens every time."""

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

    nth: Number | None = Field(None, description="Only the n-th request that fits, from 1.")
    every: Number | None = Field(None, description="The n-th, the 2n-th and so on.")
    first: Number | None = Field(None, description="The first n.")
    share: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="A share, drawn from the request itself."
    )
    attempts: Number | None = Field(None, description="The first n attempts at one and the same request.")

    status: Annotated[int, Field(ge=400, le=599)] | None = Field(None, description="An error in the usual envelope.")
    message: Text | None = Field(None, description="What that error says.")
    delay: Delay | None = Field(None, description="Seconds on the server's clock.")
    before: Literal["head", "body", "chunk"] | None = Field(None, description="What the delay comes before.")
    close: Literal[True] | None = Field(None, description="The connection is closed without an answer.")
    reset: Place | None = Field(None, description="A TCP reset, before the head or in the body.")
    cut: Index | None = Field(None, description="The connection is closed after so many bytes of the body.")
    stall: Place | None = Field(None, description="Nothing more comes, from there on.")
    garbage: Literal[True] | None = Field(None, description="The body is no JSON.")
    content_type: Annotated[str, StringConstraints(pattern="^[!-~]([ -~]*[!-~])?$", max_length=200)] | None = Field(
        None, description="Another content type."
    )

    cut_after_line: Index | None = Field(None, description="A stream ends after line n, without its last chunk.")
    cut_in_line: Number | None = Field(None, description="The same, in the middle of line n.")
    duplicate_line: Number | None = Field(None, description="Line n comes twice.")
    swap_lines: Number | None = Field(None, description="Lines n and n + 1 change places.")
    error_line: Number | None = Field(None, description="An error object comes before line n.")
    row_count: int | None = Field(None, description="X-Row-Count is wrong by so much.")
    stall_after_line: Index | None = Field(None, description="Nothing more comes after line n.")

    fail_item: Item | None = Field(None, description="An item of a batch, by its number from 0 or its id, fails.")
    reverse_results: Literal[True] | None = Field(None, description="The results of a batch come in reverse order.")
    drop_result: Item | None = Field(
        None, description="A result of a batch, by its number from 0 or its id, is missing."
    )


WHEN = ("nth", "every", "first", "share", "attempts")
WHAT = (
    *("status", "delay", "close", "reset", "cut", "stall", "garbage", "content_type"),
    *("cut_after_line", "cut_in_line", "duplicate_line", "swap_lines", "error_line", "row_count", "stall_after_line"),
    *("fail_item", "reverse_results", "drop_result"),
)


def check_fault(fault: dict[str, Any]) -> Iterator[Mistake]:
    """All mistakes of a fault that its schema cannot see."""
    fault = {name: value for name, value in fault.items() if value is not None}
    whens, whats = ([name for name in names if name in fault] for names in (WHEN, WHAT))
    if len(whats) != 1:
        told = "several things that happen" if whats else "nothing that happens"
        yield Mistake((whats[1],) if whats else (), told, f"expected exactly one of: {', '.join(WHAT)}", bool(whats))
    if len(whens) > 1:
        yield Mistake((whens[1],), "several rules of when", f"expected one of: {', '.join(WHEN)}", True)
    for name, needed in (("message", "status"), ("before", "delay")):
        if name in fault and needed not in fault:
            yield Mistake((name,), f"'{name}' without '{needed}'", f"expected it beside '{needed}' only", True)
    if fault.get("row_count") == 0:
        yield Mistake(("row_count",), "a count that is right", "expected another number than 0")
    delay = fault.get("delay")
    if isinstance(delay, dict) and _number(delay.get("low")) > _number(delay.get("high"), 1e9):
        yield Mistake(("delay", "high"), "'high' below 'low'", "expected low to high")


def _number(value: Any, otherwise: float = 0.0) -> float:
    return value if isinstance(value, int | float) else otherwise
