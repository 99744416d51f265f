import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.scenario.compiled.tools import Tool, compile_schema
from labs_mock.scenario.files.schema import ToolFile
from tests.scenario.rules.test_inputs import VALUES

IMAGING = Tool.from_file(
    ToolFile(
        id="order_imaging",
        type="artifact",
        name="Order imaging",
        mode="json_schema",
        json_schema={
            "type": "object",
            "required": ["region"],
            "properties": {"region": {"type": "string"}, "views": {"type": "integer", "minimum": 1}},
            "additionalProperties": False,
        },
    )
)
STATUS = Tool.from_file(
    ToolFile(id="claim_status", type="decision", name="Status", mode="options", options=["approved", "denied"])
)


@pytest.mark.parametrize(
    ("tool", "kind", "value"),
    [
        (IMAGING, "artifact", {"region": "back"}),
        (IMAGING, "artifact", {"region": "", "views": 2}),
        (STATUS, "decision", {"value": "approved"}),
        (STATUS, "decision", {"value": "denied"}),
    ],
)
def test_a_call_of_the_right_type_with_a_good_input_is_valid(tool: Tool, kind: str, value: Any) -> None:
    """An artifact's input is the schema's object, a decision's is `{"value": <option>}` (EP-9)."""
    assert tool.accepts(kind, value)


@pytest.mark.parametrize(
    ("tool", "kind", "value"),
    [
        (IMAGING, "decision", {"region": "back"}),
        (IMAGING, "", {"region": "back"}),
        (IMAGING, "artifact", {}),
        (IMAGING, "artifact", {"region": 1}),
        (IMAGING, "artifact", {"region": None}),
        (IMAGING, "artifact", {"region": "back", "views": 0}),
        (IMAGING, "artifact", {"region": "back", "views": True}),
        (IMAGING, "artifact", {"region": "back", "more": 1}),
        *[(IMAGING, "artifact", value) for value in (None, "back", 1, True, [], ["region"], [{"region": "back"}])],
        (STATUS, "artifact", {"value": "approved"}),
        (STATUS, "decision", {}),
        (STATUS, "decision", {"value": "Approved"}),
        (STATUS, "decision", {"value": "pending"}),
        (STATUS, "decision", {"value": None}),
        (STATUS, "decision", {"value": 1}),
        (STATUS, "decision", {"value": ["approved"]}),
        (STATUS, "decision", {"value": {"value": "approved"}}),
        (STATUS, "decision", {"value": "approved", "note": "x"}),
        (STATUS, "decision", {"option": "approved"}),
        *[(STATUS, "decision", value) for value in (None, "approved", 1, ["approved"])],
    ],
)
def test_a_call_of_another_type_or_with_another_input_is_invalid(tool: Tool, kind: str, value: Any) -> None:
    """A wrong type, or an input that breaks the schema or the options, makes a call invalid (EP-12)."""
    assert not tool.accepts(kind, value)


@given(st.text() | st.sampled_from(["artifact", "decision"]), VALUES)
def test_any_input_is_checked(kind: str, value: Any) -> None:
    """Tool misuse is graded, so checking an input never raises (EP-12)."""
    assert STATUS.accepts(kind, value) == (kind == "decision" and value in ({"value": "approved"}, {"value": "denied"}))
    assert IMAGING.accepts(kind, value) in (True, False)


def test_a_number_beyond_64_bits_is_checked() -> None:
    """Numbers of any size are checked like others."""
    assert not IMAGING.accepts("artifact", {"region": "back", "views": -(10**30)})
    assert not IMAGING.accepts("artifact", {"region": 10**30})


@pytest.mark.parametrize("tool", [IMAGING, STATUS])
def test_clients_see_what_a_tool_is_and_no_empty_fields(tool: Tool) -> None:
    """A tool has `id`, `type`, `name`, `mode` and what its mode needs; `description` is optional (EP-2)."""
    needed = "json_schema" if tool is IMAGING else "options"
    assert tool.wire.keys() == {"id", "type", "name", "mode", needed}


