"""What a scorer returns."""

from typing import NamedTuple


class Score(NamedTuple):
    """A value in [0, 1], and a sentence that speaks of results and turns, never of criteria texts."""

    value: float
    sentence: str
