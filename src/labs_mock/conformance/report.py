"""The result of a run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from labs_mock.conformance.verdicts import Outcome, PartVerdict

OUTCOMES: Sequence[Outcome] = get_args(Outcome)
CONCLUSIONS = {  # whether what was checked holds, and whether all was checked that was planned
    (True, True): "It passed.",
    (True, False): "It is incomplete: what was checked holds.",
    (False, True): "It did not pass.",
    (False, False): "It did not pass, and it is incomplete.",
}


@dataclass(frozen=True, slots=True)
class Report:
    """A run; no value in it holds a key.

    `errors` are checks that broke off, each with the reason. `incomplete` says what was planned and not finished, a sentence
    for each reason. `seconds` include those `waited` for the rate limit. With `strict` it has passed only if nothing that is
    inferred differs, and if it is incomplete only with `allow_incomplete`.
    """

    url: str
    profile: str
    seed: int
    strict: bool
    allow_incomplete: bool
    requests: int
    seconds: float
    waited: float
    errors: Sequence[str]
    incomplete: Sequence[str]
    verdicts: Sequence[PartVerdict]

    @property
    def counts(self) -> dict[str, int]:
        """How many parts of clauses have each outcome."""
        counted = Counter(verdict.outcome for verdict in self.verdicts)
        return {outcome: counted[outcome] for outcome in OUTCOMES}

    @property
    def holds(self) -> bool:
        """Whether nothing failed of what was checked; if the run is strict, nothing that is inferred differs either."""
        bad = {"failed", "differs"} if self.strict else {"failed"}
        return not self.errors and all(verdict.outcome not in bad for verdict in self.verdicts)

    @property
    def passed(self) -> bool:
        """Whether all of it holds, and the run is complete or was allowed not to be."""
        return self.holds and (not self.incomplete or self.allow_incomplete)

    @property
    def conclusion(self) -> str:
        """A sentence."""
        return CONCLUSIONS[self.holds, not self.incomplete]

    @property
    def violated(self) -> list[PartVerdict]:
        """The verdicts on parts that do not hold, those that differ among them, in the order of the contract."""
        return [verdict for verdict in self.verdicts if verdict.violation is not None]
