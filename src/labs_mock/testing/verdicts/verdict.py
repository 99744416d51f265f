"""Verdicts: the rewards that a trainer used, compared with those that the server gives."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from math import isnan
from typing import Any

from labs_mock.contract.control import MAX_VERDICT
from labs_mock.testing.control_client import ControlClient, ControlError
from labs_mock.testing.verdicts.expected_rewards import (
    Conversation,
    conversation_lengths,
    expected_rewards,
    served_rewards,
)
from labs_mock.testing.verdicts.float_values import float_values
from labs_mock.testing.verdicts.groups import Groups, rollout_groups
from labs_mock.testing.verdicts.reward_comparison import RewardComparison
from labs_mock.testing.verdicts.reward_labels import LABELS, MIXED, OF_LENGTH, Label, LabelRule
from labs_mock.text import did_you_mean

SHOWN = 5  # places in a text


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of rewards between the server and where they were used; `text` says it at length.

    `label` is the first of the table of labels that explains all places, `also` has the others that do; where it is `mixed`, `places` has
    a label for each place. `identifiable` counts the places whose expected reward no other place has: only these can show that rewards
    changed places. `expected` has None for a conversation that the server refuses; `used` are float32, NaN where there was none.
    """

    label: Label
    also: tuple[Label, ...]
    places: tuple[Label, ...]
    identifiable: int
    expected: tuple[float | None, ...]
    used: tuple[float, ...]
    text: str = field(repr=False)

    def __str__(self) -> str:
        return self.text


def compare_rewards(
    control: ControlClient,
    used: Any,
    conversations: Iterable[Conversation],
    *,
    groups: Groups | None = None,
    **common: Any,
) -> RewardComparison:
    """Rewards that were used beside those that a server gives; `common` is what `expected_rewards` has for all conversations.

    Raises `TypeError` for what is no number, and `ValueError` for no conversation at all, or groups that are none.
    """
    listed = list(conversations)
    if not listed:
        raise ValueError("conversations: expected at least one; without any there is nothing to compare")
    return RewardComparison(
        expected_rewards(control, listed, **common),
        float_values(used),
        conversation_lengths(listed),
        () if groups is None else rollout_groups(groups, len(listed)),
        partial(served_rewards, control),
    )


def post_verdict(control: ControlClient, verdict: Verdict) -> None:
    """Let the server's inspector show a verdict; one that takes none, as a saved session does, goes without."""
    with suppress(ControlError):
        control.send("POST", "/verdicts", {"label": str(verdict.label)[:200], "text": verdict.text[:MAX_VERDICT]})


def judge(compared: RewardComparison) -> Verdict:
    """The verdict on a comparison of rewards of at least one conversation."""
    labels = list(_labels(compared)) or [Label(MIXED.name)]
    places = tuple(_place_labels(compared)) if labels[0].name == MIXED.name else ()
    values = Counter(value for value in compared.expected if not isnan(value))
    identifiable = sum(times == 1 for times in values.values())
    also = tuple(labels[1:])
    return Verdict(
        labels[0],
        also,
        places,
        identifiable,
        tuple(one.reward for one in compared.rewards),
        tuple(compared.used),
        "\n".join(_lines(compared, labels[0], also, places, identifiable)),
    )


def check_rewards(verdict: Verdict, allow: Collection[str]) -> None:
    """Raises `AssertionError` unless all rewards are in place, or are explained by a label that is allowed, place by place."""
    __tracebackhide__ = True
    known = [rule.name for rule in LABELS]
    for name in allow:
        if name not in known:
            raise ValueError(f"allow: unknown label {name!r}; {did_you_mean(name, known)}")
    found = {label.name for label in verdict.places or (verdict.label,)}
    if not found <= {"in_place", *allow}:
        raise AssertionError(str(verdict))


def _labels(compared: RewardComparison) -> Iterator[Label]:
    """Those that explain all places; where all are as expected, only `in_place`."""
    for rule in LABELS if len(compared.used) == len(compared.expected) else OF_LENGTH:
        label = rule.label_of_all(compared)
        if label is not None:
            yield label
            if rule.name == "in_place":
                return


def _place_labels(compared: RewardComparison) -> Iterator[Label]:
    """The first label of each place that explains it by itself."""
    different = set(compared.different)
    for place in range(len(compared.used)):
        labels = (rule.label_of(compared, [place]) for rule in LABELS)
        yield next(label for label in labels if label is not None) if place in different else Label("in_place")


# The text


def _lines(
    compared: RewardComparison, label: Label, also: Sequence[Label], places: Sequence[Label], identifiable: int
) -> Iterator[str]:
    rule = _rule(label)
    expected, used = len(compared.expected), len(compared.used)
    yield f"{label}: {rule.meaning}"
    counts = f"{expected} conversations" if expected == used else f"{expected} conversations and {used} rewards"
    yield f"  {counts}, {len(compared.different)} not as expected; identifiable: {identifiable} of {expected}"
    if label.name == "in_place":
        return
    shown = compared.different[:SHOWN] or [min(expected, used)]
    for place in shown:
        yield f"  place {place}: {f'{places[place]}: ' if places else ''}{_shown_place(compared, place)}"
    more = len(compared.different) - len(shown)
    if more > 0:
        yield f"  and {more:,} more"
    for name in dict.fromkeys(one.name for one in places or (label,)):
        if name != "in_place":
            yield f"usual cause{f' of {name}' if places else ''}: {_rule(Label(name)).cause}"
    if also:
        yield f"also fits: {', '.join(also)}"


def _shown_place(compared: RewardComparison, place: int) -> str:
    expected, used = (
        "nothing" if place >= len(side) else "none" if isnan(side[place]) else f"{side[place]:.7g}"
        for side in (compared.expected, compared.used)
    )
    return f"expected {expected}, used {used}{_note(compared, place)}"


def _note(compared: RewardComparison, place: int) -> str:
    """What the server knows of a place."""
    if place >= min(len(compared.expected), len(compared.used)):
        return ""
    reward, used = compared.rewards[place], compared.used[place]
    if reward.error is not None:
        return f" (refused: {reward.error})"
    if reward.failed_requests and (used == 0 or isnan(used)):
        return f" (request {reward.failed_requests[-1]} failed)"
    if used in compared.served and used != 0:
        served = compared.served[used]
        what = "other slugs or weights" if served.conversation == reward.conversation else "another conversation"
        return f" (request {served.request} got that for {what})"
    return ""


def _rule(label: Label) -> LabelRule:
    return next(rule for rule in (*LABELS, MIXED) if rule.name == label.name)
