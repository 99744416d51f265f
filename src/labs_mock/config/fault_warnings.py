"""Filters of a fault that match nothing that there is, which is allowed and probably not meant."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from labs_mock.config.server_file import LOCAL
from labs_mock.contract.operations import OPERATIONS
from labs_mock.scenario.files.paths import Mistake, mappings, texts


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What filters may name; `scenarios` are pairs of a collection and a slug, datasets are ids in lower case."""

    scenarios: Collection[tuple[str, str]]
    datasets: Collection[str]
    organisations: Collection[str]
    keys: Collection[str]


def plan_warnings(
    data: dict[str, Any], scenarios: Collection[tuple[str, str]], datasets: Collection[str]
) -> Iterator[Mistake]:
    """The filters in the fault plan of a server file that match nothing, each at its place in the file."""
    keys, organisations = ([name for _, name in texts(data, f"keys.*.{field}")] for field in ("key", "organisation"))
    if not keys:  # then the one key is a setting
        keys, organisations = [key for _, key in texts(data, "faults.*.key")], [LOCAL]
    known = KnownNames(scenarios, datasets, organisations, keys)
    for place, fault in mappings(data, "faults.*"):
        for name, reason in fault_warnings(fault, known):
            yield Mistake((*place, name), f"{name}: {reason}", "the fault will never happen")


def fault_warnings(fault: dict[str, Any], known: KnownNames) -> Iterator[tuple[str, str]]:
    """Each filter of a fault that matches nothing, with the reason. Values that are not text are passed over."""
    filters = {name: value for name, value in fault.items() if isinstance(value, str)}
    method, path = filters.get("method"), filters.get("path", "*")
    paths = [operation.full_path for operation in OPERATIONS if method in (None, operation.method)]
    if not any(_overlap(path, one.replace("{id}", "*")) for one in paths):
        yield "path", "no operation of the API has a path like this" + (" and this method" if method else "")
    if filters.get("dataset", "").lower() not in ("", *known.datasets):
        yield "dataset", "no dataset has this id"
    if filters.get("organisation", "") not in ("", *known.organisations):
        yield "organisation", "no key belongs to it"
    if filters.get("key", "") not in ("", *known.keys):
        yield "key", "there is no such key"
    collection, scenario = filters.get("collection_slug"), filters.get("scenario_slug")
    if not any(collection in (None, one) and scenario in (None, other) for one, other in known.scenarios):
        yield f"{'scenario' if scenario else 'collection'}_slug", "no scenario is called so"


def _overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns, in which * stands for anything."""
    reached, seen = [(one, other)], set()
    while reached:
        left, right = pair = reached.pop()
        if left == right == "":
            return True
        if pair not in seen:
            seen.add(pair)
            reached += [(left[1:], right)] * (left[:1] == "*") + [(left, right[1:])] * (right[:1] == "*")
            if left and right and (left[0] == right[0] or "*" in (left[0], right[0])):
                reached.append((left if left[0] == "*" else left[1:], right if right[0] == "*" else right[1:]))
    return False
