import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.config.library import load_library, shipped_library
from labs_mock.config.printing import KINDS, schema_of, schema_text
from labs_mock.config.settings import SETTINGS
from labs_mock.config.starter import starter_files
from labs_mock.errors import ScenarioError
from labs_mock.scenario.files.loader import parse_scenario
from labs_mock.scenario.files.yaml_document import YamlDocument
from tests.support import CLAIM

VALIDATORS = {kind: jsonschema_rs.validator_for(schema_of(kind)) for kind in KINDS}

DATASET = """
id: 3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d
name: Weekly check-ins
lifecycle: [{status: pending, polls: 1}, {status: filtering, seconds: 0.5, row_count: 120}, {status: ready}]
rows:
  generate: {scenario: coaching/weekly, operators: [expert, novice], count: 120, temperatures: [0.7, 1],
             keep: {quality_score: {at_least: 0.4}}}
"""
SERVER = """
seed: 7
clock: frozen
keys:
  - {key: lab_a, organisation: acme, plan: standard, subscriptions: [case-management], score_access: full,
     expires: "2026-12-31T00:00:00Z", revoked: false}
  - {key: lab_b, organisation: acme, requests_per_minute: 120, subscriptions: "*"}
faults: []
"""


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all values below a value."""
    for step, child in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield (*path, step)
        yield from paths(child, (*path, step))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """The value at a path."""
    for step in path:
        value = value[step]
    return value


def changed(data: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """Some data with another value at a path."""
    copied = copy.deepcopy(data)
    at(copied, path[:-1])[path[-1]] = value
    return copied


def mappings(value: Any) -> list[tuple[str | int, ...]]:
    """The paths of all mappings in a value."""
    return [path for path in ((), *paths(value)) if isinstance(at(value, path), dict)]


VALUES = st.sampled_from([at(CLAIM, path) for path in paths(CLAIM)]) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("a _\u2028\x00é", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aé", max_size=2), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def mutated(draw: st.DrawFn, *bases: dict[str, Any]) -> dict[str, Any]:
    """One of these values with some subtrees replaced, deleted or inserted."""
    data: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(bases)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([*paths(data)]))
        parent, final, value = at(data, path[:-1]), path[-1], copy.deepcopy(draw(VALUES))
        how = draw(st.sampled_from(["replace", "delete", "insert"]))
        if how == "delete":
            del parent[final]
        elif how == "replace":
            parent[final] = value
        elif isinstance(parent, list):
            parent.insert(int(final), value)
        else:
            parent[draw(st.sampled_from(["when", "turns", "weight", "unknown"]))] = value
    return data


def loads(data: Any) -> bool:
    """Whether the loader takes a scenario."""
    try:
        parse_scenario(json.dumps(data))
    except ScenarioError:
        return False
    return True


def kind_of(path: Path) -> str:
    """What kind of file stands at a path of a folder of scenarios."""
    special = {"collection.yaml": "collection", "server.yaml": "server"}
    return special.get(path.name, "dataset" if path.parent.name == "datasets" else "scenario")


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_one_of_its_draft(kind: str) -> None:
    """Every printed schema is a valid JSON Schema of draft 2020-12, and says so."""
    schema = schema_of(kind)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert jsonschema_rs.meta.is_valid(schema)
    assert kind in schema["title"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_of_a_schema_is_the_schema(kind: str) -> None:
    """What is written to a file is read back equal, and the file ends as text files do."""
    assert json.loads(schema_text(kind)) == schema_of(kind)
    assert schema_text(kind).endswith("}\n")


@pytest.mark.parametrize(("kind", "text"), [("dataset", DATASET), ("server", SERVER), ("server", "port: 0")])
def test_a_schema_takes_a_valid_file_and_no_unknown_key(kind: str, text: str) -> None:
    """Good datasets and server files validate; an unknown key in any mapping does not."""
    value = YamlDocument("f.yaml", text).value
    assert VALIDATORS[kind].is_valid(value)
    for path in mappings(value):
        assert not VALIDATORS[kind].is_valid(changed(value, (*path, "unknown"), {}))


@pytest.mark.parametrize("path", mappings(CLAIM), ids=lambda path: ".".join(map(str, path)))
def test_the_schema_of_scenarios_refuses_the_unknown_keys_that_the_loader_refuses(path: tuple[str | int, ...]) -> None:
    """Unknown keys are errors everywhere but where a file says its own: identity, schemas, inputs, exemplars."""
    data = changed(CLAIM, (*path, "unknown"), {})
    own = path[-1:] in {("identity",), ("properties",), ("json_schema",), ("region",), ("input",), ("exemplar",)}
    assert (VALIDATORS["scenario"].is_valid(data), loads(data)) == (own, own)


@pytest.mark.parametrize("path", list(paths(CLAIM)), ids=lambda path: ".".join(map(str, path)))
def test_a_key_without_a_value_loads_only_where_the_schema_takes_it(path: tuple[str | int, ...]) -> None:
    """What an editor marks as wrong, an empty value among it, the loader does not take."""
    data = changed(CLAIM, path, None)
    assert VALIDATORS["scenario"].is_valid(data) or not loads(data)


@given(mutated(CLAIM))
def test_a_scenario_that_loads_validates(data: dict[str, Any]) -> None:
    """Whatever the loader takes, the schema takes too."""
    assert VALIDATORS["scenario"].is_valid(data) or not loads(data)


@pytest.mark.parametrize(
    "rule", [{}, {"turns": {"at_least": 2}}, {"says": ["a"], "calls": "order_imaging"}, {"says": []}, {"silent": False}]
)
def test_a_rule_has_exactly_one_condition(rule: dict[str, Any]) -> None:
    """The schema tells an editor that a rule is one condition, with or without `turns`."""
    place = ("criteria", "success_metrics", 0, "when")
    assert not VALIDATORS["scenario"].is_valid(changed(CLAIM, place, rule))
    assert VALIDATORS["scenario"].is_valid(changed(CLAIM, place, {"says": ["a"], "turns": {"at_least": 2}}))


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_offers_no_null(kind: str) -> None:
    """Files leave out what they do not say, so no editor should offer `null`."""
    assert not re.search(r'"type": "null"|"default": null', schema_text(kind))


def test_the_schema_of_the_server_file_has_every_setting() -> None:
    """Any setting of the table may stand in `server.yaml`, with its help; the folder itself may not."""
    properties = schema_of("server")["properties"]
    for setting in SETTINGS:
        assert (setting.name in properties) == (setting.name != "scenarios")
        assert properties.get(setting.name, {"description": setting.help})["description"] == setting.help


@pytest.mark.parametrize(
    "path", sorted(shipped_library().rglob("*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_every_shipped_file_validates_and_names_its_schema(path: Path) -> None:
    """A file of the library begins with the line that editors read, and is valid by that schema."""
    kind = kind_of(path)
    depth = len(path.relative_to(shipped_library()).parts) - 1
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first == f"# yaml-language-server: $schema={'../' * depth}.schema/{kind}.json"
    assert not [error.message for error in VALIDATORS[kind].iter_errors(YamlDocument.read(path, path.name).value)]


def test_the_starter_loads(tmp_path: Path) -> None:
    """The starter's files make a folder without problems, with a scenario that can be played."""
    written = write_starter(tmp_path)
    library = load_library(tmp_path)
    assert [f"{one.collection}/{one.slug}.yaml" for one in library.scenarios] == [
        name for name in written if kind_of(Path(name)) == "scenario" and name.endswith(".yaml")
    ]
    assert all(one.file.operators for one in library.scenarios)
    assert library.server.keys


def test_the_starter_is_complete(tmp_path: Path) -> None:
    """There is a file of every kind that a server needs, and every file's schema lies where the file says."""
    written = write_starter(tmp_path)
    files = [Path(name) for name in written if name.endswith(".yaml")]
    assert {kind_of(path) for path in files} == {"scenario", "collection", "server"}
    for path in files:
        text = (tmp_path / path).read_text(encoding="utf-8")
        named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
        assert named
        schema = json.loads((tmp_path / path.parent / named[1]).read_text(encoding="utf-8"))
        assert schema == schema_of(kind_of(path))
        jsonschema_rs.validate(schema, yaml.safe_load(text))
    assert {name for name in written if name.startswith(".schema/")} == {f".schema/{kind}.json" for kind in KINDS}


def write_starter(folder: Path) -> dict[str, str]:
    """Write the starter's files, and return them."""
    for name, text in starter_files("scenarios").items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return starter_files("scenarios")
