"""What a run says of every part of every clause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from labs_mock.conformance.judgements import Judgements
from labs_mock.conformance.violations import Violation
from labs_mock.contract.clauses import CLAUSES, Part

Outcome = Literal["passed", "failed", "differs", "skipped"]
"""`differs` is a failure of an inferred part: the server differs from our reading."""

UNSEEN = {
    "EP-14": "the absence of a call cannot be seen",
    "RL-2": "a plan of few requests a minute would be needed",
    "DS-7": "how many polls or seconds a stage lasts cannot be seen",
    "RC-6": "why a service gives a reward of 0 cannot be seen",
    "DET-1": "of the mock, not of the service",
    "DET-2": "of the mock, not of the service",
    "DET-3": "of the mock, not of the service",
}
"""Clauses that no check can judge from outside, and why."""


COMPARED = (
    "GEN-4",
    "GEN-5",
    "GEN-6",
    "ID-1",
    "EP-7",
    "EP-8",
    "EP-12",
    "EP-15",
    "EV-2",
    "BAT-2",
    "BAT-3",
    "BAT-4",
    "CMP-1",
    "NORM-2",
    "RC-1",
    "RC-2",
    "RC-3",
    "RC-4",
    "RC-5",
    "RC-6",
    "TOK-3",
)
"""Clauses that are judged by comparing answers, which no server can keep whose answers change by themselves (EV-1)."""

UNREWARDED = (
    "no reward was above 0, so that nothing is known of what rewards depend on; "
    "give conversations that earn something with --conversations"
)


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
    """A whole run; `errors` are checks that failed themselves, with the reason. `seconds` include `waited`.

    `incomplete` says what was planned and not finished, and why; it is empty if the run is complete.
    """

    url: str
    profile: str
    seed: int
    verdicts: Sequence[Verdict]
    errors: Sequence[str]
    incomplete: Sequence[str]
    requests: int
    seconds: float
    waited: float

    def holds(self, *, strict: bool = False) -> bool:
        """Whether nothing failed of what was judged; with `strict`, nothing that is inferred differs either."""
        bad = {"failed", "differs"} if strict else {"failed"}
        return not self.errors and all(verdict.outcome not in bad for verdict in self.verdicts)

    def failed(self) -> list[str]:
        """The names of clauses that do not hold, those that differ among them, in the order of the contract."""
        bad = (verdict.part.clause for verdict in self.verdicts if verdict.outcome in ("failed", "differs"))
        return list(dict.fromkeys(bad))


def verdicts(judgements: Judgements, reasons: Mapping[str, Sequence[str]], unfinished: str = "") -> list[Verdict]:
    """A verdict for every part of every clause; one that was never judged is skipped, never passed.

    `reasons` are those that checks of a clause gave for not judging it, `unfinished` the reason why checks were not reached.
    """
    found = []
    otherwise = f"not reached: {unfinished}" if unfinished else "no answer of this run shows it"
    for clause in CLAUSES:
        why = "; ".join(dict.fromkeys(reasons.get(clause.name, ())))
        for inferred, text in ((False, clause.documented), (True, clause.inferred)):
            unseen = "" if why and inferred else UNSEEN.get(clause.name)
            if text:
                found.append(_verdict(judgements, Part(clause.name, inferred), unseen or why or otherwise))
    return found


def _verdict(judgements: Judgements, part: Part, why: str) -> Verdict:
    count, violation = judgements.counts[part], judgements.violations.get(part)
    if violation is not None:
        if judgements.unsteady and part.clause in COMPARED:
            violation = replace(violation, follows="EV-1")
        return Verdict(part, "differs" if part.inferred else "failed", count, violation=violation)
    return Verdict(part, "passed", count) if count else Verdict(part, "skipped", 0, why)
