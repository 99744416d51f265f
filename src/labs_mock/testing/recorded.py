"""Requests as the journal has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labs_mock.contract.control import Json, JsonObject


@dataclass(frozen=True, slots=True)
class RecordedFinding(JsonObject):
    """A finding on a request: its code, its place in the body, what to do about it, and `info` or `warning`."""

    code: str
    place: str
    hint: str
    severity: str

    def __str__(self) -> str:
        return f"{self.code}{self.place and ' at '}{self.place}{self.hint and ': '}{self.hint}"


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request and its response as the journal has them, with keys masked. Bodies are JSON, or text where they are none.

    `json` is the body of the request. `rewards` has None for an item of a batch that failed. `delivery` describes how the
    response was sent where that was not at once and complete, such as `cut after 120 bytes`. `dropped_bodies` names the
    bodies for which there was no room. `received` (in ISO 8601) and `duration_ms` are measured on the clock of the server. `peer` is
    the address and port of the connection, None without one.
    """

    number: int
    received: str
    method: str
    path: str
    query: str
    organisation: str | None
    peer: str | None
    user_agent: str
    status: int
    request_id: str
    duration_ms: int
    episode_id: str | None
    turn: int | None
    delivery: Sequence[str]
    rewards: Sequence[float | None]
    findings: Sequence[RecordedFinding]
    faults: Sequence[str]
    dropped_bodies: Sequence[str]
    json: Any
    response: Any

    @classmethod
    def from_record(cls, record: Json) -> "RecordedRequest":
        """A record of the control plane."""
        names = [name for name in cls.__dataclass_fields__ if name not in ("findings", "json")]
        findings = [RecordedFinding.from_json(finding) for finding in record["findings"]]
        return cls(**{name: record[name] for name in names}, findings=findings, json=record["request"])

    def __str__(self) -> str:
        delivery = f" ({', '.join(self.delivery)})" if self.delivery else ""
        return f"{self.method} {self.path} -> {self.status}{delivery}"
