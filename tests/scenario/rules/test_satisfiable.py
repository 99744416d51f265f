from typing import Any

import jsonschema_rs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labs_mock.scenario.rules.inputs import contains
from labs_mock.scenario.rules.satisfiable import misfit

NODE = {"$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "n": {"type": "integer"}}}},
        "$ref": "#/$defs/node"}  # fmt: skip
CLOSED = {"type": "object", "properties": {"region": {"enum": ["back", "neck"]}}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "pattern", "where", "reason"),
    [
        (CLOSED, {"region": "knee"}, ("region",), "the schema allows only 'back', 'neck'"),
        (CLOSED, {"regoin": "back"}, ("regoin",), "the schema allows no 'regoin'"),
        (CLOSED, {"region": {}}, ("region",), "the schema allows only 'back', 'neck'"),
        ({"properties": {"a": {"type": "string"}}}, {"a": 1}, ("a",), "the schema wants string"),
        ({"properties": {"a": {"type": "integer"}}}, {"a": 1.5}, ("a",), "the schema wants integer"),
        ({"properties": {"a": {"type": ["string", "null"]}}}, {"a": [1]}, ("a",), "the schema wants string or null"),
        ({"properties": {"a": {"type": "boolean"}}}, {"a": 1}, ("a",), "the schema wants boolean"),
        ({"properties": {"a": {"const": 5}}}, {"a": 6}, ("a",), "the schema allows only 5"),
        ({"properties": {"a": {"minimum": 5}}}, {"a": 4}, ("a",), "the schema has minimum 5"),
        ({"properties": {"a": {"exclusiveMaximum": 5}}}, {"a": 5}, ("a",), "the schema has exclusiveMaximum 5"),
        ({"properties": {"a": {"items": {"enum": [1]}}}}, {"a": [1, 2]}, ("a", 1), "the schema allows only 1"),
        ({"properties": {"a": {"items": False}}}, {"a": [1]}, ("a", 0), "the list has to be empty"),
        ({"properties": {"a": False}}, {"a": 1}, ("a",), "the schema allows no 'a'"),
        ({"additionalProperties": {"type": "string"}}, {"a": 1}, ("a",), "the schema wants string"),
        ({"allOf": [{}, CLOSED]}, {"x": 1}, ("x",), "the schema allows no 'x'"),
        ({"anyOf": [CLOSED, {"type": "array"}]}, {"x": 1}, (), "it fits none of the schema's 2 alternatives"),
        (NODE, {"next": {"next": {"n": "x"}}}, ("next", "next", "n"), "the schema wants integer"),
        ({"properties": {"a": {"enum": list(range(12))}}}, {"a": 99}, ("a",), "the schema allows only 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …"),
    ],
)  # fmt: skip
def test_what_a_schema_plainly_forbids_is_told_with_its_place(
    schema: Any, pattern: Any, where: tuple[str | int, ...], reason: str
) -> None:
    """Wrong types, values that are not listed, keys that are not allowed, at any depth and behind references (EP-12)."""
    assert misfit(schema, pattern) == (where, reason)


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        (CLOSED, {"region": " BACK "}),
        (CLOSED, {}),
        ({}, {"a": 1}),
        (True, {"a": 1}),
        ({"properties": {"a": {"type": "number"}}}, {"a": 1}),
        ({"properties": {"a": {"type": "integer"}}}, {"a": 1.0}),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, {"xa": 1}),
        ({"properties": {"a": {"prefixItems": [{"type": "string"}, {}]}}}, {"a": [1]}),
        ({"oneOf": [CLOSED, {"type": "object"}]}, {"x": 1}),
        ({"$ref": "#/missing"}, {"x": 1}),
        ({"$ref": "#"}, {"x": 1}),
        ({"properties": {"a": {"pattern": "^x"}}}, {"a": "y"}),
        ({"properties": {"a": {"enum": [{"b": [1, 2]}]}}}, {"a": {"b": [2]}}),
    ],
)
def test_what_may_be_is_left_alone(schema: Any, pattern: Any) -> None:
    """A pattern that some valid input contains is no misfit, and neither is what is too hard to find out."""
    assert misfit(schema, pattern) is None


SCALARS = st.sampled_from(["a", "b", 0, 1, 2.5, True, False])
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
    max_leaves=4,
)
TYPES = st.sampled_from(["object", "array", "string", "number", "integer", "boolean"])


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
            "additionalProperties": inner,
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
            "minimum": st.integers(0, 2),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
        },
    )


SCHEMAS = st.recursive(st.booleans() | st.just({"$ref": "#"}) | _schemas(st.booleans()), _schemas, max_leaves=4)


@st.composite
def parts(draw: st.DrawFn, value: Any) -> Any:
    """Something that a value contains: some keys of objects, some members of lists."""
    if isinstance(value, dict):
        kept = draw(st.lists(st.sampled_from(sorted(value)), unique=True)) if value else []
        return {key: draw(parts(value[key])) for key in kept}
    if isinstance(value, list):
        kept = draw(st.lists(st.sampled_from(value))) if value else []
        return [draw(parts(child)) for child in kept]
    return value


@given(SCHEMAS, st.dictionaries(st.sampled_from("xy"), VALUES, max_size=2), st.data())
def test_nothing_that_a_valid_input_has_is_a_misfit(schema: Any, value: Any, data: st.DataObject) -> None:
    """Whatever a schema accepts can be required, as a whole and in parts."""
    try:
        assume(jsonschema_rs.is_valid(schema, value))
    except ValueError:  # a schema that refers to itself and to nothing else
        assume(False)
    pattern = data.draw(parts(value))
    assert contains(value, pattern)
    assert misfit(schema, pattern) is None
