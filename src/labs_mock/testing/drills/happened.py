"""What happened in a case: the requests that the server got, and the outcome of the function."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from labs_mock.contract.limits import WINDOW
from labs_mock.errors import RateLimited
from labs_mock.http.control.journal import records_of
from labs_mock.state import World
from labs_mock.state.record import Record

DELAYED = ("head delayed", "body delayed", "chunk delayed")
"""How notes of a delivery begin that leave the response whole."""

OutcomeKind = Literal["returned", "unusable", "raised", "ended", "hung"]
TOLD: tuple[OutcomeKind, ...] = ("unusable", "raised", "ended")
"""What is reported with a detail."""
Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class DrilledRequest:
    """A request as the server got it, and what became of its response.

    `received` and `reset` (of a 429, as the client's clock has it) are in unix seconds on the server's clock. Equal requests have equal `content`. `spoiled`
    says that the response did not arrive whole or was not the one that the server had computed, `faults` that a fault was
    applied at all. `turn` is None unless a turn was taken; `text` is what the operator said in it last. `rewards` has None for
    an error item.
    """

    received: float
    path: str
    content: str
    status: int
    spoiled: bool = False
    faults: bool = False
    reset: float | None = None
    turn: int | None = None
    text: str = ""
    rewards: Sequence[float | None] = ()

    @classmethod
    def from_record(cls, record: Record, ahead: float) -> "DrilledRequest":
        """A record of the journal; the client's clock is so many seconds ahead of the server's."""
        limited = record.status == RateLimited.status
        body = _json(record.body("request"))
        return cls(
            received=record.received,
            path=record.path,
            content=f"{record.method} {record.path} {orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()}",
            status=record.status,
            spoiled=not all(note.startswith(DELAYED) for note in record.delivery),
            faults=bool(record.faults),
            reset=(record.received // WINDOW + 1) * WINDOW - ahead if limited else None,
            turn=record.turn,
            text=_last_text(body),
            rewards=record.rewards,
        )

    @property
    def failed(self) -> bool:
        """Whether its response was an error or is not to be used."""
        return self.status >= 400 or self.spoiled


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the function did: `values` that it returned (one number is a list of one), or the `detail` of what else it did.

    `unusable` is what it returned that is no reward; `ended` is a process that ended by itself.
    """

    kind: OutcomeKind
    values: Values | None = None
    detail: str = ""

    @classmethod
    def from_answer(cls, answer: dict[str, Any] | None) -> "Outcome":
        """What the client process reported; None if it had to be ended."""
        if answer is None:
            return cls("hung")
        if "returned" in answer:
            value = answer["returned"]
            return cls("returned", value if value is None or isinstance(value, list) else [value])
        return next(cls(kind, detail=answer[kind]) for kind in TOLD if kind in answer)


@dataclass(frozen=True, slots=True)
class Happened:
    """The outcome, the requests in the order of their arrival, and the rewards of the conversations, None for a play."""

    outcome: Outcome
    requests: Sequence[DrilledRequest]
    expected: Sequence[float] | None


async def requests_of(world: World, ahead: float) -> list[DrilledRequest]:
    """All requests that a world has in its journal, of a client whose clock is so many seconds ahead."""
    counts = await world.store.journal_counts()
    return [DrilledRequest.from_record(record, ahead) async for record in records_of(world, counts)]


def _json(body: bytes | None) -> Any:
    try:
        return orjson.loads(body or b"null")
    except orjson.JSONDecodeError:
        return repr(body)


def _last_text(body: Any) -> str:
    """The last message of the operator in a turn, with its tool calls; empty where there is none."""
    messages = body.get("messages") if isinstance(body, dict) else None
    spoken = [one for one in messages or () if isinstance(one, dict) and one.get("role") == "assistant"]
    return orjson.dumps([spoken[-1].get("content"), spoken[-1].get("tool_calls")]).decode() if spoken else ""
