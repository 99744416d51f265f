"""From the bytes of a request to a model, or to a 400 that names the place (GEN-3, GEN-6, ERR-2)."""

import re
from itertools import chain
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from labs_mock.contract.limits import MAX_NESTING, MAX_QUOTE, WINDOW_PATTERN
from labs_mock.contract.wording import quote
from labs_mock.errors import BadRequest

Model = TypeVar("Model", bound=BaseModel)

MAX_REPORTED = 3
MAX_WALKED = 256 * 1024  # bytes of a body whose value is walked
MAX_QUOTED = MAX_QUOTE // MAX_REPORTED - 2  # with its quotation marks, in each of them


def read_json(body: bytes, content_type: bytes | None) -> dict[str, Any]:
    """The JSON object in a body.

    Raises `BadRequest` for another content type, for what is not JSON (NaN, numbers beyond a double, lone
    surrogates and bytes that are not UTF-8 among it), for more than 64 levels and for what is no object.
    """
    if content_type != b"application/json" and not _is_json(content_type):
        raise BadRequest("Content-Type: expected application/json")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        detail = error.msg.partition(": line")[0]
        raise BadRequest(f"body: expected JSON; {detail} at line {error.lineno}, column {error.colno}") from None
    if not isinstance(value, dict):
        raise BadRequest(f"body: expected a JSON object, got {_kind(value)}")
    if _may_be_deep(body) and _deeper_than(body, value, MAX_NESTING):
        raise BadRequest(f"body: expected at most {MAX_NESTING} levels of nesting")
    return value


def may_drop_keys(body: bytes, value: Any) -> bool:
    """Whether a body that was read as a value may have keys that others replaced (GEN-6); for most a look says no.

    A key that was dropped took its colon with it; only a colon that is escaped in a text may stand for it.
    """
    written = orjson.dumps(value)
    if written == body:  # as most clients write it
        return False
    return written.count(b":") != body.count(b":") or rb"\u003" in body


def read_model(model: type[Model], value: dict[str, Any], place: str = "") -> Model:
    """The model of a JSON object that stands at a place. Raises `BadRequest` that names up to three fields by path."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise BadRequest(_explain(error.errors(include_url=False), place)) from None


def _is_json(content_type: bytes | None) -> bool:
    if content_type is None:
        return False
    kind, _, parameters = content_type.decode("latin-1").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    return kind.strip().lower() == "application/json" and charset in ("", "charset=utf-8")


def _may_be_deep(body: bytes) -> bool:
    """Whether a body has brackets enough for too many levels; most have not, and need not be walked."""
    # Not by `count`, which looks at each byte by itself.
    found = [len(body.split(bracket, MAX_NESTING + 1)) - 1 for bracket in (b"{", b"[")]
    return sum(found) > MAX_NESTING


def _deeper_than(body: bytes, value: dict[str, Any], levels: int) -> bool:
    """Whether a body that was read as a value has more levels of nesting, in values that a duplicate key replaces, too.

    A text takes four times as long as the value, and no memory to speak of, which counts in a large body.
    """
    if len(body) > MAX_WALKED:
        return _text_deeper_than(body, levels)
    return _value_deeper_than(value, levels) or (may_drop_keys(body, value) and _text_deeper_than(body, levels))


def _value_deeper_than(value: dict[str, Any], levels: int) -> bool:
    objects: list[dict[str, Any]] = [value]
    lists: list[list[Any]] = []
    for _ in range(levels):
        children = list(chain(chain.from_iterable(map(dict.values, objects)), chain.from_iterable(lists)))
        kinds = set(map(type, children))
        objects = [child for child in children if type(child) is dict] if dict in kinds else []
        lists = [child for child in children if type(child) is list] if list in kinds else []
        if not objects and not lists:
            return False
    return True


def _text_deeper_than(body: bytes, levels: int) -> bool:
    """Only its brackets matter, and not their kind: each round of removing empty pairs takes the innermost level away."""
    brackets = _STRING.sub(b"", body).translate(_ONE_KIND, _NO_BRACKETS)
    for _ in range(levels):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

_COMPLETE = ("missing", "extra_forbidden", "too_many_units")  # say all that there is to say
_PATTERNS = {WINDOW_PATTERN: "expected a whole number and d, w, m or n, such as 7d"}
_EXPECTED = {
    "missing": "is required",
    "string_type": "expected text",
    "string_too_long": "expected at most {max_length:,} characters",
    "list_type": "expected a list",
    "too_long": "expected at most {max_length:,} entries",
    "string_pattern_mismatch": "expected text that matches {pattern}",
    "string_too_short": "expected at least {min_length} character",
    "too_short": "expected entries, at least {min_length}",
    "dict_type": "expected an object",
    "model_type": "expected an object",
    "model_attributes_type": "expected an object",
    "bool_type": "expected true or false",
    "float_type": "expected a number",
    "greater_than_equal": "expected a number of at least {ge:g}",
    "less_than_equal": "expected a number of at most {le:g}",
    "literal_error": "expected {expected}",
    "extra_forbidden": "is not a known name",
}


def _explain(errors: list[ErrorDetails], place: str) -> str:
    parts = [place + _sentence(error) for error in errors[:MAX_REPORTED]]
    if len(errors) > MAX_REPORTED:
        parts.append(f"and {len(errors) - MAX_REPORTED} more")
    return "; ".join(parts)


def _sentence(error: ErrorDetails) -> str:
    place = ".".join(str(step) if isinstance(step, int) else _step(step) for step in error["loc"]) or "body"
    template = _PATTERNS.get(error.get("ctx", {}).get("pattern", "")) or _EXPECTED.get(error["type"])
    expected = template.format(**error.get("ctx", {})) if template else error["msg"]
    quotable = error["type"] not in _COMPLETE and error["loc"][-1:] != ("key",)
    got = _got(error["input"]) if quotable else ""  # what stands in the place of a key may be one
    return f"{place}: {expected}{got}"


def _step(step: str) -> str:
    plain = len(step) <= MAX_QUOTED and step.isidentifier()
    return step if plain else quote(step, MAX_QUOTED)


def _got(value: Any) -> str:
    if isinstance(value, str):
        return f", got {len(value):,}" if len(value) > MAX_QUOTED else f", got {quote(value, MAX_QUOTED)}"
    if isinstance(value, list):
        return f", got {_kind(value)} of {len(value):,}"
    return f", got {_kind(value)}" if isinstance(value, dict) or value is None else f", got {str(value)[:MAX_QUOTED]}"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    return "something else"


_KINDS = ((bool, "true or false"), (str, "text"), (int | float, "a number"), (list, "a list"), (dict, "an object"))
