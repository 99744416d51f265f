"""What became of rewards: one table of labels, each with the functions that find out whether it explains what was used."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import labs_mock.testing.verdicts.reward_lists as lists
import labs_mock.testing.verdicts.reward_places as places
from labs_mock.testing.verdicts.reward_comparison import Arguments, RewardComparison


class Label(str):
    """A label with its arguments, which is the text of both: `Label("swapped", 3, 7)` is `"swapped(3, 7)"`."""

    name: str
    arguments: Arguments

    def __new__(cls, name: str, *arguments: int | float | str) -> Self:
        """The label of a name with these arguments."""
        shown = [f"{one:.4g}" if isinstance(one, float) else str(one) for one in arguments]
        label = super().__new__(cls, f"{name}({', '.join(shown)})" if shown else name)
        label.name, label.arguments = name, arguments
        return label

    def __getnewargs__(self) -> tuple[int | float | str, ...]:  # type: ignore[override]
        return self.name, *self.arguments


class LabelRule(NamedTuple):
    """A label: what it means, what usually causes it, and the function that finds out whether it explains rewards.

    `places` explains some places, each by itself; `whole` explains all of them together. Either returns the arguments of the label,
    or None if it does not explain them. Places are those that are not as expected.
    """

    name: str
    meaning: str
    cause: str
    places: Callable[[RewardComparison, Sequence[int]], Arguments | None] | None = None
    whole: Callable[[RewardComparison], Arguments | None] | None = None

    def label_of_all(self, compared: RewardComparison) -> Label | None:
        """The label, if it explains all places."""
        if self.whole is not None:
            return self._label(self.whole(compared))
        return self.label_of(compared, compared.different)

    def label_of(self, compared: RewardComparison, places: Sequence[int]) -> Label | None:
        """The label, if it explains each of some places by itself."""
        return None if self.places is None else self._label(self.places(compared, places))

    def _label(self, arguments: Arguments | None) -> Label | None:
        return None if arguments is None else Label(self.name, *arguments)


MIXED = LabelRule(
    "mixed",
    "no label explains all places; each has its own",
    "several of these mistakes at once",
)

LABELS = (
    LabelRule(
        "missing",
        "there are fewer rewards than conversations",
        "a result that was left out: an item of a batch without one, a filter, an exception that was swallowed",
        whole=lists.missing,
    ),
    LabelRule(
        "extra",
        "there are more rewards than conversations",
        "the answers to a request and to its retry both counted, or the rewards of all turns in one list",
        whole=lists.extra,
    ),
    LabelRule("in_place", "every reward is that of its conversation", "a sound client", whole=lists.in_place),
    LabelRule(
        "nan",
        "there is None or NaN where there is a reward",
        "a request that failed, marked as such: sound if the trainer leaves that rollout out of all statistics",
        places=places.each(places.is_nan),
    ),
    LabelRule(
        "failure_became_zero",
        "a request was refused, failed or cut, and 0 was used",
        "`except …: return 0.0`, or `.get('reward', 0.0)` on the body of an error; raise, or give None and leave the rollout out",
        places=places.each(places.is_zero_for_failure),
    ),
    LabelRule(
        "became_zero",
        "0 was used where there is another reward",
        "an episode without `score_turns`, a default of 0.0 for a field that is not there, or a tensor that was never filled",
        places=places.each(places.is_zero),
    ),
    LabelRule(
        "broadcast",
        "the reward of one conversation was used for all",
        "only the first result was read, or a function that closes over the variable of a loop",
        whole=lists.broadcast,
    ),
    LabelRule(
        "lossy",
        "the rewards were rounded to float16 or bfloat16",
        "rewards in the dtype of the model; keep them in float32",
        places=places.lossy,
    ),
    LabelRule(
        "summed_over_turns",
        "the rewards of all turns were added up",
        "`total += reward` in the loop of an episode; each reward judges the conversation so far, so the last one is the reward",
        places=places.each(places.is_sum),
    ),
    LabelRule(
        "last_but_one_turn",
        "the reward is that before the last turn",
        "a loop that ends before it submits the last message",
        places=places.each(places.is_last_but_one),
    ),
    LabelRule(
        "swapped",
        "two rewards changed places",
        "a race for two places, or an index that was computed twice",
        whole=lists.swapped,
    ),
    LabelRule(
        "reversed",
        "the rewards are in reverse order",
        "`pop()` from a list of results, or results of a batch in another order than its items: read them by `id`",
        whole=lists.is_reversed,
    ),
    LabelRule(
        "shifted",
        "each conversation has the reward of one that stands so many places before it",
        "a late reply taken for the reply to the next request, an index that is one off, or a result left out and the list filled up",
        whole=lists.shifted,
    ),
    LabelRule(
        "sorted",
        "the rewards are in the order of another quantity",
        "conversations that were sorted, by length for less padding, and rewards that were not put back",
        whole=lists.in_sorted_order,
    ),
    LabelRule(
        "permuted",
        "the rewards are all there, in another order",
        "results that were appended as they completed, not stored by their index",
        whole=lists.permuted,
    ),
    LabelRule(
        "rescaled",
        "the rewards were multiplied and moved",
        "normalised rewards (mean and deviation, least and greatest, a baseline) where raw ones are meant",
        whole=lists.rescaled,
    ),
    LabelRule(
        "other_conversation",
        "the server gave that reward, but not for this conversation",
        "a cache by prompt, a reward of the last step or of an earlier turn, or another scenario or other weights",
        places=places.each(places.is_served),
    ),
    LabelRule(
        "not_served",
        "the server never gave that reward",
        "a value that was clipped, rounded, mixed with another reward, or made up",
        places=places.each(places.is_not_served),
    ),
)
"""In the order in which they are tried; the first that explains all places is the label."""

OF_LENGTH = LABELS[:2]
