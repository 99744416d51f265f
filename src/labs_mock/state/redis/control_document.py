"""What the control plane changes, as one document that every process has a copy of; each change replaces it and its revision."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from pydantic import TypeAdapter

from labs_mock.clock import Clock
from labs_mock.config.fault_entry import FaultEntry
from labs_mock.scenario.compiled.datasets import Stage
from labs_mock.state.account import Account
from labs_mock.state.planned_fault import PlannedFault
from labs_mock.state.redis.namespace import JSON
from labs_mock.state.store import InitialState


class NumberedFault(NamedTuple):
    """A fault of the plan; its `serial` is that of no other, and names what is counted of it."""

    serial: str
    fault: PlannedFault


class ControlDocument(NamedTuple):
    """Clock, accounts, fault plan, and which library there is.

    `serials` counts all faults that were ever added, and `added_faults` those since the plan was reset. `library` is the revision of
    the library, and `shelf` names the state of what is stored of it. `forced` has the stages in which datasets were forced to stay.
    """

    epoch: str
    clock: Clock
    accounts: tuple[Account, ...]
    faults: tuple[NumberedFault, ...] = ()
    serials: int = 0
    added_faults: int = 0
    library: int = 1
    shelf: str = ""
    forced: tuple[tuple[str, Stage], ...] = ()

    def with_fault(self, entry: FaultEntry) -> "ControlDocument":
        """One fault more, or in the place of the one with its id; one without an id replaces none."""
        names = [one.fault.id for one in self.faults]
        added = self.added_faults + 1
        while entry.id is None and f"fault-{added}" in names:
            added += 1
        one = NumberedFault(f"{self.serials + 1}", PlannedFault.from_entry(entry.id or f"fault-{added}", entry))
        faults = {known.fault.id: known for known in self.faults} | {one.fault.id: one}
        return self._replace(faults=tuple(faults.values()), serials=self.serials + 1, added_faults=added)

    def with_plan(self, entries: Iterable[FaultEntry]) -> "ControlDocument":
        """Only the faults of the start, with nothing counted."""
        document = self._replace(faults=(), added_faults=0)
        for entry in entries:
            document = document.with_fault(entry)
        return document

    def with_start_of(self, parts: Iterable[str], initial: InitialState) -> "ControlDocument":
        """Those parts of it as they began."""
        document, names = self, set(parts)
        if "clock" in names:
            document = document._replace(clock=document.clock.restarted())
        if "keys" in names:
            document = document._replace(accounts=initial.accounts)
        if "datasets" in names:
            document = document._replace(forced=())
        return document.with_plan(initial.faults) if "faults" in names else document

    def account(self, digest: bytes) -> Account | None:
        """The account of a key by its digest, valid or not."""
        return next((account for account in self.accounts if account.key_digest == digest), None)


DOCUMENT: TypeAdapter[ControlDocument] = TypeAdapter(ControlDocument, config=JSON)


class Control(NamedTuple):
    """The document under its revision, with its accounts by their digests."""

    revision: str
    document: ControlDocument
    accounts: dict[bytes, Account]


def control_of(revision: bytes, document: bytes) -> Control:
    """What a script has returned."""
    parsed = DOCUMENT.validate_json(document)
    return Control(revision.decode(), parsed, {account.key_digest: account for account in parsed.accounts})


def packed_document(document: ControlDocument) -> bytes:
    """As it is stored."""
    return DOCUMENT.dump_json(document, exclude_unset=True)


def without_slugs(fault: PlannedFault) -> PlannedFault:
    """The fault without its filters by scenario."""
    return replace(fault, entry=fault.entry.model_copy(update={"collection_slug": None, "scenario_slug": None}))
