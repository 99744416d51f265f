"""What every report says of a run, as plain data; as JSON it is a report of its own.

No value holds a key: requests and answers come without it, `$LABS_API_KEY` or `$LABS_SECOND_API_KEY` stands in its place.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import orjson

from labs_mock import escapes
from labs_mock.conformance.exchanges import Sent
from labs_mock.conformance.verdicts import Outcome, Report, Verdict
from labs_mock.contract.clauses import BY_NAME, SECTIONS

OUTCOMES: Sequence[Outcome] = get_args(Outcome)
DIFFERS = "differs from our reading"
CONCLUSIONS = {  # whether what was judged holds, and whether all was judged that was planned
    (True, True): "It passed.",
    (True, False): "It is incomplete: what was judged holds.",
    (False, True): "It did not pass.",
    (False, False): "It did not pass, and it is incomplete.",
}
_ANSWER = 400  # characters of an answer


@dataclass(frozen=True, slots=True)
class Step:
    """A request as a line for a shell, and what came back: the status (0 if nothing did) and the beginning of the body."""

    curl: str
    status: int
    answer: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said of a part of a clause; `text` is that part.

    `expected`, `seen` and `steps` tell how it was violated, and are empty if it was not; `follows` names another clause that
    was violated, from which that follows. `reason` says why it was skipped.
    """

    clause: str
    section: str
    basis: Literal["documented", "inferred"]
    text: str
    outcome: Outcome
    judged: int
    reason: str
    expected: str = ""
    seen: str = ""
    steps: Sequence[Step] = ()
    follows: str = ""

    @property
    def violated(self) -> bool:
        """Whether it does not hold."""
        return self.outcome in ("failed", "differs")

    @property
    def finding(self) -> str:
        """The outcome in words, with what it follows from."""
        words = DIFFERS if self.outcome == "differs" else self.outcome
        return f"{words}, which follows from {self.follows}" if self.follows else words

    @property
    def story(self) -> str:
        """How it was violated, in lines: what was expected, what was seen, and the requests with their answers."""
        lines = [f"{self.clause} {self.finding}: {self.text}", f"expected: {self.expected}", f"seen: {self.seen}"]
        for step in self.steps:
            lines += [step.curl, f"  {step.status or 'no answer:'} {step.answer}"]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """A run. `seconds` include those `waited` for the rate limit; `counts` have a number for every outcome.

    `incomplete` says what was planned and not finished, a sentence for each reason. A run that is incomplete has not passed
    unless that was allowed.
    """

    url: str
    profile: str
    seed: int
    strict: bool
    allow_incomplete: bool
    passed: bool
    conclusion: str
    counts: dict[str, int]
    requests: int
    seconds: float
    waited: float
    errors: Sequence[str]
    incomplete: Sequence[str]
    clauses: Sequence[Entry]


def document(report: Report, *, strict: bool = False, allow_incomplete: bool = False) -> ReportDocument:
    """What is said of a run.

    With `strict`, it has passed only if nothing that is inferred differs; with `allow_incomplete`, also if it is incomplete.
    """
    counts = Counter(verdict.outcome for verdict in report.verdicts)
    holds, complete = report.holds(strict=strict), not report.incomplete
    return ReportDocument(
        printable(report.url),
        report.profile,
        report.seed,
        strict,
        allow_incomplete,
        holds and (complete or allow_incomplete),
        CONCLUSIONS[holds, complete],
        {outcome: counts[outcome] for outcome in OUTCOMES},
        report.requests,
        round(report.seconds, 3),
        round(report.waited, 3),
        [printable(error) for error in report.errors],
        [printable(why) for why in report.incomplete],
        [_entry(verdict) for verdict in report.verdicts],
    )


def as_json(told: ReportDocument) -> str:
    """The document as JSON, indented; the same bytes for equal runs, but for the two times."""
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def printable(text: str) -> str:
    """A text in which control characters, bidi controls and lone surrogates are escapes, whatever form the report has."""
    return escapes.printable(text, keep="\n\t")


def _entry(verdict: Verdict) -> Entry:
    part, violation = verdict.part, verdict.violation
    clause = BY_NAME[part.clause]
    entry = Entry(
        clause.name,
        SECTIONS[clause.section],
        "inferred" if part.inferred else "documented",
        clause.inferred if part.inferred else clause.documented,
        verdict.outcome,
        verdict.judged,
        printable(verdict.reason),
    )
    if violation is None:
        return entry
    said = [printable(text) for text in (violation.expected, violation.seen)]
    steps = [Step(printable(sent.curl()), sent.status, _answer(sent)) for sent in violation.exchanges]
    return replace(entry, expected=said[0], seen=said[1], steps=steps, follows=violation.follows)


def _answer(sent: Sent) -> str:
    text = printable(sent.trouble or sent.answer.decode(errors="replace"))
    return text if len(text) <= _ANSWER else f"{text[:_ANSWER]}…"