# Schemas


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:PORT/schema.json"},
        {"properties": {"a": {"$ref": "http://127.0.0.1:PORT/schema.json#/$defs/a"}}},
        {"$id": "http://127.0.0.1:PORT/", "allOf": [{"$ref": "schema.json"}]},
        {"$schema": "http://127.0.0.1:PORT/schema.json"},
        {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"$ref": "http://127.0.0.1:PORT/s.json"}]},
    ],
)
def test_a_remote_reference_is_refused_and_never_fetched(schema: dict[str, Any]) -> None:
    """A schema that refers to another server is an error, and nobody connects to that server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = str(listener.getsockname()[1])
        with pytest.raises(ValueError, match=r"127\.0\.0\.1"):
            compile_schema(_with_port(schema, port))
        with pytest.raises(BlockingIOError):
            listener.accept()


def _with_port(value: Any, port: str) -> Any:
    if isinstance(value, dict):
        return {key: _with_port(child, port) for key, child in value.items()}
    if isinstance(value, list):
        return [_with_port(child, port) for child in value]
    return value.replace("PORT", port) if isinstance(value, str) else value


def test_a_file_reference_is_refused(tmp_path: Path) -> None:
    """A schema cannot read files of this machine, though they be schemas."""
    (tmp_path / "s.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="nothing is fetched"):
        compile_schema({"$ref": (tmp_path / "s.json").as_uri()})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "objekt"},
        {"type": 5},
        {"required": "region"},
        {"$ref": 5},
        {"$ref": "#/$defs/missing"},
        {"minimum": "1"},
        {"properties": {"a": {"pattern": "(?=a)"}}},
        {"properties": {"a": {"pattern": "("}}},
        {"properties": {"a": {"pattern": "a{1000}{1000}"}}},
    ],
)
def test_what_is_no_schema_is_a_value_error(schema: dict[str, Any]) -> None:
    """What is no JSON Schema, or cannot be used as one, is reported as such."""
    with pytest.raises(ValueError, match=r"."):
        compile_schema(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/node", "$defs": {"node": {"required": ["a"], "properties": {"a": {"type": "string"}}}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"const": "x"}}, "required": ["a"]},
        {"required": ["a"], "properties": {"a": {"type": ["string", "null"], "pattern": "^x"}}},
    ],
)
def test_a_schema_may_refer_to_itself_and_be_of_another_draft(schema: dict[str, Any]) -> None:
    """References within the schema are followed, and `$schema` chooses a draft."""
    validator = compile_schema(schema)
    assert validator.is_valid({"a": "x"})
    assert not validator.is_valid({"b": "x"})


def test_a_pattern_that_hangs_elsewhere_takes_no_time() -> None:
    """Patterns of schemas take linear time."""
    validator = compile_schema({"pattern": "^(a+)+$"})
    assert validator.is_valid("a" * 10_000)
    assert not validator.is_valid("a" * 10_000 + "!")


# Values


def test_an_example_has_a_value_for_every_property() -> None:
    """A person gets something to change: the first option, an enum's first value, a constant, or a value of the type."""
    assert STATUS.example == {"value": "approved"}
    assert IMAGING.example == {"region": "…", "views": 0}
    properties: dict[str, Any] = {
        "side": {"enum": ["left", "right"]},
        "version": {"const": 2},
        "lists": {"type": "array"},
        "more": {"type": "object"},
        "sure": {"type": "boolean"},
        "dose": {"type": "number"},
        "note": {"type": ["string", "null"]},
        "any": True,
    }
    file = {
        "id": "a",
        "type": "artifact",
        "name": "A",
        "mode": "json_schema",
        "json_schema": {"properties": properties},
    }
    example = Tool.from_file(ToolFile.model_validate(file)).example
    assert example == {
        "side": "left",
        "version": 2,
        "lists": [],
        "more": {},
        "sure": False,
        "dose": 0,
        "note": "…",
        "any": "…",
    }
    assert Tool.from_file(ToolFile.model_validate({**file, "json_schema": {}})).example == {}
