"""The report of a run as JSON."""

from typing import Any

import orjson

from labs_mock.conformance.http_response import printable
from labs_mock.conformance.report import Report
from labs_mock.conformance.verdicts import PartVerdict


def as_json(report: Report) -> str:
    """The report, indented; the same bytes for equal runs, but for the two times."""
    document = {
        "url": report.url,
        "profile": report.profile,
        "seed": report.seed,
        "strict": report.strict,
        "allow_incomplete": report.allow_incomplete,
        "passed": report.passed,
        "conclusion": report.conclusion,
        "counts": report.counts,
        "requests": report.requests,
        "seconds": report.seconds,
        "waited": report.waited,
        "errors": report.errors,
        "incomplete": report.incomplete,
        "clauses": [_entry(verdict) for verdict in report.verdicts],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _entry(verdict: PartVerdict) -> dict[str, Any]:
    part, violation = verdict.part, verdict.violation
    return {
        "clause": part.clause,
        "section": part.section,
        "basis": part.basis,
        "text": part.text,
        "outcome": verdict.outcome,
        "checked": verdict.checked,
        "reason": verdict.reason,
        "expected": violation.expected if violation else "",
        "seen": violation.seen if violation else "",
        "steps": [
            {"curl": printable(one.curl()), "status": one.status, "response": one.excerpt}
            for one in (violation.responses if violation else ())
        ],
        "follows": verdict.follows,
    }
