"""Assertions on the journal, with messages that show what comes nearest."""

import json
from typing import Any

from labs_mock.contract.control import FindingInfo, Json
from labs_mock.testing.finding_lines import finding_line
from labs_mock.testing.recorded import RecordedRequest

MAX_SHOWN = 200  # characters of a body


class UndecidableError(AssertionError):
    """An assertion depends on something that the server no longer has: it neither holds nor fails."""


def check_requested(verification: Json, method: str, times: int | None) -> list[RecordedRequest]:
    """The requests that a verification found.

    Raises `AssertionError` if they are not as many as expected, and `UndecidableError` where what was dropped could decide.
    """
    __tracebackhide__ = True
    found = [RecordedRequest.from_record(record) for record in verification["requests"]]
    if verification["verdict"] == "met":
        return found
    expected = verification["expected"]  # in which no key can be read
    wanted = "at least once" if times is None else _times(times)
    lines = [f"expected {method.upper()} {expected['path']} {wanted}, and it was made {_times(len(found))}"]
    lines += [f"  with a body that has {_short(expected['json'])}"] if expected["json"] is not None else []
    lines += ["nearest misses:"] * bool(verification["nearest"])
    for near in verification["nearest"]:
        request, place = RecordedRequest.from_record(near["request"]), near["differs_at"]
        lines.append(f"  {request}{'' if place is None else f', differs at {place}:'} {_short(request.json)}")
    if verification["verdict"] == "undecidable":
        raise UndecidableError("\n".join([_undecidable(verification), *lines]))
    raise AssertionError("\n".join(lines))


def check_no_findings(found: Json, severity: str) -> None:
    """Raises `AssertionError` that lists the findings of a severity, if there are any.

    Infos over the run are none of them: in the middle of a test its episodes are unfinished, as they should be.
    """
    __tracebackhide__ = True
    requests = {request["number"]: request for request in found["requests"]}
    findings = [FindingInfo.from_json(one) for one in found["findings"]]
    chosen = [one for one in findings if severity == "warning" or not one.over_run]
    lines = [f"  {finding_line(one, requests)}" for one in chosen]
    dropped = found["dropped_findings"].get(severity, 0)
    count = len(lines) + dropped
    lines += [f"  and {dropped} in requests that the journal has dropped"] * bool(dropped)
    if lines:
        raise AssertionError("\n".join([f"findings of severity {severity}: {count}", *lines]))


def oldest_dropped(number: int, what: str) -> str:
    """A sentence on how many things were dropped."""
    return f"the oldest {what} was dropped" if number == 1 else f"the oldest {number:,} {what}s were dropped"


def _undecidable(verification: Json) -> str:
    """What was dropped that could decide."""
    bodies, requests = verification["bodies_dropped"], verification["requests_dropped"]
    parts = [oldest_dropped(requests, "request")] if requests else []
    if bodies:
        more = f" and of {len(bodies) - 1:,} more" if len(bodies) > 1 else ""
        parts.append(f"the body of request {bodies[0]}{more} was dropped")
    return f"undecidable: {', and '.join(parts)}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
