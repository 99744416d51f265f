"""What may be wrong where advantages differ: other formulas, each a sentence and a change of the right one."""

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple

from labs_mock.testing.verdicts.advantage_formula import AdvantageFormula, Scale
from labs_mock.testing.verdicts.expected_rewards import NEEDED, Conversation

Partition = list[list[int]]

SCALES: dict[Scale, str] = {
    "group": "they are divided by the standard deviation of the group",
    "batch": "they are divided by the standard deviation of the batch",
    "centred batch": "they are divided by the standard deviation of the centred rewards of the batch",
    None: "they are not divided by a standard deviation",
}
EPS = (0.0, 1e-9, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3)


class Change(NamedTuple):
    """A field of the formula, another value of it, and what is wrong then."""

    field: str
    value: Any
    sentence: str


def mistake(
    formula: AdvantageFormula,
    rewards: Sequence[float],
    advantages: Sequence[float],
    tolerance: float,
    conversations: Sequence[Conversation],
) -> str | None:
    """What is probably wrong: the first change of the formula, or the first two at once, with which all advantages fit."""
    changes = list(_changes(formula, conversations))
    several = ((one, other) for one, other in combinations(changes, 2) if one.field != other.field)
    for made in (*((one,) for one in changes), *several):
        changed: AdvantageFormula = replace(formula, **{change.field: change.value for change in made})
        if changed.fits(rewards, advantages, tolerance):
            return ", and ".join(change.sentence for change in made)
    return None


def _changes(formula: AdvantageFormula, conversations: Sequence[Conversation]) -> Iterator[Change]:
    yield Change("ddof", 1 - formula.ddof, f"the standard deviation has ddof={1 - formula.ddof}")
    for scale, sentence in SCALES.items():
        if scale != formula.scale:
            yield Change("scale", scale, sentence)
    for groups, sentence in _other_groups(formula.groups, conversations):
        yield Change("groups", groups, f"means and deviations are {sentence}")
    yield Change("baseline", "none", "they are not centred: no mean is subtracted")
    yield Change(
        "baseline", "others", "they are centred on the mean of the other rollouts of the group (leave-one-out)"
    )
    yield Change("sign", -1, "their sign is turned")
    for eps in EPS:
        if eps != formula.eps:
            yield Change("eps", eps, f"eps={eps:g}")


def _other_groups(
    groups: Sequence[Sequence[int]], conversations: Sequence[Conversation]
) -> Iterator[tuple[Partition, str]]:
    """Other groups that trainers form, each only once."""
    count = len(conversations)
    candidates = [
        (_partition([0] * count), "of the whole batch"),
        (_partition([_prompt(one) for one in conversations]), "of rollouts with equal prompts, not of groups"),
    ]
    for size in range(2, count):
        if count % size == 0:
            candidates += [
                (_partition([rollout // size for rollout in range(count)]), f"of {size} neighbours at a time"),
                (_partition([rollout % size for rollout in range(count)]), f"of every {_ordinal(size)} rollout"),
            ]
    known = {_canonical(groups)}
    for candidate, sentence in candidates:
        if _canonical(candidate) not in known:
            known.add(_canonical(candidate))
            yield candidate, sentence


def _partition(labels: Iterable[Hashable]) -> Partition:
    found: dict[Hashable, list[int]] = {}
    for rollout, label in enumerate(labels):
        found.setdefault(label, []).append(rollout)
    return list(found.values())


def _canonical(groups: Iterable[Iterable[int]]) -> frozenset[frozenset[int]]:
    return frozenset(map(frozenset, groups))


def _prompt(conversation: Conversation) -> str:
    """What was there before the operator spoke, and where."""
    fields = conversation if isinstance(conversation, Mapping) else {"messages": conversation}
    roles = [message["role"] for message in fields["messages"]]
    end = roles.index("assistant") if "assistant" in roles else len(roles)
    return json.dumps([*map(fields.get, NEEDED), *fields["messages"][:end]], sort_keys=True, default=str)


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
