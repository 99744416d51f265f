"""Inputs of tool calls, compared as rules and expected outputs mean it."""

from collections.abc import Iterator
from typing import Any

from labs_mock.text import normalise


def contains(value: Any, pattern: Any) -> bool:
    """Whether an input has everything that a pattern has: keys of objects, members of lists, equal values."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(key in value and contains(value[key], pattern[key]) for key in pattern)
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(contains(have, want) for have in value) for want in pattern)
    return same(value, pattern)


def same(one: Any, other: Any) -> bool:
    """Whether two scalars are equal: text normalised, numbers by value, and true is not 1."""
    if isinstance(one, str) and isinstance(other, str):
        return normalise(one) == normalise(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The scalars of a JSON value with their paths; an empty object or list is a leaf too."""
    if not value or not isinstance(value, dict | list):
        yield path, value
        return
    for step, child in value.items() if isinstance(value, dict) else enumerate(value):
        yield from leaves(child, (*path, step))
