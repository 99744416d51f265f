"""One request and what its response has so far."""

from dataclasses import dataclass, field
from typing import Any

from labs_mock.contract.findings import Finding
from labs_mock.http.delivery import Delivery
from labs_mock.http.request import HttpRequest
from labs_mock.http.sending import Headers
from labs_mock.state import World
from labs_mock.state.accounts import Account
from labs_mock.state.fault_plan import Fault
from labs_mock.state.rate_limits import Quota

Payload = dict[str, Any]


@dataclass(slots=True)
class Exchange:
    """A request with what is known of it since it arrived, and what its response has so far.

    `fingerprint` and `attempt` name it among equal requests (DET-3), `now` is when it arrived in unix seconds, `valid_account`
    that of its key, if this is valid; after authentication it is the `account`. `status`, `response_headers` and
    `findings` are of the response, `quota` is what its headers say; `faults` were triggered, each with the seconds of its
    delay. `delivery` says how the response is sent where that is not at once and whole. For the journal there are `rewards`
    and the hashes of their `conversations`, the numbers of scorers that were run and
    skipped, and episode and turn.
    """

    world: World
    request: HttpRequest
    valid_account: Account | None
    fingerprint: bytes
    attempt: int
    now: float
    request_id: str
    response_headers: Headers
    account: Account = field(init=False)
    status: int = 200
    quota: Quota | None = None
    findings: list[Finding] = field(default_factory=list)
    faults: list[tuple[Fault, float]] = field(default_factory=list)
    delivery: Delivery | None = None
    rewards: list[float | None] = field(default_factory=list)
    conversations: list[int] = field(default_factory=list)
    scorers_run: int = 0
    scorers_skipped: int = 0
    episode: str | None = None
    turn: int | None = None

    def add_quota(self, quota: Quota) -> None:
        """Put a quota into the headers of the response (RL-1)."""
        self.quota = quota
        self.response_headers += (
            (b"x-ratelimit-limit", b"%d" % quota.limit),
            (b"x-ratelimit-remaining", b"%d" % quota.remaining),
            (b"x-ratelimit-reset", b"%d" % quota.reset),
        )

    @property
    def credentials(self) -> tuple[str, ...]:
        """What the request offered in place of a valid key."""
        return () if self.valid_account else self.request.credentials

    def redact(self, text: str) -> str:
        """A text in which neither a key nor a credential of this request can be read (ERR-2)."""
        redactor, credentials = self.world.redactor, self.credentials
        return (redactor.including(credentials) if credentials else redactor)(text)

    def elapsed_ms(self) -> int:
        """Milliseconds since the request arrived, on the world's clock (DET-1)."""
        return int((self.world.clock.now() - self.now) * 1000)
