"""What a run says of every part of every clause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from labs_mock.conformance.judgements import Judgements
from labs_mock.conformance.violations import Part, Violation
from labs_mock.contract.clauses import CLAUSES

Outcome = Literal["passed", "failed", "differs", "skipped"]
"""`differs` is a failure of an inferred part: the server differs from our reading."""

UNSEEN = {
    "AUTH-2": "a second key without a subscription would be needed",
    "EP-14": "the absence of a call cannot be seen",
    "RL-2": "a plan of few requests a minute would be needed",
    "DS-7": "how many polls or seconds a stage lasts cannot be seen",
    "EP-16": "its check is being written",
    "RC-6": "its check is being written",
    "DET-1": "of the mock, not of the service",
    "DET-2": "of the mock, not of the service",
    "DET-3": "of the mock, not of the service",
}
"""Clauses that no check can judge from outside with one key, and why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run says of a part of a clause: how often it was judged, why it was skipped, or how it was violated."""

    part: Part
    outcome: Outcome
    judged: int
    reason: str = ""
    violation: Violation | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run; `errors` are checks that could not be completed, with the reason. `seconds` include `waited`."""

    url: str
    profile: str
    seed: int
    verdicts: Sequence[Verdict]
    errors: Sequence[str]
    requests: int
    seconds: float
    waited: float

    def passed(self, *, strict: bool = False) -> bool:
        """Whether nothing failed; with `strict`, nothing that is inferred differs either."""
        bad = {"failed", "differs"} if strict else {"failed"}
        return not self.errors and all(verdict.outcome not in bad for verdict in self.verdicts)

    def failed(self) -> list[str]:
        """The names of clauses that do not hold, those that differ among them, in the order of the contract."""
        bad = (verdict.part.clause for verdict in self.verdicts if verdict.outcome in ("failed", "differs"))
        return list(dict.fromkeys(bad))


def verdicts(judgements: Judgements, reasons: Mapping[str, Sequence[str]]) -> list[Verdict]:
    """A verdict for every part of every clause; one that was never judged is skipped, never passed.

    `reasons` are those that checks of a clause gave for not judging it.
    """
    found = []
    for clause in CLAUSES:
        why = "; ".join(dict.fromkeys(reasons.get(clause.name, ()))) or UNSEEN.get(clause.name, "no check judges it")
        parts = ((False, clause.documented), (True, clause.inferred))
        found += [_verdict(judgements, Part(clause.name, inferred), why) for inferred, text in parts if text]
    return found


def _verdict(judgements: Judgements, part: Part, why: str) -> Verdict:
    count, violation = judgements.counts[part], judgements.violations.get(part)
    if violation is not None:
        return Verdict(part, "differs" if part.inferred else "failed", count, violation=violation)
    return Verdict(part, "passed", count) if count else Verdict(part, "skipped", 0, why)
