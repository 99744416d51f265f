"""What a run finds out about every part of every clause."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from labs_mock.conformance.http_response import Response, printable
from labs_mock.conformance.violations import Violation
from labs_mock.contract.clauses import PARTS, Part, part_of

Outcome = Literal["passed", "failed", "differs", "skipped"]
"""`differs` is a failure of an inferred part: the server differs from our reading."""

DIFFERS = "differs from our reading"

UNSEEN = {
    "GEN-2": "the inferred part is about the mock, not the service",
    "EP-14": "the absence of a call cannot be seen",
    "RL-2": "a plan of few requests a minute would be needed",
    "DS-7": "how many polls or seconds a stage lasts cannot be seen",
    "RC-6": "why a service gives a reward of 0 cannot be seen",
    "DET-1": "about the mock, not the service",
    "DET-2": "about the mock, not the service",
    "DET-3": "about the mock, not the service",
}
"""Clauses that no check can see from outside, and why."""

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
"""Clauses that are checked by comparing responses, which no server can keep whose responses change by themselves (EV-1)."""

_SHOWN = 400  # characters of what was seen


@dataclass(slots=True)
class PartVerdict:
    """What is known of a part of a clause: how often it was checked, and its smallest violation.

    `reason` says why it was skipped; `follows` names another clause that is violated, from which this violation follows.
    """

    part: Part
    checked: int = 0
    violation: Violation | None = None
    reason: str = ""
    follows: str = ""

    @property
    def outcome(self) -> Outcome:
        """A part that was never checked is skipped, never passed."""
        if self.violation is not None:
            return "differs" if self.part.inferred else "failed"
        return "passed" if self.checked else "skipped"

    @property
    def finding(self) -> str:
        """The outcome in words, with what it follows from."""
        words = DIFFERS if self.outcome == "differs" else self.outcome
        return f"{words}, which follows from {self.follows}" if self.follows else words

    @property
    def story(self) -> str:
        """How it was violated, in lines: what was expected, what was seen, and the requests with their responses."""
        lines = [f"{self.part.clause} {self.finding}: {self.part.text}"]
        if self.violation is not None:
            lines += [f"expected: {self.violation.expected}", f"seen: {self.violation.seen}"]
            for response in self.violation.responses:
                lines += [printable(response.curl()), f"  {response.status or 'no response:'} {response.excerpt}"]
        return "\n".join(lines)


class Verdicts:
    """The verdicts of a run, by part, while it lasts.

    `closed` are parts that have failed before: they are checked and counted, but no longer end an example, so that one
    failure hides nothing else.
    """

    def __init__(self) -> None:
        self.by_part = {part: PartVerdict(part) for part in PARTS}
        self.closed: set[Part] = set()
        self.responses: list[Response] = []  # of the present example
        self.broken = False  # whether anything did not hold in it
        self.unsteady = False  # whether equal evaluations had different responses (EV-1)
        self.rewarded = False  # whether any reward was above 0

    @property
    def violated(self) -> dict[Part, Violation]:
        """The smallest violation of each part that does not hold, in the order of the contract."""
        return {part: verdict.violation for part, verdict in self.by_part.items() if verdict.violation is not None}

    def begin_example(self) -> None:
        """Forget the responses of the former example."""
        self.responses = []
        self.broken = False

    def close_violated(self) -> bool:
        """Close what has failed so far; whether that is anything new."""
        before = len(self.closed)
        self.closed |= set(self.violated)
        return len(self.closed) > before

    def expect(  # noqa: PLR0913, PLR0917 - all that a verdict needs, in the order in which it reads
        self,
        clause: str,
        holds: bool,
        expected: Any,
        seen: Any,
        inferred: bool | None = None,
        responses: Sequence[Response] | None = None,
    ) -> None:
        """Check a part of a clause once. Raises `Violation` where it does not hold, but for what is closed.

        `inferred` is needed for a clause that is D/I. `responses` are those that show it, by default all of the example.
        """
        part = part_of(clause, inferred)
        verdict = self.by_part[part]
        verdict.checked += 1
        if holds:
            return
        self.broken = True
        shown_by = tuple(self.responses if responses is None else responses)
        violation = Violation(part, shown(expected), shown(seen), shown_by)
        if verdict.violation is None or violation.size < verdict.violation.size:
            verdict.violation = violation
        if part not in self.closed:
            raise violation

    def finished(self, reasons: Mapping[str, Sequence[str]], unfinished: str = "") -> list[PartVerdict]:
        """The verdicts at the end of a run, in the order of the contract.

        `reasons` are those that checks of a clause gave for not checking it, `unfinished` is why checks were not reached.
        """
        otherwise = f"not reached: {unfinished}" if unfinished else "no response of this run shows it"
        for part, verdict in self.by_part.items():
            why = "; ".join(dict.fromkeys(reasons.get(part.clause, ())))
            unseen = "" if why and part.inferred else UNSEEN.get(part.clause)
            if verdict.outcome == "skipped":
                verdict.reason = printable(unseen or why or otherwise)
            if verdict.violation is not None and self.unsteady and part.clause in COMPARED:
                verdict.follows = "EV-1"
        return list(self.by_part.values())


def shown(value: Any) -> str:
    """A value as a report shows it, as JSON unless it is text, and not all of it where it is long."""
    text = printable(value if isinstance(value, str) else quoted(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def quoted(value: Any) -> str:
    """A value as JSON; bytes as text, in which what is no UTF-8 stands as escapes."""
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace") or "of 0 bytes"
    return json.dumps(value, ensure_ascii=False, default=_jsonable)


def _jsonable(value: Any) -> Any:
    """What stands in JSON for a value that it has no type for."""
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return quoted(value) if isinstance(value, bytes) else str(value)
