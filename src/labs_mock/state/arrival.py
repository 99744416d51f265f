"""How a request arrives: what it is, and what the store returns for it in one operation."""

from typing import NamedTuple

from labs_mock.clock import Clock
from labs_mock.state.account import Account
from labs_mock.state.planned_fault import TriggeredFault
from labs_mock.state.quota import Quota


class Arrival(NamedTuple):
    """A request whose head and body have arrived. `query` is without its `?`; `key` is the digest of its bearer key (`key_digest`).

    `api` says that it is a request under `/api/v1` with a head of a legal size: only such a one triggers faults. `valid` says
    that its path, method and body have passed every check that needs no state: only such a one uses the key's quota (RL-1).
    """

    method: str
    path: str
    query: str
    body: bytes
    key: bytes | None
    api: bool
    valid: bool


class Arrived(NamedTuple):
    """A request as the store has counted it.

    `epoch` names the store's contents since the last reset of everything, `revision` numbers the library of now. `now` is when
    it arrived, in unix seconds on `clock`, and `order` how many requests have arrived with it. `account` is None without a valid key (AUTH-1). `fingerprint` is that of the request
    and its organisation ("" without an account), `attempt` how many requests with the same one were counted before (DET-3).
    `quota` is None where none was used, `faults` are those that it triggers, in the order of the plan.
    """

    epoch: str
    revision: int
    clock: Clock
    now: float
    order: int
    account: Account | None
    fingerprint: bytes
    attempt: int
    quota: Quota | None
    faults: tuple[TriggeredFault, ...]
