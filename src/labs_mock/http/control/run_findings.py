"""Findings that only several requests show together: pure functions over the records of a journal (section 7).

A *retry* is a request with the fingerprint and the key of a former one, which arrived after that was answered. Each function
takes time in proportion to the number of records and the bytes of their bodies.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from labs_mock.contract.findings import RUN_KINDS, Severity
from labs_mock.contract.limits import BASE_PATH
from labs_mock.errors import RateLimited
from labs_mock.http.control.run_records import EpisodeRequest, Run
from labs_mock.http.delivery import broke_off, broke_off_in_body, is_spoilt
from labs_mock.state.record import Record

REFUSED = (400, 401, 403, 404)
LEAST_RETRIES = 2  # of a request that was refused
LEAST_IGNORED = 3  # requests after a 429
AT_ONCE = 1.0  # seconds of the clock
MAX_QUOTED = 60  # characters of an observation


class RunFinding(NamedTuple):
    """A finding and the numbers of the requests that prove it; `place` is what it is about, `hint` a sentence."""

    code: str
    severity: Severity
    over_run: bool
    requests: tuple[int, ...]
    place: str
    hint: str


def all_findings(records: Sequence[Record], ended: Collection[str] = ()) -> list[RunFinding]:
    """Those that single requests have, and those over the run, by the first request of each."""
    single = [
        RunFinding(finding.code, finding.severity, False, (record.number,), finding.place, finding.hint)
        for record in records
        for finding in record.findings
    ]
    return sorted([*single, *findings_over_run(records, ended)], key=lambda finding: finding.requests[0])


def findings_over_run(records: Sequence[Record], ended: Collection[str] = ()) -> list[RunFinding]:
    """All that several of some records, by number, show together, by the first request of each.

    `ended` are episodes that are over by what the store has of them, such as those that the control plane ended.
    """
    run = Run(records, ended)
    found = [finding for find in FUNCTIONS.values() for finding in find(run)]
    return sorted(found, key=lambda finding: (finding.requests[0], finding.code))


def _finding(code: str, records: Iterable[Record], hint: str, place: str = "") -> RunFinding:
    return RunFinding(code, RUN_KINDS[code].severity, True, tuple(record.number for record in records), place, hint)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


# Retries


def retried_on_400(run: Run) -> Iterator[RunFinding]:
    """Requests that were refused for what they are, and sent again at least twice."""
    for chain in _chains(run, lambda former, _: former.status in REFUSED, LEAST_RETRIES):
        hint = f"answered {chain[0].status}, and sent again {_times(len(chain) - 1)}"
        yield _finding("retried_on_400", chain, hint)


def retried_too_fast(run: Run) -> Iterator[RunFinding]:
    """Retries within a second after an answer that calls for patience. On a clock that stands still no time goes by."""

    def at_once(former: Record, record: Record) -> bool:
        failed = former.status == RateLimited.status or former.status >= 500 or broke_off(former.delivery)
        return failed and 0 < record.received - former.answered_at < AT_ONCE

    for chain in _chains(run, at_once, 1):
        how = "cut" if broke_off(chain[0].delivery) else f"answered {chain[0].status}"
        yield _finding("retried_too_fast", chain, f"{how}, and sent again within a second")


def _chains(run: Run, counts: Callable[[Record, Record], bool], least: int) -> Iterator[list[Record]]:
    """Requests with at least so many retries in a row that count, each time with the request that was first retried."""
    for sendings in run.sendings:
        chain: list[Record] = []
        for former, record in sendings:
            if former is not None and counts(former, record):
                chain = chain or [former]
                chain.append(record)
                continue
            if len(chain) > least:
                yield chain
            chain = []
        if len(chain) > least:
            yield chain


# Rate limits

Name = tuple[tuple[str, ...], bytes]
"""A request by its key and its fingerprint."""


def ignored_rate_limit(run: Run) -> Iterator[RunFinding]:
    """Requests that were sent after a 429 in the same window by a client that knew of it."""
    later = Counter(_name(record) for record in run.records if record.window_end is not None)
    # The newest 429s of each key, with no other answer of the limiter between them.
    rows: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for record in run.records:
        if record.window_end is None:  # it did not reach the limiter
            continue
        row = rows[record.credentials]
        if row and (record.status != RateLimited.status or record.window_end != row[0].window_end):
            yield from _ignored(row, later)
            row.clear()
        later[_name(record)] -= 1
        if record.status == RateLimited.status:
            row.append(record)
    for row in rows.values():
        yield from _ignored(row, later)


def _ignored(row: list[Record], later: Counter[Name]) -> Iterator[RunFinding]:
    """What is wrong with 429s in a row, if it is; `later` counts the requests behind them.

    Many tasks that share a key may each run into the limit once, with equal requests too, and wait: then each request comes
    again later. So what counts is how many more there are of a request than come again, one of which may be the first; or all
    but the first, if they came over one connection, one after the other.
    """
    ignored = row if len({record.peer for record in row}) == 1 and row[0].peer is not None else []
    number = len(ignored) - 1
    if number < LEAST_IGNORED:
        times = Counter(map(_name, row))
        more = {name: count - max(1, later[name]) for name, count in times.items()}
        ignored = [record for record in row if more[_name(record)] > 0]
        number = sum(excess for excess in more.values() if excess > 0)
    if number >= LEAST_IGNORED:
        hint = f"{number:,} more requests in the same window after a 429"
        yield _finding("ignored_rate_limit", ignored, hint)


def _name(record: Record) -> Name:
    return record.credentials, record.fingerprint


# Episodes


def duplicate_turn(run: Run) -> Iterator[RunFinding]:
    """Turns that were taken again, unchanged, since the answer to the one before never reached the client.

    One that came with the whole history has a finding of its own.
    """
    chains: dict[str, list[Record]] = defaultdict(list)
    for record, episode, *_ in run.episode_requests:
        chain = chains[episode]
        known = any(finding.code == "duplicate_turn" for finding in record.findings)
        again = bool(chain) and is_spoilt(chain[-1].delivery) and record.fingerprint == chain[-1].fingerprint
        if record.turn is None or known or not again:
            yield from _duplicate(episode, chain)
            chain.clear()
        if record.turn is not None:
            chain.append(record)
    for episode, chain in chains.items():
        yield from _duplicate(episode, chain)


def _duplicate(episode: str, chain: list[Record]) -> Iterator[RunFinding]:
    if len(chain) > 1:
        hint = f"the answer to turn {chain[0].turn} was lost, and the same messages were taken as turn {chain[-1].turn}"
        yield _finding("duplicate_turn", chain, hint, episode)


def stale_episode(run: Run) -> Iterator[RunFinding]:
    """Turns with an observation of another episode. What those of an episode are is known if the journal has it from its beginning."""
    observations: dict[tuple[str | None, str], Record] = {}  # by organisation and text: the newest request with it
    heard: dict[str, set[str]] = {}  # in each episode, of the persona and of the operator
    found: dict[str, tuple[str, list[Record]]] = {}
    for request in run.episode_requests:
        record, episode, known = request.record, request.episode, heard.get(request.episode)
        if known is not None:
            foreign = [
                text for text in request.history if text not in known and (record.organisation, text) in observations
            ]
            if foreign:
                text, records = found.setdefault(episode, (foreign[0], [observations[record.organisation, foreign[0]]]))
                records.append(record)
        _hear(heard, request)
        if request.observation is not None:
            observations[record.organisation, request.observation] = record
    for episode, (text, records) in found.items():
        quoted = text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"
        hint = f"{quoted!r} is what the persona said in {records[0].episode}"
        yield _finding("stale_episode", records, hint, episode)


def _hear(heard: dict[str, set[str]], request: EpisodeRequest) -> None:
    """Add the texts of a request and its response; an episode of which something was dropped is no longer known."""
    known = set[str]() if request.begins else heard.get(request.episode)
    if known is None or request.observation is None:
        heard.pop(request.episode, None)
    else:
        known.update(request.operator_texts, (request.observation,))
        heard[request.episode] = known


def episode_unfinished(run: Run) -> Iterator[RunFinding]:
    """Episodes that began and did not end."""
    requests: dict[str, list[Record]] = {}
    for request in run.episode_requests:
        if request.begins:
            requests[request.episode] = [request.record]
        elif request.episode in requests:
            requests[request.episode][1:] = [request.record]
        if request.complete:
            requests.pop(request.episode, None)
    for episode, records in requests.items():
        if episode not in run.ended:
            turns = records[-1].turn or 0
            yield _finding("episode_unfinished", records, f"after {turns} {'turn' if turns == 1 else 'turns'}", episode)


# Datasets

EXPORT = f"{BASE_PATH}/training-datasets/*/export"


def partial_export_accepted(run: Run) -> Iterator[RunFinding]:
    """Exports that a fault cut, and that nobody in the organisation asked for again."""
    exports = [record for record in run.records if fnmatchcase(record.path, EXPORT) and record.method == "GET"]
    newest: dict[tuple[str | None, str], int] = defaultdict(int)
    for record in exports:
        newest[_dataset(record)] = max(newest[_dataset(record)], record.order)
    for record in exports:
        cut = record.status == 200 and broke_off_in_body(record.delivery)
        if cut and record.answered >= newest[_dataset(record)]:
            yield _finding("partial_export_accepted", [record], "never requested again")


def _dataset(record: Record) -> tuple[str | None, str]:
    return record.organisation, record.path.lower()


FUNCTIONS: dict[str, Callable[[Run], Iterator[RunFinding]]] = {
    "retried_on_400": retried_on_400,
    "ignored_rate_limit": ignored_rate_limit,
    "retried_too_fast": retried_too_fast,
    "duplicate_turn": duplicate_turn,
    "stale_episode": stale_episode,
    "partial_export_accepted": partial_export_accepted,
    "episode_unfinished": episode_unfinished,
}
"""What finds each code of `RUN_KINDS`."""
