"""Faults that change the results of a batch."""

from dataclasses import dataclass, field
from typing import Any

from labs_mock.contract.wording import FAULTED
from labs_mock.http.delivery import Delivery
from labs_mock.http.exchange import Payload

Item = int | str
"""An item of a batch, by its number from 0 or by its id."""


@dataclass(slots=True)
class Changes:
    """What the faults of a request do to the results of its batch."""

    failed: set[Item] = field(default_factory=set)
    dropped: set[Item] = field(default_factory=set)
    reversed: bool = False

    def fail_item(self, item: Item) -> None:
        """An item gets an error instead of its result."""
        self.failed.add(item)

    def drop_result(self, item: Item) -> None:
        """The result of an item is missing."""
        self.dropped.add(item)

    def reverse_results(self, _: Any) -> None:
        """The results come in reverse order."""
        self.reversed = True

    def apply(self, results: list[Payload], delivery: Delivery) -> list[Payload]:
        """The results as they are sent; an item that the batch does not have changes nothing."""
        changed, failures = [], 0
        for index, result in enumerate(results):
            if not self.dropped & {index, result["id"]}:
                fails = bool(self.failed & {index, result["id"]})
                failures += fails
                changed.append({"id": result["id"], "status": "error", "error": FAULTED} if fails else result)
        for count, word in ((failures, "failed"), (len(results) - len(changed), "dropped")):
            if count:
                delivery.note(f"{count} {'result' if count == 1 else 'results'} {word}")
        if self.reversed:
            changed.reverse()
            delivery.note("results reversed")
        return changed
