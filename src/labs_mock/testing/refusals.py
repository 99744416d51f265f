"""The report on refusals that nothing asked for: the requests, and what to write where they were meant."""

import re
from collections.abc import Sequence

from labs_mock.escapes import printable
from labs_mock.http.control.journal import redactor_of, shown
from labs_mock.state import World
from labs_mock.state.record import Record
from labs_mock.testing.expectations import Expectation
from labs_mock.testing.recorded import RecordedRequest
from labs_mock.testing.watched_store import WatchedStore

MAX_LINES = 10
_NAMED = re.compile(r"(?<=/episodes/)[^/]+(?=/)|(?<=/training-datasets/)[^/]+(?=/)|[\[\]?]+")


async def refusals_in(world: World, store: WatchedStore, expectations: Sequence[Expectation]) -> list[str]:
    """The refused and broken requests that neither the test's writes nor its expectations asked for.

    Equal ones are one line, and a second says what to write if it was meant.
    """
    meant: dict[str, str] = {}
    times: dict[str, int] = {}
    for record in list(store.refusals):
        if not any(expectation.covers(record) for expectation in expectations):
            line = _line(world, record)
            times[line] = times.get(line, 0) + 1
            meant[line] = _meant(world, record)
    lines = [text for line in list(times)[:MAX_LINES] for text in (f"{line}{_often(times[line])}", f"  {meant[line]}")]
    others = sum(list(times.values())[MAX_LINES:]) + store.more
    return [*lines, *[f"and {others:,} more"] * bool(others)]


def _line(world: World, record: Record) -> str:
    """A request with its status, its delivery and its message."""
    request = RecordedRequest.from_record(shown(record, world))
    message = request.response.get("message") if isinstance(request.response, dict) else None
    return printable(f"{request}: {message}" if message else str(request))


def _meant(world: World, record: Record) -> str:
    """What to write if a refusal is meant, with * in the place of ids."""
    path = _NAMED.sub("*", redactor_of(record, world)(record.path))
    return printable(f'meant? then write: with labs_mock.expect(status={record.status}, path="{path}"):')


def _often(times: int) -> str:
    return f" ({times:,} times)" if times > 1 else ""
