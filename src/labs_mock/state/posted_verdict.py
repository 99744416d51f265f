"""A verdict on rewards, as the process that came to it has posted it."""

from typing import NamedTuple


class PostedVerdict(NamedTuple):
    """What became of rewards: the label that explains them and the text that says so at length; `posted` in unix seconds on the clock."""

    posted: float
    label: str
    text: str
