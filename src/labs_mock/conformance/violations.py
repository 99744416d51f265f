"""What ends an example: a clause that does not hold, or a reason to stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from unittest import SkipTest

from labs_mock.conformance.exchanges import Sent
from labs_mock.contract.clauses import Part
from labs_mock.errors import LabsMockError


@dataclass(eq=False)
class Violation(AssertionError):
    """A part of a clause that does not hold: what was expected, what was seen, and the exchanges that led there."""

    part: Part
    expected: str
    seen: str
    exchanges: Sequence[Sent]
    follows: str = ""  # the clause that does not hold either, and whose violation is enough for this one

    def __str__(self) -> str:
        return f"{self.part.clause}: expected {self.expected}; seen: {self.seen}"

    @property
    def size(self) -> tuple[int, int]:
        """Requests, then characters: the smallest of several violations is the one to show."""
        return len(self.exchanges), sum(sent.size for sent in self.exchanges)


class Refused(LabsMockError):
    """What was asked cannot be done: the server does not know a key, or has not what is named."""


class Skip(SkipTest):
    """The server does not offer what a check needs; the message is the reason. Hypothesis passes it on at once."""

    @property
    def reason(self) -> str:
        """Why a clause was not judged."""
        return str(self)


class OutOfBudget(Skip):
    """No request is left for this check, which leaves the run incomplete."""

    @property
    def reason(self) -> str:
        """Why a clause was not judged."""
        return f"not reached: {self}"


class Enough(Skip):
    """A failure has been looked at long enough; its smallest form so far is remembered."""


class Unusable(Exception):
    """An answer that was judged already, and that the example cannot go on with."""


UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What reading a wrong answer raises."""
