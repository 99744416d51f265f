"""JSON Schemas in words, as cells of a Markdown table."""

from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]

_LIMITS: dict[str, Callable[[Any], str]] = {
    "minimum": "at least {:,}".format,
    "exclusiveMinimum": "more than {:,}".format,
    "maximum": "at most {:,}".format,
    "exclusiveMaximum": "less than {:,}".format,
    "multipleOf": "a multiple of {:,}".format,
    "minLength": lambda count: f"at least {_count(count, 'character')}",
    "maxLength": lambda count: f"at most {_count(count, 'character')}",
    "minItems": lambda count: f"at least {_count(count, 'item')}",
    "maxItems": lambda count: f"at most {_count(count, 'item')}",
    "pattern": lambda pattern: f"matches {code(pattern)}",
    "format": lambda name: f"in the format {name}",
}


def in_words(schema: Schema) -> str:
    """What a value may be: its type, its values and its limits; a model is a link to it on the same page."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[`{name}`](#{name})"
    for key in ("anyOf", "oneOf"):
        if key in schema and "type" not in schema:
            return " or ".join(dict.fromkeys(map(in_words, schema[key])))
    if "const" in schema:
        return code(_literal(schema["const"]))
    if "enum" in schema:
        return ", ".join(code(_literal(value)) for value in schema["enum"])
    limits = [words(schema[key]) for key, words in _LIMITS.items() if key in schema]
    return ", ".join([_type(schema), *limits])


def _type(schema: Schema) -> str:
    kind = schema.get("type", "anything")
    if kind == "array" and "items" in schema:
        return f"list of: {in_words(schema['items'])}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of: {in_words(schema['additionalProperties'])}"
    return {"array": "list", "integer": "whole number"}.get(kind, kind) if isinstance(kind, str) else " or ".join(kind)


def _literal(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def code(text: str) -> str:
    """A text as code within a cell of a table."""
    return f"`{text}`"


def cell(text: str) -> str:
    """A text with code in it within a cell of a table; what looks like an element of HTML there is none."""
    parts = text.replace("\n", " ").split("`")
    parts[::2] = [part.replace("|", "\\|").replace("<", "&lt;") for part in parts[::2]]
    return "`".join(parts)
