"""What a benchmark returns: a figure with what it was made of, or the reason why there is none."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple


class Figure(NamedTuple):
    """A measured number, or None, and in words where it comes from or why it is missing."""

    value: float | None
    detail: str


class NotMeasured(Exception):
    """Something that a benchmark needs is not there; the text says what."""


def ratio(over: Sequence[float], under: Sequence[float], unit: str) -> Figure:
    """The ratio of the medians of two series, of which each has a number for every round; both are in `unit`."""
    rounds = sorted(one / other for one, other in zip(over, under, strict=True))
    value = median(over) / median(under)
    detail = f"{short(median(over))} ÷ {short(median(under))} {unit}; rounds {rounds[0]:.2f} to {rounds[-1]:.2f}"
    return Figure(value, detail)


def short(number: float) -> str:
    """A number with three digits, or all of them before the point."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
