"""Which labels explain rewards, naively: what each mistake makes of the expected rewards is made, and compared."""

import math
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

from labs_mock.contract.control import ExpectedReward

Value = float | None


class Case(NamedTuple):
    """Rewards that were used, beside all that a verdict may depend on; None for a reward that there is not."""

    rewards: list[ExpectedReward]
    used: list[Value]
    groups: list[list[int]]
    lengths: dict[str, list[int]]
    served: list[float]

    @property
    def expected(self) -> list[Value]:
        """As float32."""
        return [None if one.reward is None else f32(one.reward) for one in self.rewards]


def f32(value: float) -> float:
    """The nearest float32."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def nearest(value: float, numbers: tuple[float, ...]) -> float:
    """The nearest of some numbers, of two the one with the even last place; these are in order."""
    best = min(abs(Fraction(one) - Fraction(value)) for one in numbers)
    near = [one for one in numbers if abs(Fraction(one) - Fraction(value)) == best]
    return near[0] if len(near) == 1 else next(one for one in near if numbers.index(one) % 2 == 0)


HALF = tuple(float(struct.unpack("<e", struct.pack("<H", bits))[0]) for bits in range(0x7C00))
BRAIN = tuple(float(struct.unpack("<f", struct.pack("<I", bits << 16))[0]) for bits in range(0x7F80))


def half(value: float, numbers: tuple[float, ...]) -> float:
    """The nearest of many numbers that is not below 0, found by halving."""
    low, high = 0, len(numbers) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if numbers[middle] <= value else (low, middle)
    return nearest(value, numbers[low - low % 2 : high + 2])


def names(case: Case) -> list[str]:
    """The names of the labels that explain all places, in the order of the issue; `mixed` where none does."""
    expected, used = case.expected, case.used
    if len(used) != len(expected):
        return ["missing" if len(used) < len(expected) else "extra"]
    if used == expected:
        return ["in_place"]
    found = [name for name, explains in WHOLE.items() if explains(case)]
    return found or ["mixed"]


def place_names(case: Case) -> list[str]:
    """For each place the name of the first label that explains it by itself."""
    pairs = enumerate(zip(case.expected, case.used, strict=True))
    return [
        "in_place" if one == other else next(name for name, holds in PLACES.items() if holds(case, place))
        for place, (one, other) in pairs
    ]


def _failed(case: Case, place: int) -> bool:
    reward = case.rewards[place]
    return case.used[place] == 0 and (bool(reward.failed_requests) or reward.error is not None)


def _rounds(numbers: tuple[float, ...]) -> Callable[[Case, int], bool]:
    def holds(case: Case, place: int) -> bool:
        expected, used = case.expected[place], case.used[place]
        return expected is not None and used == half(expected, numbers)

    return holds


def _sum(case: Case, place: int) -> bool:
    turns, used = case.rewards[place].rewards_by_turn, case.used[place]
    return len(turns) >= 2 and used is not None and abs(math.fsum(turns) - used) <= 1e-5 * max(abs(used), 1e-300)


def _last_but_one(case: Case, place: int) -> bool:
    turns, used = case.rewards[place].rewards_by_turn, case.used[place]
    return used == f32(turns[-2]) if len(turns) >= 2 else used in (0, None)


def _served(case: Case, place: int) -> bool:
    return case.used[place] in case.served


def _not_served(case: Case, place: int) -> bool:
    return case.used[place] is not None and case.used[place] not in case.served


PLACES: dict[str, Callable[[Case, int], bool]] = {
    "nan": lambda case, place: case.used[place] is None,
    "failure_became_zero": _failed,
    "became_zero": lambda case, place: case.used[place] == 0,
    "lossy(float16)": _rounds(HALF),
    "lossy(bfloat16)": _rounds(BRAIN),
    "summed_over_turns": _sum,
    "last_but_one_turn": _last_but_one,
    "other_conversation": _served,
    "not_served": _not_served,
}


def _at_all(name: str) -> Callable[[Case], bool]:
    def explains(case: Case) -> bool:
        pairs = enumerate(zip(case.expected, case.used, strict=True))
        return all(one == other or PLACES[name](case, place) for place, (one, other) in pairs)

    return explains


def _swapped(case: Case) -> bool:
    count = len(case.used)
    for one in range(count):
        for other in range(one):
            swapped = case.expected
            swapped[one], swapped[other] = swapped[other], swapped[one]
            if swapped == case.used:
                return True
    return False


def shifts(case: Case) -> Iterator[int]:
    """The distances by which rewards may have been shifted."""
    expected, used, count = case.expected, case.used, len(case.used)
    start = next(place for place in range(count) if expected[place] != used[place])
    for by in range(1 - count, count):
        rotated = expected[-by:] + expected[:-by]
        moved = [place for place in range(start, count) if (start + by <= place if by > 0 else place < count + by)]
        kept = [place for place in range(start, count) if place not in moved]
        told = [place for place in moved if rotated[place] not in (None, 0, expected[place])]
        fits = all(used[place] == rotated[place] for place in moved)
        if by and told and fits and all(used[place] in (rotated[place], expected[place], 0, None) for place in kept):
            yield by


def _sorted(case: Case) -> bool:
    """Pairs of a key and a reward, sorted by the key alone."""
    keys: list[list[float]] = [
        [math.inf if one is None else one for one in case.expected],
        *map(list[float], case.lengths.values()),
    ]
    for key in keys:
        pairs = list(zip(key, case.expected, strict=True))
        ascending = sorted(pairs, key=lambda pair: pair[0])
        finite = [pair for pair in pairs if pair[0] != math.inf]
        infinite = [pair for pair in pairs if pair[0] == math.inf]
        descending = sorted(finite, key=lambda pair: pair[0], reverse=True) + infinite
        if min(key) < max(key) and case.used in [
            [pair[1] for pair in one] for one in (ascending, ascending[::-1], descending)
        ]:
            return True
    return False


def _permuted(case: Case) -> bool:
    def key(value: Value) -> tuple[bool, float]:
        return value is None, value or 0

    return sorted(case.expected, key=key) == sorted(case.used, key=key)


def _slope(case: Case, places: list[int]) -> float | None:
    """1 or -1 where used rewards of some places are on a line over the expected ones, 0 where one value says nothing."""
    pairs = [(case.expected[place], case.used[place]) for place in places]
    if any(used not in (None, 0) for expected, used in pairs if expected is None):
        return None
    points = [(expected, used) for expected, used in pairs if expected is not None and used is not None]
    if len(points) < sum(expected is not None for expected, _ in pairs):
        return None
    if len({expected for expected, _ in points}) <= 1:
        return 0 if len({used for _, used in points}) <= 1 else None
    (low, first), (high, last) = ((Fraction(one), Fraction(other)) for one, other in (min(points), max(points)))
    slope = (last - first) / (high - low)
    off = [abs(first + slope * (Fraction(expected) - low) - Fraction(used)) for expected, used in points]
    rounding = (max(abs(Fraction(used)) for _, used in points) + abs(slope * high)) * Fraction(2) ** -22
    near = abs(last - first) / 10_000 + rounding
    return math.copysign(1, slope) if max(off) <= near < abs(last - first) / 10 else None


def _rescaled(case: Case) -> bool:
    def values(places: list[int]) -> int:
        return len({case.expected[place] for place in places} - {None})

    everything = list(range(len(case.used)))
    if _slope(case, everything) and values(everything) >= 3:
        return True
    slopes = [_slope(case, group) for group in case.groups]
    return None not in slopes and len({*slopes} - {0}) == 1 and any(values(group) >= 3 for group in case.groups)


WHOLE: dict[str, Callable[[Case], bool]] = {
    "nan": _at_all("nan"),
    "failure_became_zero": _at_all("failure_became_zero"),
    "became_zero": _at_all("became_zero"),
    "broadcast": lambda case: len({*case.used}) == 1 and case.used[0] is not None and case.used[0] in case.expected,
    "lossy": lambda case: _at_all("lossy(float16)")(case) or _at_all("lossy(bfloat16)")(case),
    "summed_over_turns": _at_all("summed_over_turns"),
    "last_but_one_turn": _at_all("last_but_one_turn"),
    "swapped": _swapped,
    "reversed": lambda case: case.used == case.expected[::-1],
    "shifted": lambda case: any(True for _ in shifts(case)),
    "sorted": _sorted,
    "permuted": _permuted,
    "rescaled": _rescaled,
    "other_conversation": _at_all("other_conversation"),
    "not_served": _at_all("not_served"),
}
