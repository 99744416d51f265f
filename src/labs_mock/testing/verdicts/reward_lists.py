"""What may have become of a whole list of rewards: functions that return the arguments of a label, or None if it does not fit."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import isfinite, isnan
from typing import NamedTuple

from labs_mock.testing.verdicts.float_values import same
from labs_mock.testing.verdicts.reward_comparison import Arguments, RewardComparison


def missing(compared: RewardComparison) -> Arguments | None:
    """How many rewards there are too few."""
    count = len(compared.expected) - len(compared.used)
    return (count,) if count > 0 else None


def extra(compared: RewardComparison) -> Arguments | None:
    """How many rewards there are too many."""
    count = len(compared.used) - len(compared.expected)
    return (count,) if count > 0 else None


def in_place(compared: RewardComparison) -> Arguments | None:
    """Whether all rewards are as expected."""
    return None if compared.different else ()


def broadcast(compared: RewardComparison) -> Arguments | None:
    """The first place whose expected reward was used for all places."""
    value = compared.used[0]
    if all(one == value for one in compared.used) and value in compared.expected:
        return (compared.expected.index(value),)
    return None


def swapped(compared: RewardComparison) -> Arguments | None:
    """The two places that have the reward of each other."""
    if len(compared.different) != 2:
        return None
    one, other = compared.different
    crossed = compared.expected[other], compared.expected[one]
    return (one, other) if all(map(same, crossed, (compared.used[one], compared.used[other]))) else None


def is_reversed(compared: RewardComparison) -> Arguments | None:
    """Whether the last conversation has the first reward, and so on."""
    return () if all(map(same, reversed(compared.expected), compared.used)) else None


def shifted(compared: RewardComparison) -> Arguments | None:
    """The smallest distance by which rewards come late (or early), from the first place that is not as expected."""
    for distance in range(1, len(compared.used)):
        for by in (distance, -distance):
            if _is_shifted(compared, by):
                return (by,)
    return None


def _is_shifted(compared: RewardComparison, by: int) -> bool:
    """Whether each place has the reward from `by` places before it.

    Those places to which none is moved, at the start or at the end, may have what a rotation brings there, their own reward, 0 or
    NaN. Some reward must have been moved that is neither 0 nor equal to the one that it replaces.
    """
    expected, used, count, start = compared.expected, compared.used, len(compared.used), compared.different[0]
    free = range(start, start + by) if by > 0 else range(count + by, count)
    moved = False
    for place in range(start, count):
        source = expected[(place - by) % count]
        if place not in free:
            if not same(used[place], source):
                return False
            moved = moved or not (isnan(source) or source in (0, expected[place]))
        elif not (used[place] == 0 or isnan(used[place]) or used[place] in (source, expected[place])):
            return False
    return moved


def in_sorted_order(compared: RewardComparison) -> Arguments | None:
    """By what the places were sorted whose expected rewards were used in that order."""
    keys = {**compared.lengths, "reward": compared.expected}
    for name, key in keys.items():
        for direction, order in _orders(key) if len(set(key)) > 1 else ():
            if all(same(compared.expected[place], used) for place, used in zip(order, compared.used, strict=True)):
                return (name, *direction)
    return None


def _orders(key: Sequence[float]) -> Iterator[tuple[Arguments, list[int]]]:
    """The places sorted by a key, equal ones in their order, or in descending order either way."""
    places = sorted(range(len(key)), key=lambda place: (isnan(key[place]), key[place]))
    yield (), places
    yield ("descending",), places[::-1]
    yield ("descending",), sorted(range(len(key)), key=lambda place: (isnan(key[place]), -key[place]))


def permuted(compared: RewardComparison) -> Arguments | None:
    """Whether there are the same rewards, each as often."""
    expected, used = (
        Counter(None if isnan(one) else one for one in side) for side in (compared.expected, compared.used)
    )
    return () if expected == used else None


def rescaled(compared: RewardComparison) -> Arguments | None:
    """The factor and the offset for the whole list, or that each group has its own."""
    whole = _affine(compared, range(len(compared.used)))
    if whole is not None and whole.distinct >= DISTINCT:
        return whole.factor, whole.offset
    found = [_affine(compared, group) for group in compared.groups]
    fits = [one for one in found if one is not None]
    one_way = {one.factor > 0 for one in fits if one.distinct > 1}
    if len(fits) < len(found) or len(one_way) != 1 or max(one.distinct for one in fits) < DISTINCT:
        return None
    return ("each group",)


DISTINCT = 3  # values from which on a line through them says something


class _Affine(NamedTuple):
    """used = factor · expected + offset, over so many distinct expected values."""

    factor: float
    offset: float
    distinct: int


def _affine(compared: RewardComparison, places: Sequence[int]) -> _Affine | None:
    """The line through the least and the greatest expected reward of some places, if the others are on it, and it is not flat.

    Equal rewards must be equal afterwards. A conversation without a reward has none afterwards, or 0.
    """
    points = sorted(
        (compared.expected[place], compared.used[place]) for place in places if _has_reward(compared, place)
    )
    rest = [compared.used[place] for place in places if not _has_reward(compared, place)]
    if not all(isnan(used) or used == 0 for used in rest) or not all(isfinite(used) for _, used in points):
        return None
    distinct = len({expected for expected, _ in points})
    if not points:
        return _Affine(0.0, 0.0, 0)
    (low, used_low), (high, used_high) = points[0], points[-1]
    size = abs(used_high - used_low)
    factor = (used_high - used_low) / (high - low) if distinct > 1 else 0.0
    largest = max(abs(used) for _, used in points) + abs(factor * high)
    near = 1e-4 * size + 2**-22 * largest  # as float32 is rounded
    if any(abs(used_low + factor * (expected - low) - used) > near for expected, used in points):
        return None
    return None if distinct > 1 and size <= 10 * near else _Affine(factor, used_low - factor * low, distinct)


def _has_reward(compared: RewardComparison, place: int) -> bool:
    return not isnan(compared.expected[place])
