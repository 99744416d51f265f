"""One request and what its response has so far."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from labs_mock.contract.findings import Finding
from labs_mock.http.delivery import Delivery
from labs_mock.http.request import HttpRequest
from labs_mock.http.sending import Headers
from labs_mock.ids import request_id
from labs_mock.state import World
from labs_mock.state.account import Account
from labs_mock.state.arrival import Arrived
from labs_mock.state.commit import Commit
from labs_mock.state.episode import AppendedTurn, Episode
from labs_mock.state.quota import Quota
from labs_mock.state.record import Record

Payload = dict[str, Any]

MAX_BODY = 16 * 1024 * 1024  # bytes; the journal has no larger body
MAX_USER_AGENT = 200  # bytes, behind which the journal cuts it


@dataclass(slots=True)
class Exchange:
    """A request to a world, what the store returned when it arrived, and what its response has so far.

    All but these two belong to one computation of the response, which may have to be made again: `begin` forgets it.
    `token` names what it changes to the store, and `conflicts` counts the computations that the store refused to commit. After
    authentication there is the `account` of its key. `status`, `response_headers` and `findings` are of the response, `quota` is
    what its headers say, and `delivery` says how it is sent where that is not at once and whole. For the journal there are
    `rewards` and the hashes of their `conversations`, the numbers of scorers that were run and skipped, episode and turn.
    The store is to get the `created` episode or the `appended` turn; `remember` is called when it has them. `duration_ms` is what the response says that it took.
    """

    request: HttpRequest
    world: World
    arrived: Arrived = field(init=False)
    token: str = field(init=False)
    conflicts: int = field(init=False)
    account: Account = field(init=False)
    request_id: str = field(init=False)
    response_headers: Headers = field(init=False)
    status: int = field(init=False)
    quota: Quota | None = field(init=False)
    findings: list[Finding] = field(init=False)
    delivery: Delivery | None = field(init=False)
    rewards: list[float | None] = field(init=False)
    conversations: list[int] = field(init=False)
    scorers_run: int = field(init=False)
    scorers_skipped: int = field(init=False)
    episode: str | None = field(init=False)
    turn: int | None = field(init=False)
    created: Episode | None = field(init=False)
    appended: AppendedTurn | None = field(init=False)
    remember: Callable[[], None] | None = field(init=False)
    duration_ms: int | None = field(init=False)

    def begin(self, arrived: Arrived, token: str, conflicts: int = 0) -> None:
        """Begin to compute the response to a request that has arrived (ID-1)."""
        self.arrived, self.token, self.conflicts = arrived, token, conflicts
        self.request_id = request_id(self.world.settings.seed, arrived.fingerprint, arrived.attempt)
        self.response_headers = [(b"x-request-id", self.request_id.encode())]
        self.status = 200
        self.quota = None
        self.findings = []
        self.delivery = Delivery(self.findings) if arrived.faults else None
        self.rewards, self.conversations = [], []
        self.scorers_run = self.scorers_skipped = 0
        self.episode = self.turn = None
        self.created = self.appended = self.remember = self.duration_ms = None

    def begin_without_store(self) -> None:
        """Begin to compute the response to a request that no store has counted: it has an id all the same, and no account."""
        self.begin(self.world.arrived_alone(self.request.arrival(api=False)), "")

    def add_quota(self, quota: Quota) -> None:
        """Put a quota into the headers of the response (RL-1)."""
        self.quota = quota
        self.response_headers += (
            (b"x-ratelimit-limit", b"%d" % quota.limit),
            (b"x-ratelimit-remaining", b"%d" % quota.remaining),
            (b"x-ratelimit-reset", b"%d" % quota.reset),
        )

    def redact(self, text: str) -> str:
        """A text in which neither a key nor a credential of this request can be read (ERR-2)."""
        redactor, key = self.world.redactor, self.request.key
        # A valid key is unknown here if another process has added it: then it is masked where it is whole, but not cut short.
        known = self.arrived.account is not None and key is not None and self.world.knows_key(key.decode())
        return (redactor if known else redactor.including(self.request.credentials))(text)

    def elapsed_ms(self) -> int:
        """Milliseconds from the arrival of the request to the first call of this, on the world's clock (DET-1)."""
        if self.duration_ms is None:
            self.duration_ms = int((self.arrived.clock.now() - self.arrived.now) * 1000)
        return self.duration_ms

    def refuse(self, status: int) -> None:
        """Respond with an error: nothing is changed, and no reward is served."""
        self.status = status
        self.rewards, self.conversations = [], []
        self.created = self.appended = self.remember = None

    def commit(self, body: bytes) -> Commit:
        """All that the request changes, its record among it; `body` is that of the response, empty for a stream."""
        return Commit(
            self.arrived.epoch,
            self.token,
            self._record(body),
            tuple(self.conversations),
            self.created,
            self.appended,
        )

    def committed(self, number: int) -> None:
        """What the request changes is in the store, and its record has this number."""
        if self.delivery is not None:
            self.delivery.recorded(partial(self.world.store.amend_record, self.arrived.epoch, self.token, number))
        if self.remember is not None:
            self.remember()

    def _record(self, body: bytes) -> Record:
        request, arrived, account = self.request, self.arrived, self.arrived.account
        quota = self.quota
        return Record(
            arrived.now,
            request.method,
            request.path,
            request.query,
            account.organisation if account else None,
            account.masked if account else None,
            (request.key.decode(),) if account and request.key else request.credentials,
            self.request_id,
            request.size,
            None if request.too_large or len(request.body) > MAX_BODY else request.body,
            self.status,
            body if len(body) <= MAX_BODY else None,
            self.elapsed_ms(),
            tuple(self.findings),
            tuple([fault.id for fault in arrived.faults]),
            tuple(self.rewards),
            self.scorers_run,
            self.scorers_skipped,
            self.episode,
            self.turn,
            tuple(self.delivery.notes) if self.delivery is not None else (),
            arrived.fingerprint,
            arrived.order,
            None if quota is None else quota.reset,
            request.peer,
            request.headers.get(b"user-agent", b"")[:MAX_USER_AGENT],
        )
