"""The fault plan, in the order in which faults were added."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from labs_mock.config.fault_entry import FaultEntry
from labs_mock.state.fault_matching import delay_of, is_triggered, matches
from labs_mock.state.fault_target import FaultTarget
from labs_mock.state.planned_fault import PlannedFault, TriggeredFault


@dataclass(slots=True)
class _Counted:
    """A fault and what was counted of it."""

    fault: PlannedFault
    matched: int = 0
    applied: int = 0


class FaultPlan:
    """All faults `by_id`, with what was counted of each."""

    def __init__(self, first: Iterable[FaultEntry], seed: int) -> None:
        self._first = tuple(first)
        self._seed = seed
        self.reset()

    def reset(self) -> None:
        """Only the faults of the start, with nothing counted."""
        self.by_id: dict[str, _Counted] = {}
        self._added = 0
        for entry in self._first:
            self.add(entry)

    def all(self) -> list[PlannedFault]:
        """The plan as it stands."""
        return [replace(one.fault, matched=one.matched, applied=one.applied) for one in list(self.by_id.values())]

    def add(self, entry: FaultEntry) -> PlannedFault:
        """Add a fault, or replace the one with its id; one without an id replaces none."""
        self._added += 1
        while entry.id is None and f"fault-{self._added}" in self.by_id:
            self._added += 1
        fault = PlannedFault.from_entry(entry.id or f"fault-{self._added}", entry)
        self.by_id[fault.id] = _Counted(fault)
        return fault

    def remove(self, name: str | None) -> bool:
        """Remove a fault, or all of them; whether there was one."""
        if name is None:
            self.by_id.clear()
            return True
        return self.by_id.pop(name, None) is not None

    def trigger(self, target: FaultTarget) -> tuple[TriggeredFault, ...]:
        """Count a request; the faults that it triggers."""
        triggered = []
        for one in self.by_id.values():
            fault = one.fault
            if matches(fault, target):
                one.matched += 1
                if is_triggered(fault, one.matched, target, self._seed):
                    one.applied += 1
                    triggered.append(TriggeredFault(fault.id, fault.entry, delay_of(fault, target, self._seed)))
        return tuple(triggered)
