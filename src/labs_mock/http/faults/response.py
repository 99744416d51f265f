"""A response on its way to a client, in a form that faults can change."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from labs_mock.http.delivery import Delivery


class Break(Enum):
    """How a response breaks off; the value is the word for it in the journal."""

    CLOSE, RESET, STALL = "cut", "reset", "stalled"


Piece = bytes | Break


async def _nothing() -> None:
    """There is nothing to close."""


@dataclass(slots=True)
class FaultyResponse:
    """A response whose body comes in `pieces`; nothing after a `Break` is sent.

    An empty piece has no bytes and only gives other requests their turn. `break_before_head` breaks off before anything is
    sent; `delays` has the seconds before the head, before the body and before each chunk; `close` is called at the end,
    however that comes. What faults do is noted in `delivery`.
    """

    status: int
    headers: dict[bytes, bytes]
    pieces: Iterator[Piece]
    delivery: Delivery
    close: Callable[[], Awaitable[None]] = _nothing
    break_before_head: Break | None = None
    delays: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("head", "body", "chunk"), 0.0))
