"""The report on a test's requests: findings that fail it though it passed, and the last requests of one that failed."""

from collections.abc import Iterable, Mapping

from labs_mock.contract.control import FindingInfo
from labs_mock.escapes import printable
from labs_mock.http.control.findings import recorded, shown_finding
from labs_mock.http.control.journal import records_of, redactor_of, shown, summary_of
from labs_mock.http.control.run_findings import RunFinding, all_findings
from labs_mock.state import World
from labs_mock.state.record import Record
from labs_mock.testing.finding_lines import finding_line
from labs_mock.testing.recorded import RecordedRequest

NEWEST = 10  # requests that the report of a failed test shows


async def warnings_in(world: World) -> list[str]:
    """The findings that are warnings, each in a line with its requests."""
    counts = await world.store.journal_counts()
    dropped = dict(counts.dropped_findings).get("warning", 0)
    records = await recorded(world, counts)
    found = [finding for finding in all_findings(list(records.values())) if finding.severity == "warning"]
    lines = [_line(world, records, finding) for finding in found]
    return [*[f"{dropped} in requests that the journal has dropped"] * bool(dropped), *lines]


async def summary(world: World) -> str:
    """The newest requests, oldest first, with their rewards, faults, findings and errors."""
    counts = await world.store.journal_counts()
    made = counts.last
    records = [record async for record in records_of(world, counts, made - NEWEST)]
    lines = [f"requests: {made}" + (f", of which the last {NEWEST} are" if made > NEWEST else "")]
    for request in _recorded(world, records):
        rewards = (
            f"  reward {', '.join('none' if one is None else str(one) for one in request.rewards)}"
            if request.rewards
            else ""
        )
        faults = f"  faults {', '.join(request.faults)}" if request.faults else ""
        lines += [f"{request}{rewards}{faults}", *(f"    {finding}" for finding in request.findings)]
        lines += [f"    {request.response['message']}"] if request.status >= 400 and _has_message(request) else []
    return printable("\n".join(lines))


def _recorded(world: World, records: Iterable[Record]) -> list[RecordedRequest]:
    return [RecordedRequest.from_record(shown(record, world)) for record in records]


def _line(world: World, records: Mapping[int, Record], finding: RunFinding) -> str:
    last = records[finding.requests[-1]]
    requests = {last.number: summary_of(last, redactor_of(last, world))}
    return printable(finding_line(FindingInfo.from_json(shown_finding(finding, last, world)), requests))


def _has_message(request: RecordedRequest) -> bool:
    return isinstance(request.response, dict) and "message" in request.response
