"""Findings over the control plane: those of single requests, and those that several show together."""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.errors import BadRequest
from labs_mock.http.control.journal import counts_of, records_of, redactor_of, settled, summary_of
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.control.run_findings import RunFinding, all_findings
from labs_mock.http.exchange import Payload
from labs_mock.state import World
from labs_mock.state.record import JournalCounts, Record
from labs_mock.text import did_you_mean

FILTERS: dict[str, Callable[[RunFinding, str], bool]] = {
    "code": lambda finding, code: finding.code == code,
    "severity": lambda finding, severity: finding.severity == severity,
}


def finding_routes(prefix: str) -> list[BaseRoute]:
    """`GET /findings`."""

    async def list_findings(request: Request) -> Payload:
        world, filters = world_of(request), dict(request.query_params)
        for name in filters:
            if name not in FILTERS:
                raise BadRequest(f"{name[:80]}: unknown filter; {did_you_mean(name, FILTERS)}")
        await settled()
        counts = await world.store.journal_counts()
        records = await recorded(world, counts)
        found = await findings_of(world, records)
        found = [finding for finding in found if all(FILTERS[name](finding, filters[name]) for name in filters)]
        cited = {number: records[number] for number in sorted({one for finding in found for one in finding.requests})}
        return {
            "findings": [shown_finding(finding, records[finding.requests[-1]], world) for finding in found],
            "requests": [summary_of(record, redactor_of(record, world)) for record in cited.values()],
            **counts_of(counts),
        }

    return [resource(f"{prefix}/findings", GET=list_findings)]


async def recorded(world: World, counts: JournalCounts) -> dict[int, Record]:
    """All records of the journal by their numbers."""
    return {record.number: record async for record in records_of(world, counts)}


async def findings_of(world: World, records: dict[int, Record]) -> list[RunFinding]:
    """All findings of some records; they are looked for in a thread, while others are served."""
    ended = {episode.id async for episode in world.episodes() if episode.ended is not None}
    return await asyncio.to_thread(all_findings, list(records.values()), ended)


def shown_finding(finding: RunFinding, record: Record, world: World) -> Payload:
    """A finding as JSON, in which no key can be read, nor a credential of the request that it is about."""
    redact = redactor_of(record, world)
    return {
        "code": finding.code,
        "severity": finding.severity,
        "over_run": finding.over_run,
        "place": redact(finding.place),
        "hint": redact(finding.hint),
        "requests": finding.requests,
    }
