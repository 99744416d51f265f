"""The fault plan for the script that counts arrivals: the process compares what a body says, the script what has to be counted."""

from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from labs_mock.contract.limits import EPISODE_LIFETIME
from labs_mock.state.fault_matching import delay_of, matches
from labs_mock.state.fault_target import FaultTarget
from labs_mock.state.planned_fault import PlannedFault, TriggeredFault
from labs_mock.state.redis.control_document import ControlDocument, without_slugs

SHARES = 32
"""For so many attempts at a time the script is told which of them a fault with a share takes: it cannot hash."""

COUNTED = "nth", "every", "first", "attempts"


class FaultRule(NamedTuple):
    """A fault, itself without filters by scenario, and what of it the script needs."""

    fault: PlannedFault
    bare: PlannedFault
    terms: dict[str, Any]


@lru_cache(maxsize=4)
def _rules(document: ControlDocument) -> dict[str, FaultRule]:
    rules = {}
    for serial, fault in document.faults:
        entry = fault.entry
        terms = {name: getattr(entry, name) for name in COUNTED if getattr(entry, name) is not None}
        terms |= {"serial": serial, "error": entry.status is not None}
        rules[serial] = FaultRule(fault, without_slugs(fault), terms)
    return rules


def matching_rules(rules: dict[str, FaultRule], target: FaultTarget, seed: int, first: int) -> list[dict[str, Any]]:
    """What the script needs of each fault that a request may match; of shares those of the attempts from `first` on."""
    found = []
    for fault, bare, terms in rules.values():
        entry = fault.entry
        by_episode = bool(target.named_episode) and (
            entry.collection_slug is not None or entry.scenario_slug is not None
        )
        if not matches(bare if by_episode else fault, target):
            continue
        made = dict(terms)
        if by_episode:
            slugs = {"collection": entry.collection_slug, "slug": entry.scenario_slug}
            made |= {"lifetime": EPISODE_LIFETIME, **{name: slug for name, slug in slugs.items() if slug is not None}}
        if entry.share is not None:
            made["share"] = "".join([_share(fault, entry.share, target, seed, first + n) for n in range(SHARES)])
        found.append(made)
    return found


def _share(fault: PlannedFault, share: float, target: FaultTarget, seed: int, attempt: int) -> str:
    target.attempt = attempt
    return "1" if target.seeded(seed, f"fault {fault.id}") < share else "0"


class FaultRules:
    """The rules of a document for one request."""

    def __init__(self, document: ControlDocument, target: FaultTarget, seed: int) -> None:
        self._rules, self._target, self._seed = _rules(document), target, seed

    def text(self, first: int) -> bytes:
        """As the script reads them."""
        return orjson.dumps(matching_rules(self._rules, self._target, self._seed, first))

    def triggered(self, serials: list[bytes], attempt: int) -> tuple[TriggeredFault, ...]:
        """The faults that the request, as so many-th attempt, has triggered."""
        self._target.attempt = attempt
        faults = [self._rules[serial.decode()].fault for serial in serials]
        return tuple([TriggeredFault(one.id, one.entry, delay_of(one, self._target, self._seed)) for one in faults])
