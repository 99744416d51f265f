"""A request and its response, as the journal keeps them."""

from typing import NamedTuple

from labs_mock.contract.findings import Finding

BODIES = ("request", "response")


class Record(NamedTuple):
    """A request and its response.

    `received` is in unix seconds and `duration_ms` in milliseconds on the server's clock. `organisation` and `key`, masked, are
    those of a valid key. `credentials` are what the request came with as a proof, valid or not, and never shown: they mask its own texts.
    `request` and `response` are whole bodies, None where there was no room for one, and compressed where `compressed` names
    them: `body` reads them. The response of a stream is empty. `size` is that of the whole request body. `run` and `skipped`
    count scorers (RC-2). `rewards` has None for an item of a batch that failed. `delivery` says how the response went out where
    that was not at once and whole. `fingerprint` and `order` are those of the request when it arrived, and `window_end` is what the
    response says of its rate limit, in unix seconds, None where it does not. `peer` is the address and port of the connection, None
    without one of our own server; `user_agent` has at most 200 bytes.

    The store gives the `number`, from 1. Where the response went out, or broke off, later than it was ready, `amended` is when, in
    unix seconds on the clock. `answered` is the `order` of the newest request at that moment: requests with a greater one have
    arrived after this response.
    """

    received: float
    method: str
    path: str
    query: str
    organisation: str | None
    key: str | None
    credentials: tuple[str, ...]
    request_id: str
    size: int
    request: bytes | None
    status: int
    response: bytes | None
    duration_ms: int
    findings: tuple[Finding, ...]
    faults: tuple[str, ...]
    rewards: tuple[float | None, ...]
    run: int
    skipped: int
    episode: str | None
    turn: int | None
    delivery: tuple[str, ...] = ()
    fingerprint: bytes = b""
    order: int = 0
    window_end: int | None = None
    peer: tuple[str, int] | None = None
    user_agent: bytes = b""
    number: int = 0
    answered: int = 0
    amended: float | None = None
    compressed: tuple[str, ...] = ()

    def body(self, name: str) -> bytes | None:
        """The `request` or the `response`; None if it was dropped."""
        body: bytes | None = getattr(self, name)
        return decompress_body(body) if body is not None and name in self.compressed else body

    @property
    def answered_at(self) -> float:
        """When its response went out or broke off, in unix seconds on the clock."""
        return self.received + self.duration_ms / 1_000 if self.amended is None else self.amended

    @property
    def dropped(self) -> list[str]:
        """Which of its bodies were dropped."""
        return [name for name in BODIES if getattr(self, name) is None]


def compress_body(body: bytes) -> bytes:
    """A body in fewer bytes, or in more if it is nothing but noise: a few microseconds for 10 KB."""
    from lz4.block import compress  # most processes never need it

    result: bytes = compress(body)
    return result


def decompress_body(body: bytes) -> bytes:
    """The body that was compressed."""
    from lz4.block import decompress

    result: bytes = decompress(body)
    return result


class JournalCounts(NamedTuple):
    """The journal has `stored` records; `dropped` have gone, the oldest first, and with them so many findings of each severity."""

    stored: int
    dropped: int
    dropped_findings: tuple[tuple[str, int], ...]

    @property
    def last(self) -> int:
        """The number of the newest record, 0 before the first."""
        return self.dropped + self.stored


class RewardColumns(NamedTuple):
    """A part of the log of rewards in columns, which begins behind number `after`; rewards are numbered from 1.

    For each: the number of its request, its item's place in that from 0, the hash of its conversation, and itself. The log has
    `stored` rewards, and `dropped` have gone, the oldest first.
    """

    after: int
    requests: tuple[int, ...]
    items: tuple[int, ...]
    conversations: tuple[int, ...]
    rewards: tuple[float, ...]
    stored: int
    dropped: int
