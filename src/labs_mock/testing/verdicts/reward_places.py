"""What may have become of single rewards: functions of a comparison and places that are not as expected."""

from collections.abc import Callable, Sequence
from math import fsum, isclose, isnan

from labs_mock.testing.verdicts.float_values import bfloat16, float16, float32
from labs_mock.testing.verdicts.reward_comparison import Arguments, RewardComparison

ROUNDED = {"float16": float16, "bfloat16": bfloat16}


def each(
    holds: Callable[[RewardComparison, int], bool],
) -> Callable[[RewardComparison, Sequence[int]], Arguments | None]:
    """No arguments if something holds at each of some places, None if it does not."""

    def explain(compared: RewardComparison, places: Sequence[int]) -> Arguments | None:
        return () if all(holds(compared, place) for place in places) else None

    return explain


def lossy(compared: RewardComparison, places: Sequence[int]) -> Arguments | None:
    """The precision in which the used rewards of some places are the expected ones."""
    for name, rounded in ROUNDED.items():
        if all(rounded(compared.expected[place]) == compared.used[place] for place in places):
            return (name,)
    return None


def is_nan(compared: RewardComparison, place: int) -> bool:
    """Whether no reward was used."""
    return isnan(compared.used[place])


def is_zero(compared: RewardComparison, place: int) -> bool:
    """Whether 0 was used."""
    return compared.used[place] == 0


def is_zero_for_failure(compared: RewardComparison, place: int) -> bool:
    """Whether 0 was used, and a request failed or the conversation is one that the server refuses."""
    reward = compared.rewards[place]
    return is_zero(compared, place) and bool(reward.failed_requests or reward.error)


def is_sum(compared: RewardComparison, place: int) -> bool:
    """Whether it is the sum over several turns, as near as sums of float32 come in whichever order they are made."""
    turns = compared.rewards[place].rewards_by_turn
    return len(turns) > 1 and isclose(fsum(turns), compared.used[place], rel_tol=1e-5)


def is_last_but_one(compared: RewardComparison, place: int) -> bool:
    """Whether it is the reward before the last turn: before the first one there is none, or 0."""
    turns = compared.rewards[place].rewards_by_turn
    if len(turns) > 1:
        return float32(turns[-2]) == compared.used[place]
    return is_zero(compared, place) or is_nan(compared, place)


def is_served(compared: RewardComparison, place: int) -> bool:
    """Whether the server gave it for anything."""
    return compared.used[place] in compared.served


def is_not_served(compared: RewardComparison, place: int) -> bool:
    """Whether it is a reward that the server never gave."""
    return not is_nan(compared, place) and not is_served(compared, place)
