"""What scoring results in: a score, the gate, the whole assessment, and the rows that explain it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from labs_mock.contract.dimensions import Dimension

PLACES = 6


class Score(NamedTuple):
    """A value in [0, 1], rounded to 6 places, and a sentence about results and turns, never about criteria (NEVER-1)."""

    value: float
    sentence: str


class Gate(NamedTuple):
    """The factor in [0, 1], and which kinds of violation occurred."""

    factor: float
    violations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """A reward and how it came about.

    `skips_gate` is whether the request left the gate out (RC-3). `results` has the dimensions that ran; `scores` and `breakdown` have the same by the scenario's names (RC-2).
    `earned` is whether what the scenario requires has held at some turn (RC-6), `critical` whether a critical failure
    holds where failure metrics run; the reward is 0 without the one as with the other.
    """

    reward: float
    results: Mapping[Dimension, Score]
    weights: Mapping[Dimension, float]
    gate: Gate
    skips_gate: bool
    earned: bool
    critical: bool
    names: Mapping[Dimension, str]
    scores: Mapping[str, float]
    breakdown: Mapping[str, str]


class ExplainedRule(NamedTuple):
    """One criterion: its dimension or part of the scoring, its id, the turns that it matches, and its result in words."""

    part: str
    id: str
    turns: tuple[int, ...]
    result: str
