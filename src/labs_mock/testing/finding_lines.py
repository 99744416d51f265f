"""A finding in a line for a person."""

from collections.abc import Mapping, Sequence
from typing import Any

from labs_mock.contract.control import FindingInfo

MAX_NUMBERS = 8  # of requests that a line shows


def finding_line(finding: FindingInfo, requests: Mapping[int, Mapping[str, Any]]) -> str:
    """The last of its requests, the numbers of all if there are several, and what it is; `requests` are summaries by number."""
    last = requests[finding.requests[-1]]
    delivery = f" ({', '.join(last['delivery'])})" if last["delivery"] else ""
    numbers = f", requests {numbers_text(finding.requests)}" if len(finding.requests) > 1 else ""
    return f"{last['method']} {last['path']} -> {last['status']}{delivery}{numbers}: {finding}"


def numbers_text(numbers: Sequence[int]) -> str:
    """`3, 4 and 5`, or the first eight and how many more there are."""
    shown, more = [str(number) for number in numbers[:MAX_NUMBERS]], len(numbers) - MAX_NUMBERS
    *others, last = [*shown, f"{more:,} more"] if more > 0 else shown
    return f"{', '.join(others)} and {last}" if others else last
