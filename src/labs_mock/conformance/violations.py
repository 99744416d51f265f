"""What ends an example or a check: a clause that does not hold, or a reason to stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from unittest import SkipTest

from labs_mock.conformance.http_response import Response
from labs_mock.contract.clauses import Part
from labs_mock.errors import LabsMockError


@dataclass(eq=False)
class Violation(AssertionError):
    """A part of a clause that does not hold: what was expected, what was seen, and the responses that show it."""

    part: Part
    expected: str
    seen: str
    responses: Sequence[Response]

    def __str__(self) -> str:
        return f"{self.part.clause}: expected {self.expected}; seen: {self.seen}"

    @property
    def size(self) -> tuple[int, int]:
        """Requests, then characters: of several violations the smallest one is reported."""
        return len(self.responses), sum(response.request_size for response in self.responses)


class CannotRun(LabsMockError):
    """The run cannot take place: the server does not know a key, or lacks what an option names."""


class Skip(SkipTest):
    """The server does not offer what a check needs; the message is the reason. Hypothesis passes it on at once."""

    @property
    def reason(self) -> str:
        """Why a clause was not checked."""
        return str(self)


class OutOfBudget(Skip):
    """No request is left for this check, which leaves the run incomplete."""

    @property
    def reason(self) -> str:
        """Why a clause was not checked."""
        return f"not reached: {self}"


class StopShrinking(Skip):
    """A failure was shrunk for long enough; its smallest form so far is kept."""


class UnusableResponse(Exception):
    """A response that was checked already, and that the example cannot go on with."""


UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What reading a wrong response raises."""
