"""The one table of the dimensions of a reward (RC-1), from which files, requests, scores and checks are derived."""

from typing import TYPE_CHECKING, Literal

DEFINED_BY = {
    "success_metrics": "criteria.success_metrics.*",
    "failure_metrics": "criteria.failure_metrics.*",
    "best_practices": "criteria.best_practices.*",
    "rubrics": "criteria.rubrics.*",
    "discovery": "state.*",
    "output_similarity": "criteria.outputs.*.exemplar",
    "decision_match": "criteria.outputs.*.expected",
}
"""Each dimension, and what in a scenario file defines it: a dotted path, in which `*` is any entry of a list (RC-5)."""

DIMENSIONS = tuple(DEFINED_BY)
"""In the order in which they are always listed."""

if TYPE_CHECKING:
    Dimension = str
else:  # a type that pydantic checks, made of the table
    Dimension = Literal[DIMENSIONS]


def default_name(dimension: Dimension) -> str:
    """The score name of a dimension that a scenario does not name, for instance `D1_SuccessMetrics`."""
    words = "".join(word.capitalize() for word in dimension.split("_"))
    return f"D{DIMENSIONS.index(dimension) + 1}_{words}"
