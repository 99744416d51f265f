from typing import Any

import orjson
import pytest

from labs_mock.contract.openapi import row_features
from labs_mock.contract.rows import Row

FEATURES = orjson.loads(row_features())
SCHEMA = Row.model_json_schema()

DTYPES = {"integer": "int64", "number": "float64", "string": "string"}


def features_of(schema: dict[str, Any]) -> Any:
    """A JSON Schema as `datasets.Features` has it."""
    if "$ref" in schema:
        return features_of(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return features_of(next(option for option in schema["anyOf"] if option["type"] != "null"))
    if schema["type"] == "object":
        return {name: features_of(value) for name, value in schema["properties"].items()}
    if schema["type"] == "array":
        return [features_of(schema["items"])]
    return {"dtype": DTYPES[schema["type"]], "_type": "Value"}


def test_the_published_features_are_those_of_a_row() -> None:
    """Each field of a row is there with its type, in the order in which it is written, and no other (ROW-1)."""
    assert orjson.dumps(FEATURES) == orjson.dumps(features_of(SCHEMA))


@pytest.mark.parametrize("name", ["prompt", "completion", "chosen", "rejected", "labels", "images"])
def test_no_key_beside_messages_changes_what_a_trainer_does(name: str) -> None:
    """Trainers tell by some keys what kind of dataset they have; a row has none of them (ROW-1)."""
    assert name not in FEATURES
