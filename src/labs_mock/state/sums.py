"""Normalisation: sums in the store, in whole numbers, and z-scores made of them outside (NORM-1, NORM-2)."""

from math import sqrt
from typing import NamedTuple

from labs_mock.contract.windows import Window
from labs_mock.engine.assessment import PLACES

UNIT = 10**PLACES  # rewards have so many places, so that sums of them are exact

LogKey = tuple[str, str, str, str]
"""Organisation, normalisation key, collection and scenario."""


class Sums(NamedTuple):
    """How many rewards there are in a window, their sum in units of 10⁻⁶, and the sum of the squares of those."""

    number: int
    total: int
    squares: int


class NormalisationEntry(NamedTuple):
    """A reward, in units of 10⁻⁶, for the log of a key, and the windows in which it is compared."""

    key: LogKey
    units: int
    windows: tuple[Window, ...]


def units_of(reward: float) -> int:
    """A reward in units of 10⁻⁶."""
    units: int = round(reward * UNIT)
    return units


def z_score(units: int, sums: Sums) -> float | None:
    """How many population deviations a reward is above the mean; None for less than two, or without a deviation (NORM-1)."""
    # number² times the variance: whole numbers, so that equal rewards have no deviation at all.
    spread = sums.number * sums.squares - sums.total * sums.total
    if sums.number < 2 or spread == 0:
        return None
    score: float = (units * sums.number - sums.total) / sqrt(spread)
    return round(score, PLACES)
