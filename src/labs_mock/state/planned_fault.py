"""The faults of the plan, with what was counted of each."""

from dataclasses import dataclass
from typing import NamedTuple

from labs_mock.config.fault_entry import FaultEntry
from labs_mock.redaction import masked
from labs_mock.state.account import key_digest


class MaskedKey(NamedTuple):
    """A key by which a fault filters: its digest, and the stars that are shown in its place."""

    digest: bytes
    masked: str


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault of the plan; `matched` counts requests that pass its filters, `applied` those that triggered it.

    The `key` of its entry is not in `entry`, where it is None, but here.
    """

    id: str
    entry: FaultEntry
    key: MaskedKey | None = None
    matched: int = 0
    applied: int = 0

    @classmethod
    def from_entry(cls, name: str, entry: FaultEntry) -> "PlannedFault":
        """The fault of an entry under an id, with nothing counted."""
        if entry.key is None:
            return cls(name, entry)
        key = MaskedKey(key_digest(entry.key.encode()), masked(entry.key))
        return cls(name, entry.model_copy(update={"key": None}), key)


class TriggeredFault(NamedTuple):
    """A fault that a request triggers, and the seconds of its delay, 0 where it has none."""

    id: str
    entry: FaultEntry
    seconds: float
