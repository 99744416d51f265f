"""The tools of a scenario: what clients see of them, and which calls are valid (EP-2, EP-12)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

from labs_mock.contract.wording import quote
from labs_mock.scenario.files.schema import ToolFile
from labs_mock.text import did_you_mean

MAX_MESSAGE = 200  # characters of a validator's message, and of a path
EXAMPLES = {"string": "…", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}
"""What stands for a value of a type in an example."""
_LINEAR = jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)


def _no_retrieval(uri: str) -> Any:
    raise ValueError(f"the schema refers to {uri[:80]}, and nothing is fetched")


def compile_schema(schema: dict[str, Any], mask: str | None = None) -> jsonschema_rs.Validator:
    """A validator of a JSON Schema; `mask` stands for the values in its messages.

    Raises `ValueError` for what is no schema or refers outside itself.
    """
    try:
        return jsonschema_rs.validator_for(schema, mask=mask, pattern_options=_LINEAR, retriever=_no_retrieval)
    except jsonschema_rs.ValidationError as error:
        raise ValueError(error.message) from None
    except jsonschema_rs.ReferencingError as error:
        raise ValueError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of a scenario: what clients see of it, and the validator of its inputs."""

    id: str
    type: str
    name: str
    options: tuple[str, ...] | None
    wire: dict[str, Any]
    _validator: jsonschema_rs.Validator | None = field(repr=False, compare=False)

    @classmethod
    def from_file(cls, file: ToolFile) -> "Tool":
        """The tool of a checked file."""
        return cls(
            id=file.id,
            type=file.type,
            name=file.name,
            options=None if file.options is None else tuple(file.options),
            wire=file.model_dump(exclude_none=True),
            _validator=None if file.json_schema is None else compile_schema(file.json_schema, "the value"),
        )

    @property
    def input_schema(self) -> Any:
        """The JSON Schema of its inputs, also where it has options."""
        if self.options is None:
            return self.wire["json_schema"]
        value = {"enum": list(self.options)}
        return {"type": "object", "required": ["value"], "properties": {"value": value}, "additionalProperties": False}

    @property
    def example(self) -> dict[str, Any]:
        """An input to begin with: the first option, or each property with its first value or one of its type."""
        if self.options:
            return {"value": self.options[0]}
        fields = self.wire["json_schema"].get("properties") or {}
        return {name: _example(schema) for name, schema in fields.items()}

    def accepts(self, kind: str, value: Any) -> bool:
        """Whether a call of this type and with this input is valid (EP-12)."""
        if kind != self.type or not isinstance(value, dict):
            return False
        if self._validator is not None:
            return self._validator.is_valid(value)
        return value.keys() == {"value"} and isinstance(value["value"], str) and value["value"] in (self.options or ())

    def problem(self, kind: str, value: Any) -> tuple[str, str] | None:
        """Where a call is invalid, as a path within it, and what was expected there; None for a valid one (EP-12)."""
        if self.accepts(kind, value):
            return None
        path, expected = self._problem(kind, value)
        return path, f"{self.id}: {expected}"

    def _problem(self, kind: str, value: Any) -> tuple[str, str]:
        if kind != self.type:
            return "type", f"expected {self.type}, got {quote(kind)}"
        if not isinstance(value, dict):
            return "input", "expected an object"
        if self._validator is not None:
            error = next(iter(self._validator.iter_errors(value)))
            where = _path("schema", error.schema_path)
            return _path("input", error.instance_path), f"{error.message[:MAX_MESSAGE]} ({where})"
        option, options = value.get("value"), self.options or ()
        if isinstance(option, str) and option not in options:
            return "input.value", f"unknown option {quote(option)}; {did_you_mean(option, options)}"
        return "input", f'expected {{"value": …}} with one of: {", ".join(options)}'


def _example(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return "…"
    return (schema.get("enum") or [schema.get("const", EXAMPLES.get(str(schema.get("type")), "…"))])[0]


def _path(name: str, steps: Iterable[str | int]) -> str:
    return ".".join([name, *map(str, steps)])[:MAX_MESSAGE]
