"""One request and what its answer has so far."""

from dataclasses import dataclass, field
from typing import Any

from labs_mock.contract.findings import Finding
from labs_mock.http.responses import Headers
from labs_mock.world import World
from labs_mock.world.accounts import Account, require_account

Payload = dict[str, Any]


@dataclass(slots=True)
class Exchange:
    """A request whose body has arrived.

    `asked` and `attempt` name it by what it asks (DET-3), `now` is when it arrived in unix seconds, `owner` the
    account of its key if that is valid, `parameters` those of its path. `headers` and `findings` are of the
    answer.
    """

    world: World
    method: str
    path: str
    content_type: bytes | None
    owner: Account | None
    asked: bytes
    attempt: int
    now: float
    body: bytes
    too_large: bool
    request_id: str
    headers: Headers
    parameters: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def elapsed_ms(self) -> int:
        """Milliseconds since the request arrived, on the world's clock (DET-1)."""
        return int((self.world.clock.now() - self.now) * 1000)

    @property
    def account(self) -> Account:
        """Whose request it is. Raises `Unauthorized` without a valid key (AUTH-1)."""
        return require_account(self.owner)
