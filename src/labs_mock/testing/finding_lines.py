"""Findings in lines for a person."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labs_mock.contract.control import FindingInfo

MAX_NUMBERS = 8  # of requests that a line shows


def finding_line(finding: FindingInfo, requests: Mapping[int, Mapping[str, Any]]) -> str:
    """The last of its requests, the numbers of all if there are several, and what it is; `requests` are summaries by number."""
    numbers = f", {numbers_text(finding.requests)}" if len(finding.requests) > 1 else ""
    return f"{_request(requests[finding.requests[-1]])}{numbers}: {finding}"


def proof_lines(findings: Iterable[FindingInfo], requests: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """The requests that prove the findings of one code; single ones that are alike share a line."""
    alike: dict[tuple[str, int | None], list[int]] = {}
    for finding in findings:
        place, hint = finding.place and f" at {finding.place}", finding.hint and f": {finding.hint}"
        text = f"{_request(requests[finding.requests[-1]])}{place}{hint}"
        alike.setdefault((text, finding.requests[0] if finding.over_run else None), []).extend(finding.requests)
    return [f"{numbers_text(numbers)}: {text}" for (text, _), numbers in alike.items()]


def _request(summary: Mapping[str, Any]) -> str:
    delivery = f" ({', '.join(summary['delivery'])})" if summary["delivery"] else ""
    return f"{summary['method']} {summary['path']} -> {summary['status']}{delivery}"


def numbers_text(numbers: Sequence[int]) -> str:
    """`request 3`, `requests 3, 4 and 5`, or the first eight and how many more there are."""
    if len(numbers) == 1:
        return f"request {numbers[0]}"
    shown, more = [str(number) for number in numbers[:MAX_NUMBERS]], len(numbers) - MAX_NUMBERS
    *others, last = [*shown, f"{more:,} more"] if more > 0 else shown
    return f"requests {', '.join(others)} and {last}"
