"""The fault plan: what is in it stands in the control document, what is counted of it in a table of its own."""

from dataclasses import replace

from labs_mock.config.fault_entry import FaultEntry
from labs_mock.state.planned_fault import PlannedFault
from labs_mock.state.redis.control_document import ControlDocument
from labs_mock.state.redis.control_plane import ControlChange, ControlPlane
from labs_mock.state.redis.scripts import Operations
from labs_mock.state.redis.shelf import Shelf

COUNTS = "matched", "applied"


class StoredFaultPlan:
    """All faults, in the order in which they were added."""

    def __init__(self, operations: Operations, plane: ControlPlane) -> None:
        self._operations, self._plane = operations, plane

    async def all(self) -> list[PlannedFault]:
        """The plan as it stands."""
        faults = (await self._plane.fresh()).document.faults
        if not faults:
            return []
        fields = [f"{one.serial}:{name}" for one in faults for name in COUNTS]
        _, counts = await self._operations.run("read", "HMGET", "faults", *fields, again=True)
        numbers = [int(count or 0) for count in counts]
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return [
            replace(one.fault, matched=matched, applied=applied)
            for one, (matched, applied) in zip(faults, pairs, strict=True)
        ]

    async def add(self, entry: FaultEntry) -> PlannedFault:
        """Add a fault, or replace the one with its id, in its place."""

        def make(document: ControlDocument, shelf: Shelf) -> ControlChange:
            changed = document.with_fault(entry)
            present = {one.serial for one in changed.faults}
            gone = [one.serial for one in document.faults if one.serial not in present]
            fault = next(one.fault for one in changed.faults if one.serial == f"{changed.serials}")
            return ControlChange(changed, shelf, uncounted(gone), fault)

        made = await self._plane.change(make)
        assert made is not None
        fault: PlannedFault = made.result
        return fault

    async def remove(self, name: str | None) -> bool:
        """Remove a fault, or all of them; whether there was one."""

        def make(document: ControlDocument, shelf: Shelf) -> ControlChange | None:
            kept = tuple([one for one in document.faults if name is not None and one.fault.id != name])
            if len(kept) == len(document.faults):
                return None
            gone = [one.serial for one in document.faults if one not in kept]
            return ControlChange(document._replace(faults=kept), shelf, uncounted(gone))

        return await self._plane.change(make) is not None or name is None


def uncounted(serials: list[str]) -> tuple[tuple[str, ...], ...]:
    """Commands that forget what was counted of some faults."""
    return tuple([("HDEL", "faults", *[f"{serial}:{name}" for name in COUNTS]) for serial in serials])
