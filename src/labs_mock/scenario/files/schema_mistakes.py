"""Errors of the schema as sentences: what is wrong, and what was expected."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import cache, lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from labs_mock.scenario.files.paths import Mistake, Steps, Suggestion
from labs_mock.text import closest

_EXPECTED = {
    "missing": "expected '{key}' in this place",
    "string_type": "expected text; quote it if it looks like a number",
    "string_too_long": "expected at most {max_length} characters",
    "string_too_short": "expected at least {min_length} characters",
    "string_pattern_mismatch": "expected text that matches {pattern}",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "list_type": "expected a list",
    "dict_type": "expected keys and values",
    "model_type": "expected keys and values",
    "model_attributes_type": "expected keys and values",
    "too_short": "expected at least {min_length} entries",
    "too_long": "expected at most {max_length} entries",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than_equal": "expected at most {le}",
    "literal_error": "expected {expected}",
}


def schema_mistakes(model: type[BaseModel], error: ValidationError) -> Iterator[Mistake]:
    """Every error of a model as a mistake with its place; a misspelt key is not reported as missing too."""
    details = error.errors(include_url=False)
    places = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]
    unknown = [_unknown(model, place, number < MAX_CORRECTED) for number, place in enumerate(places)]
    misspelt = {(*mistake.path[:-1], mistake.meant) for mistake in unknown}
    yield from unknown
    for detail in details:
        missing = detail["type"] == "missing" and detail["loc"] in misspelt
        if detail["type"] != "extra_forbidden" and not missing:
            yield _mistake(detail)


MAX_CORRECTED = 20
"""Unknown keys that are compared with the known ones, to find which was meant."""

_FREE = ("json_schema", "exemplar", "input", "identity", "inline")
"""Keys below which anything may stand."""


def empty_values(value: Any, path: Steps = ()) -> Iterator[Mistake]:
    """Keys and list entries without a value, which YAML reads as null."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in children:
        if child is None:
            what = f"'{step}'" if isinstance(step, str) else "the entry"
            yield Mistake((*path, step), f"{what} has no value", "expected one; leave out what is not needed", True)
        elif step not in _FREE:
            yield from empty_values(child, (*path, step))


def with_known_keys(data: dict[str, Any], mistakes: Iterable[Mistake]) -> dict[str, Any]:
    """The data with misspelt keys corrected, so that checks do not find them again."""
    misspelt = [mistake for mistake in mistakes if mistake.meant]
    if not misspelt:
        return data
    data = deepcopy(data)
    for mistake in misspelt:
        place: Any = data
        for step in mistake.path[:-1]:
            known = (isinstance(place, list) and isinstance(step, int)) or (isinstance(place, dict) and step in place)
            place = place[step] if known else place
        if isinstance(place, dict) and mistake.path[-1] in place:
            place.setdefault(mistake.meant, place.pop(mistake.path[-1]))
    return data


def _unknown(model: type[BaseModel], path: Steps, compare: bool) -> Mistake:
    key, known = str(path[-1]), known_keys(model, tuple(0 if isinstance(step, int) else step for step in path[:-1]))
    meant = closest(key, known) if compare else ""
    return Mistake(path, f"unknown key '{key[:80]}'", Suggestion(key, known), at_key=True, meant=meant)


def _mistake(detail: ErrorDetails) -> Mistake:
    path, kind, context = detail["loc"], detail["type"], detail.get("ctx", {})
    key = path[-1] if path else ""
    if kind == "missing":
        return Mistake(path, f"'{key}' is missing", _EXPECTED[kind].format(key=key))
    expected = _EXPECTED[kind].format(**context) if kind in _EXPECTED else detail["msg"]
    if kind == "literal_error":
        choices = [_plain(choice) for choice in context["expected"].replace(" or ", ", ").split(", ")]
        return Mistake(
            _steps(path), f"not a good value: {_show(detail['input'])}", Suggestion(str(detail["input"])[:80], choices)
        )
    shown = "" if key == "key" else f": {_show(detail['input'])}"  # an API key is not shown, not even a bad one
    return Mistake(_steps(path), f"not a good value{shown}", expected, "[key]" in path)


def _steps(path: Steps) -> Steps:
    """Without pydantic's own steps, which are in brackets: "[key]" says that the key is at fault, others are arms of unions."""
    return tuple(step for step in path if not str(step).startswith(("[", "(")))


def _plain(choice: str) -> str:
    """A choice as a file has it: without quotes, and true instead of True."""
    return choice.strip("'") if choice.startswith("'") else choice.lower()


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return "keys and values"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value[:60] if isinstance(value, str) else value)[:60]


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


@lru_cache(maxsize=256)
def known_keys(model: type[BaseModel], path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys that a model knows at a path, found in its JSON Schema."""
    root = _schema(model)
    places = _arms(root, root)
    for step in path:
        places = [arm for place in places for child in _step(place, step) for arm in _arms(child, root)] or places
    return tuple(dict.fromkeys(key for place in places for key in place.get("properties", ())))


def _step(place: dict[str, Any], step: str | int) -> list[dict[str, Any]]:
    if isinstance(step, int):
        return [place["items"]] if "items" in place else []
    if step in place.get("properties", {}):
        return [place["properties"][step]]
    others = [place.get("additionalProperties"), *place.get("patternProperties", {}).values()]
    return [other for other in others if isinstance(other, dict)]


def _arms(place: dict[str, Any], root: dict[str, Any]) -> list[dict[str, Any]]:
    """A schema with its references followed and its unions taken apart."""
    if "$ref" in place:
        return _arms(root["$defs"][place["$ref"].rpartition("/")[2]], root)
    arms = [arm for key in ("anyOf", "oneOf") for choice in place.get(key, ()) for arm in _arms(choice, root)]
    return arms or [place]
