"""The report on faults that were never applied."""

import json

from labs_mock.escapes import printable
from labs_mock.testing.watched_store import AddedFault, WatchedStore


def fault_text(added: AddedFault) -> str:
    """A fault as it was written, in a line, with its key masked."""
    fault = added.fault
    entry = fault.entry.model_dump(exclude_unset=True)
    key = {} if fault.key is None else {"key": fault.key.masked}
    return printable(json.dumps({**entry, **key}, ensure_ascii=False))


async def unused_faults_in(store: WatchedStore, after: int) -> list[str]:
    """The faults that were added behind the first so many and never applied, each in a line with the reason."""
    return [
        f"{fault_text(added)}: {_reason(await store.matched(added))}"
        for added in store.added_faults[after:]
        if not added.applied
    ]


def _reason(matched: int | None) -> str:
    if matched is None:
        return "it was removed before a request triggered it"
    if not matched:
        return "no request matched it"
    return f"{matched:,} {'request' if matched == 1 else 'requests'} matched it, and none triggered it"
