"""The first page: what is served, and what has happened since the start or the last reset."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from labs_mock.clock import instant_text
from labs_mock.contract.findings import KINDS, RUN_KINDS
from labs_mock.http.control.faults import shown_faults
from labs_mock.http.control.findings import findings_of, recorded
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.control.run_findings import RunFinding
from labs_mock.http.delivery import broke_off
from labs_mock.http.inspector.charts import BarChart, Column, bars, histogram
from labs_mock.http.inspector.rendering import moment, page
from labs_mock.state import World
from labs_mock.state.record import Record

COLUMNS = 40  # of the chart over time
BINS = 20  # of a histogram
MAX_HISTOGRAMS = 24
MAX_FAULTS = 50

UNKNOWN = "not known: the request that names it is no longer in the journal"


class ScenarioRewards(NamedTuple):
    """The rewards of a scenario that requests of the journal were served."""

    scenario: str
    served: int
    mean: float
    chart: BarChart


class FindingGroup(NamedTuple):
    """All findings of a code: how many, what causes them, and the requests that prove them, by number."""

    code: str
    severity: str
    times: int
    cause: str
    cure: str
    requests: tuple[int, ...]


def overview_routes(prefix: str) -> list[BaseRoute]:
    """`GET` of the inspector's first page."""

    async def overview(request: Request) -> Response:
        world = world_of(request)
        counts = await world.store.journal_counts()
        records = await recorded(world, counts)
        findings = await findings_of(world, records)
        listed = list(records.values())
        rewards = await asyncio.to_thread(served_rewards, listed)  # which parses the bodies of thousands of requests
        return await page(
            request,
            "overview",
            served=await _served(world),
            journal={"stored": counts.stored, "dropped": counts.dropped},
            errors=sum(map(is_error, listed)),
            over_time=over_time(listed),
            rewards=rewards[:MAX_HISTOGRAMS],
            more_rewards=len(rewards) - MAX_HISTOGRAMS,
            findings=grouped(findings),
            faults=(await shown_faults(world))[:MAX_FAULTS],
        )

    return [resource(prefix, GET=overview)]


async def _served(world: World) -> dict[str, Any]:
    library, accounts = await world.library(), await world.store.accounts()
    return {
        "collections": [(one.slug, one.name, len(one.scenarios)) for one in library.collections.values()],
        "scenarios": len(library.scenarios),
        "datasets": len(await world.store.datasets()),
        "accounts": [(account.masked, account.organisation) for account in accounts[:20]],
        "seed": world.settings.seed,
        "instance": world.instance,
        "shared": bool(world.settings.state),
    }


def is_error(record: Record) -> bool:
    """Whether a request was answered with an error, or its response broke off."""
    return record.status >= 400 or broke_off(record.delivery)


def over_time(records: Sequence[Record]) -> BarChart:
    """How many requests arrived in each part of the time from the first to the last, by the clock.

    On a clock that stood still all the time the axis is the order of the requests.
    """
    if not records:
        return bars([])
    times = [record.received for record in records]  # which are not in order where responses were delayed
    still = min(times) == max(times)
    places = [float(record.number) for record in records] if still else times
    low, high = min(places), max(places)
    width = (high - low) / COLUMNS or 1.0
    sums = [[0, 0] for _ in range(COLUMNS)]
    for record, place in zip(records, places, strict=True):
        sums[min(int((place - low) / width), COLUMNS - 1)][is_error(record)] += 1
    columns = [
        Column(_place(low + index * width, still), (("errors", errors), ("requests", others)))
        for index, (others, errors) in enumerate(sums)
    ]
    return bars(columns)._replace(last=_place(high, still))


def _place(place: float, still: bool) -> str:
    return f"request {int(place)}" if still else moment(instant_text(round(place)))


def served_rewards(records: Iterable[Record]) -> list[ScenarioRewards]:
    """A histogram for each scenario, the one with the most rewards first."""
    values: dict[str, list[float]] = defaultdict(list)
    for scenario, reward in _rewards(records):
        values[scenario].append(reward)
    found = sorted(values.items(), key=lambda item: (-len(item[1]), item[0]))
    return [ScenarioRewards(name, len(some), sum(some) / len(some), histogram(_counts(some))) for name, some in found]


def _rewards(records: Iterable[Record]) -> Iterator[tuple[str, float]]:
    """The scenario of each reward that was served, with it; the scenario of a turn is that of the request that began its episode."""
    episodes: dict[str, str] = {}
    for record in records:
        if record.status != 200 or (record.episode is None and not record.rewards):
            continue
        if record.episode is not None and record.turn is not None:
            names = [episodes.get(record.episode, UNKNOWN)]
        else:
            names = _scenarios(record)
            if record.episode is not None:
                episodes[record.episode] = names[0]
        for index, reward in enumerate(record.rewards):
            if reward is not None:
                yield names[index if index < len(names) else 0], reward


def _scenarios(record: Record) -> list[str]:
    """The scenarios that a valid request names: those of its items, or else the one of the whole body."""
    body = record.body("request")
    sent = orjson.loads(body) if body else {}
    return [_name(item) for item in sent.get("items") or [sent]]


def _name(named: dict[str, Any]) -> str:
    if "scenario_slug" not in named:
        return UNKNOWN
    return f"{named.get('collection_slug')}/{named['scenario_slug']}"


def _counts(values: Iterable[float]) -> list[int]:
    counts = [0] * BINS
    for value in values:
        counts[min(int(value * BINS), BINS - 1)] += 1
    return counts


def grouped(findings: Iterable[RunFinding]) -> list[FindingGroup]:
    """The findings by their codes: warnings first, and of these the code with the most."""
    codes: dict[str, list[RunFinding]] = defaultdict(list)
    for finding in findings:
        codes[finding.code].append(finding)
    groups = [_group(code, found) for code, found in codes.items()]
    return sorted(groups, key=lambda group: (group.severity != "warning", -group.times, group.code))


def _group(code: str, found: list[RunFinding]) -> FindingGroup:
    kind = KINDS.get(code) or RUN_KINDS[code]
    numbers = dict.fromkeys(number for finding in found for number in finding.requests)
    return FindingGroup(code, kind.severity, len(found), kind.cause, kind.cure, tuple(sorted(numbers)))
