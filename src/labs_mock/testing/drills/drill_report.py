"""What a drill found: a row a case."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Rating = Literal["wrong", "good", "check", "skipped"]


@dataclass(frozen=True, slots=True)
class DrillRow:
    """How a function did in a case: its rating with the reason, what the function did in short, and its retries.

    `retries` counts how often the request that was repeated most was sent again, and `waits` has the seconds of the server's clock
    before each of these. The rating is `skipped` if no request met what the case is about.
    """

    case: str
    rating: Rating
    result: str
    reason: str
    retries: int
    waits: Sequence[float]

    def __str__(self) -> str:
        did = ", ".join(filter(None, [self.result, self.retried]))
        return f"{self.rating}: {self.case}, {did}{self.reason and f'; {self.reason}'}"

    @property
    def retried(self) -> str:
        """How often and after how long it retried, such as `2 retries after 1.0, 2.0 s`; empty if it did not."""
        if not self.retries:
            return ""
        waits = ", ".join(f"{seconds:.1f}" for seconds in self.waits[:SHOWN])
        more = " …" if self.retries > SHOWN else ""
        return f"{self.retries} {'retry' if self.retries == 1 else 'retries'} after {waits}{more} s"


SHOWN = 4  # waits


@dataclass(frozen=True, slots=True)
class DrillReport:
    """The result of a drill of a function (`module:function`): a row for each case, in the order of the table of cases."""

    function: str
    rows: Sequence[DrillRow]

    @property
    def passed(self) -> bool:
        """Whether no row is wrong."""
        return not self.rated("wrong")

    def rated(self, rating: Rating) -> list[DrillRow]:
        """The rows with a rating: `wrong`, `good`, `check` or `skipped`."""
        return [row for row in self.rows if row.rating == rating]

    def __str__(self) -> str:
        return "\n".join([f"drill of {self.function}", *map(str, self.rows)])
