"""Rewards that were used beside those that are expected."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from labs_mock.contract.control import ExpectedReward
from labs_mock.testing.verdicts.expected_rewards import ServedReward
from labs_mock.testing.verdicts.float_values import float32, same

Arguments = tuple[int | float | str, ...]
"""What a label says beside its name, such as which places were swapped."""


@dataclass(frozen=True)
class RewardComparison:
    """Rewards that were used, beside what was expected; all of them float32.

    `expected` and `used` have NaN where there is none. `lengths` are orders by which conversations may have been sorted:
    for each name a number a conversation. `groups` are the numbers of the rollouts in each. `read_served` gives the rewards of the
    log; it is called once, if that is needed.
    """

    rewards: Sequence[ExpectedReward]
    used: Sequence[float]
    lengths: Mapping[str, Sequence[int]]
    groups: Sequence[Sequence[int]]
    read_served: Callable[[], Mapping[float, ServedReward]]

    @cached_property
    def expected(self) -> list[float]:
        """The expected rewards."""
        return [float("nan") if one.reward is None else float32(one.reward) for one in self.rewards]

    @cached_property
    def different(self) -> list[int]:
        """The places that are not as expected, of as many as both have."""
        pairs = enumerate(zip(self.expected, self.used, strict=False))
        return [place for place, (expected, used) in pairs if not same(expected, used)]

    @cached_property
    def served(self) -> Mapping[float, ServedReward]:
        """The rewards that the server gave."""
        return self.read_served()
