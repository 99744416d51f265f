"""Whether a valid input can contain a pattern. It is found where a schema plainly excludes it; all else counts as possible."""

import operator
from collections.abc import Callable, Iterable
from typing import Any

from labs_mock.scenario.files.paths import Steps
from labs_mock.scenario.rules.inputs import contains

Misfit = tuple[Steps, str] | None
"""The path in a pattern of something that cannot be, and why."""

MAX_SHOWN = 10  # values of an enum in a message


def misfit(schema: Any, pattern: Any) -> Misfit:
    """Why no input that is valid by a JSON Schema contains a pattern as `calls: {input: …}` means it; None if one may."""
    return _Search(schema).misfit(schema, pattern)


class _Search:
    """Compares each part of the schema with each part of the pattern once, so that references in a circle end."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._found: dict[tuple[int, int], Misfit] = {}

    def misfit(self, schema: Any, pattern: Any) -> Misfit:
        pair = (id(schema), id(pattern))
        if pair not in self._found:
            self._found[pair] = None  # until the search below ends
            self._found[pair] = self._look(schema, pattern)
        return self._found[pair]

    def _look(self, schema: Any, pattern: Any) -> Misfit:
        if schema is False:
            return (), "the schema allows nothing here"
        if not isinstance(schema, dict):
            return None
        if "$ref" in schema:  # keys beside it count in some drafts only
            return self.misfit(self._resolve(schema["$ref"]), pattern)
        reason = _unlike(schema, pattern)
        return ((), reason) if reason else self._members(schema, pattern) or self._combined(schema, pattern)

    def _resolve(self, reference: Any) -> Any:
        """What a reference inside the schema refers to; True, which allows anything, where that is not plain."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return True
        place = self._root
        for step in reference[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(place, dict) or name not in place:
                return True
            place = place[name]
        return place

    def _members(self, schema: dict[str, Any], pattern: Any) -> Misfit:
        """What is below a key, or in a list."""
        pairs: Iterable[tuple[str | int, Any]] = ()
        if isinstance(pattern, dict):
            pairs = ((key, _below(schema, key)) for key in pattern)
        elif isinstance(pattern, list) and "prefixItems" not in schema:
            items = schema.get("items", True)
            pairs = ((index, True if isinstance(items, list) else items) for index in range(len(pattern)))
        for step, below in pairs:
            if below is False:
                return (step,), f"the schema allows no '{step}'" if isinstance(
                    step, str
                ) else "the list has to be empty"
            found = self.misfit(below, pattern[step])
            if found is not None:
                return (step, *found[0]), found[1]
        return None

    def _combined(self, schema: dict[str, Any], pattern: Any) -> Misfit:
        for part in _list(schema.get("allOf")):
            found = self.misfit(part, pattern)
            if found is not None:
                return found
        for name in ("anyOf", "oneOf"):
            alternatives = [self.misfit(part, pattern) for part in _list(schema.get(name))]
            if alternatives and None not in alternatives:
                return (), f"it fits none of the schema's {len(alternatives)} alternatives"
        return None


def _below(schema: dict[str, Any], key: str) -> Any:
    """The schema of a member of an object."""
    properties = schema.get("properties")
    if isinstance(properties, dict) and key in properties:
        return properties[key]
    return True if schema.get("patternProperties") else schema.get("additionalProperties", True)


def _unlike(schema: dict[str, Any], pattern: Any) -> str:
    """Why no value that the schema allows can be, or contain, the pattern, whatever its members are; empty if one can."""
    known = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(known, list) and not any(contains(value, pattern) for value in known):
        more = ", …" if len(known) > MAX_SHOWN else ""
        return f"the schema allows only {', '.join(map(_shown, known[:MAX_SHOWN]))}{more}"
    types = schema.get("type")
    names = [types] if isinstance(types, str) else _list(types)
    if names and not _kinds(pattern) & {name for name in names if isinstance(name, str)}:
        return f"the schema wants {' or '.join(map(str, names))}"
    if "number" in _kinds(pattern):
        for name, allowed in _BOUNDS.items():
            bound = schema.get(name)
            if isinstance(bound, int | float) and not isinstance(bound, bool) and not allowed(pattern, bound):
                return f"the schema has {name} {bound}"
    return ""


_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": operator.ge,
    "maximum": operator.le,
    "exclusiveMinimum": operator.gt,
    "exclusiveMaximum": operator.lt,
}
_TYPES: dict[type, str] = {str: "string", list: "array", dict: "object"}


def _kinds(pattern: Any) -> set[str]:
    """The types of JSON Schema that a value has."""
    if isinstance(pattern, bool):
        return {"boolean"}
    if isinstance(pattern, int | float):
        return {"number", "integer"} if pattern == int(pattern) else {"number"}
    return {_TYPES.get(type(pattern), "null")}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _shown(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)
