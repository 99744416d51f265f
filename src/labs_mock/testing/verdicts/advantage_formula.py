"""Group-relative advantages: rewards minus a baseline of their group, divided by a standard deviation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from typing import Literal, NamedTuple

Scale = Literal["group", "batch", "centred batch"] | None
Baseline = Literal["mean", "others", "none"]

UNIT = 2.0**-24  # of the rounding of a float32, relative to it
MOST_ROUNDING = 0.1  # where rounding decides more than that, the formula is at fault


class Advantage(NamedTuple):
    """The advantage of a rollout by its number, and how far one that is computed with float32 may be from it."""

    rollout: int
    value: float
    rounding: float


@dataclass(frozen=True)
class AdvantageFormula:
    """How rewards become advantages: `sign` · (reward - baseline) / (standard deviation + `eps`).

    `groups` are the numbers of the rollouts in each group. The baseline is the `mean` of the group, the mean of the `others` in it
    or `none`. The deviation is that of the rewards of the group or of the batch, or of all rewards minus their baselines; without
    `scale` there is no division. A group with no more rollouts than `ddof` has the deviation 0.
    """

    groups: Sequence[Sequence[int]]
    scale: Scale
    ddof: int
    eps: float
    baseline: Baseline = "mean"
    sign: int = 1

    def advantages(self, rewards: Sequence[float]) -> Iterator[Advantage]:
        """The advantages, group by group."""
        batch = self._batch_deviation(rewards)
        for group in self.groups:
            values = [rewards[rollout] for rollout in group]
            deviation = standard_deviation(values, self.ddof) if self.scale == "group" else batch
            divisor = 1.0 if self.scale is None else deviation + self.eps
            rounded = rounding_of(values)
            for rollout, centred in zip(group, self._centred(values), strict=True):
                value = self.sign * centred / divisor if divisor else 0.0
                rounding = rounded * (1 + abs(value)) / divisor if divisor else MOST_ROUNDING
                yield Advantage(rollout, value, min(rounding, MOST_ROUNDING))

    def fits(self, rewards: Sequence[float], advantages: Sequence[float], tolerance: float) -> bool:
        """Whether these are the advantages, but for a tolerance and rounding."""
        return all(is_near(one, advantages[one.rollout], tolerance) for one in self.advantages(rewards))

    def _centred(self, values: Sequence[float]) -> list[float]:
        count, total = len(values), fsum(values)
        if self.baseline == "none":
            return list(values)
        if self.baseline == "others":
            return [value - (total - value) / (count - 1) if count > 1 else 0.0 for value in values]
        return [value - total / count for value in values]

    def _batch_deviation(self, rewards: Sequence[float]) -> float:
        if self.scale == "batch":
            return standard_deviation(rewards, self.ddof)
        if self.scale == "centred batch":
            centred = [value for group in self.groups for value in self._centred([rewards[one] for one in group])]
            return standard_deviation(centred, self.ddof)
        return 0.0


def is_near(expected: Advantage, value: float, tolerance: float) -> bool:
    """Whether a value is that advantage; NaN is none."""
    return abs(value - expected.value) <= tolerance + expected.rounding


def rounding_of(values: Sequence[float]) -> float:
    """How far a difference to their mean that is computed with float32 may be from the exact one."""
    return (len(values) + 4) * UNIT * max(map(abs, values))


def standard_deviation(values: Sequence[float], ddof: int) -> float:
    """That of a population (`ddof` 0) or of a sample (1); 0 for so few that there is none."""
    count = len(values)
    if count <= ddof:
        return 0.0
    mean = fsum(values) / count
    return sqrt(fsum((value - mean) ** 2 for value in values) / (count - ddof))
