"""Requests as they arrive: what the process knows goes in, what has to be counted is counted in one script."""

from typing import Any

from labs_mock.contract.limits import WINDOW
from labs_mock.ids import fingerprint
from labs_mock.state.arrival import Arrival, Arrived
from labs_mock.state.bounds import Bounds
from labs_mock.state.fault_target import FaultTarget
from labs_mock.state.quota import Quota
from labs_mock.state.redis.control_document import Control
from labs_mock.state.redis.control_plane import ControlPlane
from labs_mock.state.redis.fault_rules import SHARES, FaultRules
from labs_mock.state.redis.scripts import Operations
from labs_mock.state.store import PARTS


class Arrivals:
    """Counts requests."""

    def __init__(self, operations: Operations, plane: ControlPlane, bounds: Bounds, seed: int) -> None:
        self._operations, self._plane, self._bounds, self._seed = operations, plane, bounds, seed

    async def count(self, arrival: Arrival) -> Arrived:
        """What `Store.arrive` says."""
        control, first = await self._plane.known(), 0
        while True:
            arrived = await self._attempt(arrival, control, first)
            if isinstance(arrived, Arrived):
                return arrived
            status, *rest = arrived
            if status == b"gone":
                control = await self._plane.create()
            elif status == b"older":  # what was acknowledged is not there any more: everything begins anew
                seen = self._plane.seen
                await self._plane.reset(list(PARTS), seen)
                control = await self._plane.known()
            elif status == b"changed":
                control = self._plane.take(*rest)
            else:
                first = rest[0] // SHARES * SHARES

    async def _attempt(self, arrival: Arrival, control: Control, first: int) -> Arrived | list[Any]:
        method, path, query, body, key, api, valid = arrival
        document, now = control.document, control.document.clock.now()
        account = None if key is None else control.accounts.get(key)
        if account is not None and not account.is_valid(now):
            account = None
        name = fingerprint(
            "" if account is None else account.organisation, method, f"{path}?{query}" if query else path, body
        )
        rules, episode = None, ""
        if api and document.faults:
            target = FaultTarget(arrival, account, name, 0, lambda _: None)
            rules, episode = FaultRules(document, target, self._seed), target.named_episode
        limit = account.requests_per_minute if valid and account is not None else ""
        status, *rest = await self._operations.run(
            "arrive",
            control.revision,
            self._plane.seen,
            repr(now),
            name,
            self._bounds.attempts,
            key or b"",
            limit,
            b"" if rules is None else rules.text(first),
            episode,
            first,
            again=False,
        )
        if status != b"done":
            return [status, *rest]
        order, moment, attempt, counted, used, window, allowed, serials = rest
        self._plane.seen = max(self._plane.seen, order)
        quota = None
        if counted != b"":
            quota = Quota(int(counted), int(counted) - used, (window + 1) * WINDOW, bool(allowed))
        faults = () if rules is None else rules.triggered(serials, attempt)
        return Arrived(
            document.epoch,
            document.library,
            document.clock,
            float(moment),
            order,
            account,
            name,
            attempt,
            quota,
            faults,
        )
