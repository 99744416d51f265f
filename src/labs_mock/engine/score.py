"""What a scorer returns."""

from typing import NamedTuple

PLACES = 6


class Score(NamedTuple):
    """A value in [0, 1], rounded to 6 places, and a sentence that speaks of results and turns, never of criteria texts."""

    value: float
    sentence: str
