"""Whether a fault matches a request, whether that triggers it, and for how long it delays the response."""

from fnmatch import fnmatchcase
from math import exp
from statistics import NormalDist

from labs_mock.config.fault_entry import LogNormal, Uniform
from labs_mock.state.fault_target import FaultTarget
from labs_mock.state.planned_fault import PlannedFault


def matches(fault: PlannedFault, target: FaultTarget) -> bool:
    """Whether a request passes the filters of a fault."""
    entry = fault.entry
    return (
        entry.method in (None, target.method)
        and (entry.path is None or fnmatchcase(target.path, entry.path))
        and entry.organisation in (None, target.organisation)
        and (fault.key is None or fault.key.digest == target.key)
        and (entry.dataset is None or entry.dataset.lower() == target.dataset)
        and (entry.item is None or entry.item in target.items)
        and (
            (entry.collection_slug is None and entry.scenario_slug is None)
            or any(
                entry.collection_slug in (None, collection) and entry.scenario_slug in (None, scenario)
                for collection, scenario in target.scenarios
            )
        )
    )


def is_triggered(fault: PlannedFault, matched: int, target: FaultTarget, seed: int) -> bool:
    """Whether a request triggers a fault that it matches, as the `matched`-th that does, from 1."""
    entry = fault.entry
    if entry.share is not None:
        return target.seeded(seed, f"fault {fault.id}") < entry.share
    return (
        (entry.nth is None or matched == entry.nth)
        and (entry.every is None or matched % entry.every == 0)
        and (entry.first is None or matched <= entry.first)
        and (entry.attempts is None or target.attempt < entry.attempts)
    )


def delay_of(fault: PlannedFault, target: FaultTarget, seed: int) -> float:
    """The seconds of its delay for a request, the same whenever that arrives; 0 without one."""
    delay = fault.entry.delay
    if not isinstance(delay, Uniform | LogNormal):
        return delay or 0.0
    number = target.seeded(seed, f"delay {fault.id}")
    if isinstance(delay, Uniform):
        return delay.low + number * (delay.high - delay.low)
    return delay.median * exp(delay.sigma * NormalDist().inv_cdf(number or 0.5))
