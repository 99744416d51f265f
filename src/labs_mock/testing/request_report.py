"""The report on a test's requests: findings that fail it though it passed, and the last requests of one that failed."""

from collections.abc import Iterable

from labs_mock.contract.findings import Finding
from labs_mock.escapes import printable
from labs_mock.http.control.journal import records_of, shown
from labs_mock.state import World
from labs_mock.state.record import Record
from labs_mock.testing.recorded import RecordedRequest

NEWEST = 10  # requests that the report of a failed test shows


async def warnings_in(world: World) -> list[str]:
    """The findings that are warnings, each in a line with its request."""
    counts = await world.store.journal_counts()
    dropped = dict(counts.dropped_findings).get("warning", 0)
    records = [record async for record in records_of(world, counts) if any(map(_warns, record.findings))]
    return [
        *[f"{dropped} in requests that the journal has dropped"] * bool(dropped),
        *(
            printable(f"{request}: {finding}")
            for request in _recorded(world, records)
            for finding in request.findings
            if finding.severity == "warning"
        ),
    ]


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


def _warns(finding: Finding) -> bool:
    return finding.severity == "warning"


def _has_message(request: RecordedRequest) -> bool:
    return isinstance(request.response, dict) and "message" in request.response
