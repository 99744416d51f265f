"""Rewards as floating-point numbers of 32 and 16 bits, without NumPy and torch."""

import math
import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def float_values(values: Any, name: str = "used") -> list[float]:
    """Numbers as float32, row by row where there are rows; None is NaN.

    Takes lists and other iterables, and whatever has a `tolist()`: NumPy arrays and tensors of any float type, also single ones.
    Raises `TypeError` that names the place of what is no number.
    """
    return array("f", _flat(values, name)).tolist()


def float32(value: float) -> float:
    """The nearest number of 32 bits."""
    return array("f", [value])[0]


def float16(value: float) -> float:
    """The nearest number of the 16 bits of IEEE 754; infinite beyond 65,504."""
    try:
        return float(struct.unpack("e", struct.pack("e", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def bfloat16(value: float) -> float:
    """The nearest number that has the upper 16 bits of a float32, of two the even one."""
    if not math.isfinite(value):
        return value
    (bits,) = struct.unpack("I", struct.pack("f", value))
    bits = bits + 0x7FFF + (bits >> 16 & 1) & 0xFFFF0000
    return float(struct.unpack("f", struct.pack("I", bits))[0])


def same(one: float, other: float) -> bool:
    """Whether two numbers are equal, or both NaN."""
    return one == other or (one != one and other != other)  # noqa: PLR0124 - only NaN differs from itself


def _flat(value: Any, place: str) -> Iterator[float]:
    plain = value.tolist() if hasattr(value, "tolist") else value
    if plain is None:
        yield math.nan
    elif isinstance(plain, Iterable) and not isinstance(plain, str | bytes | Mapping):
        for index, inner in enumerate(plain):
            yield from _flat(inner, f"{place}[{index}]")
    elif hasattr(plain, "__float__"):
        yield float(plain)
    else:
        raise TypeError(f"{place}: expected a number or None, got {type(value).__name__}")
