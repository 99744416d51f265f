"""Retries: requests that were sent again after a response that was an error or never arrived."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from labs_mock.errors import RateLimited
from labs_mock.testing.drills.happened import DrilledRequest


@dataclass(frozen=True, slots=True)
class Retry:
    """A request that was sent again `after` so many seconds; `former` is the attempt before it."""

    former: DrilledRequest
    request: DrilledRequest

    @property
    def after(self) -> float:
        """Seconds on the server's clock."""
        return self.request.received - self.former.received

    @property
    def is_futile(self) -> bool:
        """Whether the former response says that the same request will never do: a 4xx other than 429."""
        return 400 <= self.former.status < 500 and self.former.status != RateLimited.status

    @property
    def is_early(self) -> bool:
        """Whether it comes before the reset that the former response named; that has whole seconds."""
        return self.former.reset is not None and self.request.received < self.former.reset - 1


def retries_of(requests: Sequence[DrilledRequest]) -> list[list[Retry]]:
    """The retries of each request that was sent again, in order."""
    attempts: dict[str, list[DrilledRequest]] = {}
    for request in requests:
        attempts.setdefault(request.content, []).append(request)
    found = [[Retry(former, again) for former, again in pairwise(same) if former.failed] for same in attempts.values()]
    return [retries for retries in found if retries]
