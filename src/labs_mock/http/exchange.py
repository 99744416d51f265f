"""One request and what its answer has so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labs_mock.contract.findings import Finding
from labs_mock.http.delivery import Delivery
from labs_mock.http.sending import Headers
from labs_mock.state import World
from labs_mock.state.accounts import Account, require_account
from labs_mock.state.fault_plan import Fault
from labs_mock.state.rate_limits import Quota

Payload = dict[str, Any]


@dataclass(slots=True)
class Exchange:
    """A request whose body has arrived.

    `asked` and `attempt` name it by what it asks (DET-3), `now` is when it arrived in unix seconds, `sent` has
    its headers, `bearer` is the key that it came with, `owner` the account of that if it is valid, and else `credentials`
    are what it came with instead, `parameters` those of its path. `headers`, `findings` and `status` are of the answer,
    `quota` is what its headers say; `faults` befall it, each with the seconds of its delay. `delivery` says how
    the answer goes out where that is not at once and whole. The journal is also told of `rewards` and the hashes of their
    `conversations`, of the scorers that were `run` and `skipped`, and of episode
    and turn.
    """

    world: World
    method: str
    path: str
    query: str
    sent: Mapping[bytes, bytes]
    bearer: bytes | None
    owner: Account | None
    credentials: tuple[str, ...]
    asked: bytes
    attempt: int
    now: float
    body: bytes
    too_large: bool
    request_id: str
    headers: Headers
    status: int = 200
    quota: Quota | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    faults: list[tuple[Fault, float]] = field(default_factory=list)
    delivery: Delivery | None = None
    rewards: list[float | None] = field(default_factory=list)
    conversations: list[int] = field(default_factory=list)
    run: int = 0
    skipped: int = 0
    episode: str | None = None
    turn: int | None = None

    def tell(self, quota: Quota) -> None:
        """Put a quota into the headers of the answer (RL-1)."""
        self.quota = quota
        self.headers += (
            (b"x-ratelimit-limit", b"%d" % quota.limit),
            (b"x-ratelimit-remaining", b"%d" % quota.remaining),
            (b"x-ratelimit-reset", b"%d" % quota.reset),
        )

    def redact(self, text: str) -> str:
        """A text in which neither a key nor a credential of this request can be read (ERR-2)."""
        known = self.world.redactor
        return (known.including(self.credentials) if self.credentials else known)(text)

    @property
    def size(self) -> int:
        """The bytes of its body, as far as they are known: one that is too large is not read."""
        declared = self.sent.get(b"content-length", b"")
        return int(declared[:20]) if self.too_large and declared.isdigit() else len(self.body)

    def elapsed_ms(self) -> int:
        """Milliseconds since the request arrived, on the world's clock (DET-1)."""
        return int((self.world.clock.now() - self.now) * 1000)

    @property
    def account(self) -> Account:
        """Whose request it is. Raises `Unauthorized` without a valid key (AUTH-1)."""
        return require_account(self.owner)
