"""Groups of rollouts, such as those that were sampled from one prompt."""

from collections.abc import Iterable
from operator import index


def rollout_groups(groups: Iterable[Iterable[int]], count: int) -> list[list[int]]:
    """Groups as lists of the numbers of rollouts, from 0, each rollout in exactly one of them.

    Raises `ValueError` that names the rollout which is not.
    """
    found = [[index(number) for number in group] for group in groups]
    times = [0] * count
    for place, group in enumerate(found):
        for number in group:
            if not 0 <= number < count:
                raise ValueError(f"groups[{place}]: there is no rollout {number}; expected 0 to {count - 1}")
            times[number] += 1
    for number, often in enumerate(times):
        if often != 1:
            raise ValueError(f"groups: rollout {number} is in {often} groups; expected each of the {count} in one")
    return found
