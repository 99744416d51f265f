"""The seven dimensions of a reward, in the order in which they are always listed (RC-1)."""

from typing import Literal, get_args

Dimension = Literal[
    "success_metrics",
    "failure_metrics",
    "best_practices",
    "rubrics",
    "discovery",
    "output_similarity",
    "decision_match",
]

DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)


def default_name(dimension: Dimension) -> str:
    """The score name of a dimension that a scenario does not name, for instance `D1_SuccessMetrics`."""
    words = "".join(word.capitalize() for word in dimension.split("_"))
    return f"D{DIMENSIONS.index(dimension) + 1}_{words}"
