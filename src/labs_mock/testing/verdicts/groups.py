"""Groups of rollouts, such as those that were sampled from one prompt."""

from collections.abc import Iterable, Sequence
from operator import index
from typing import Any

Groups = Iterable[Iterable[int]] | Iterable[int]
"""For each group the numbers of its rollouts, from 0, or for each rollout the number of its group."""


def rollout_groups(groups: Groups, count: int) -> list[list[int]]:
    """Groups as lists of the numbers of rollouts, from 0, each rollout in exactly one of them.

    Raises `TypeError` for groups that are no numbers, and `ValueError` that names the rollout which is in none or in several.
    """
    listed = [_plain(group) for group in groups]
    if not any(isinstance(group, list) for group in listed):
        return _by_label(listed, count)
    found = [[_number(number) for number in group] for group in listed]
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


def _by_label(labels: Sequence[Any], count: int) -> list[list[int]]:
    found: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        found.setdefault(_number(label), []).append(place)
    if len(labels) != count:
        raise ValueError(f"groups: expected a number for each of {count} rollouts, got {len(labels)}")
    return list(found.values())


def _plain(group: Any) -> Any:
    """A group of an array or a tensor, too, as a list; what is no group stays as it is."""
    if hasattr(group, "tolist"):
        return group.tolist()
    return list(group) if isinstance(group, Iterable) and not isinstance(group, str) else group


def _number(value: Any) -> int:
    try:
        return index(value)
    except TypeError:
        raise TypeError(
            f"groups: expected numbers, got {type(value).__name__}; a prompt names no group, since two may have the same"
        ) from None
