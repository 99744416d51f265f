"""What the command line prints: JSON Schemas for editors."""

import json
from typing import Any

from pydantic import BaseModel

from labs_mock.config.server_file import FullServerFile
from labs_mock.scenario.files.dataset_schema import DatasetFile
from labs_mock.scenario.files.schema import CollectionFile, ScenarioFile
from labs_mock.scenario.rules.operators import OPERATORS, RuleFile

KINDS: dict[str, type[BaseModel]] = {
    "scenario": ScenarioFile,
    "collection": CollectionFile,
    "dataset": DatasetFile,
    "server": FullServerFile,
}


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a kind of file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **KINDS[kind].model_json_schema()}
    schema["title"] = f"labs-mock {kind} file"
    rule = schema.get("$defs", {}).get(RuleFile.__name__)
    if rule is not None:
        rule["oneOf"] = [{"required": [operator]} for operator in OPERATORS]
    clean: dict[str, Any] = _without_nulls(schema)
    return clean


def schema_text(kind: str) -> str:
    """The same as text, ready for a file."""
    return json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n"


def _without_nulls(value: Any) -> Any:
    """Files leave out what they do not say, so an editor should not offer `null`."""
    if isinstance(value, list):
        return [_without_nulls(member) for member in value]
    if not isinstance(value, dict):
        return value
    arms = value.get("anyOf")
    if isinstance(arms, list) and {"type": "null"} in arms:
        rest = [arm for arm in arms if arm != {"type": "null"}]
        value = {key: child for key, child in value.items() if key not in ("anyOf", "default")}
        value |= rest[0] if len(rest) == 1 else {"anyOf": rest}
    return {key: _without_nulls(child) for key, child in value.items()}
