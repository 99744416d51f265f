"""Fields and keys of a request that the contract does not have: ignored, but reported (GEN-4, GEN-6)."""

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import chain, islice
from typing import Any, get_args, get_type_hints

import jiter

from labs_mock.contract.findings import Finding
from labs_mock.contract.parsing import may_drop_keys
from labs_mock.contract.requests import Message, WireModel
from labs_mock.text import did_you_mean

MAX_REPORTED = 20  # unknown fields of one request, or duplicate keys; more teach nothing
MAX_SEARCHED = 256 * 1024  # bytes of a body in which each duplicate key is looked for
_CURE = "send it once"
_OBJECTS = {dict}


def unknown_fields(model: type[WireModel], value: dict[str, Any], place: str = "") -> list[Finding]:
    """Fields that the contract does not know; what else is wrong with the value is passed over (GEN-4)."""
    found: list[Finding] = []
    _note_unknown(model, value, place, found)
    return found


def duplicate_keys(body: bytes, value: Any) -> list[Finding]:
    """Keys that stand twice in an object of a body that was read as a value; the last one wins (GEN-6).

    Each at its place; in a large body only the first one is found, and only its name.
    """
    if not may_drop_keys(body, value):
        return []
    try:
        jiter.from_json(body, cache_mode="none", catch_duplicate_keys=True)
    except ValueError as error:  # it stops at the first and does not say where; so look again, slowly
        if len(body) > MAX_SEARCHED:
            return [Finding("duplicate_key", str(error).partition('"')[2].rpartition('"')[0], _CURE)]
        places = dict.fromkeys(_duplicates(json.loads(body, object_pairs_hook=_Object), ""))
        return [Finding("duplicate_key", place, _CURE) for place in islice(places, MAX_REPORTED)]
    return []


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys stood there more than once, in their order."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counted = Counter(key for key, _ in pairs) if len(self) < len(pairs) else {}
        self.twice = [key for key, number in counted.items() if number > 1]


def _duplicates(value: Any, place: str) -> Iterator[str]:
    """The places of duplicate keys, depth first; values that another one replaced are not looked into."""
    if isinstance(value, _Object):
        yield from (f"{place}{key}" for key in value.twice)
        for key, child in value.items():
            yield from _duplicates(child, f"{place}{key}.")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _duplicates(child, f"{place}{index}.")


def _note_unknown(model: type, value: dict[str, Any], place: str, found: list[Finding]) -> None:
    fields, nested = _fields(model)
    if not value.keys() <= fields:
        unknown = (name for name in value if name not in fields)
        found += [
            Finding("unknown_field", f"{place}{name}", did_you_mean(name, sorted(fields)))
            for name in islice(unknown, MAX_REPORTED - len(found))
        ]
    for name, inner in nested:
        child = value.get(name)
        if isinstance(child, dict):
            _note_unknown(inner, child, f"{place}{name}.", found)
        elif isinstance(child, list):
            plain = _plain(inner)
            if set(map(type, child)) == _OBJECTS and plain.issuperset(chain.from_iterable(child)):
                continue  # as most: no member is looked at by itself
            for index, member in enumerate(child):
                if isinstance(member, dict) and not member.keys() <= plain:
                    _note_unknown(inner, member, f"{place}{name}.{index}.", found)


@cache
def _fields(model: type) -> tuple[frozenset[str], list[tuple[str, type]]]:
    """The fields of a model or typed dict, and those that contain objects or lists of them, with the types of these."""
    fields = get_type_hints(model)
    nested = [(name, _model_in(annotation)) for name, annotation in fields.items()]
    return frozenset(fields), [(name, inner) for name, inner in nested if inner is not None]


@cache
def _plain(model: type) -> frozenset[str]:
    """The fields below which nothing can be unknown."""
    fields, nested = _fields(model)
    return fields - {name for name, _ in nested}


def _model_in(annotation: Any) -> Any:
    if annotation is Message or (isinstance(annotation, type) and issubclass(annotation, WireModel)):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)
