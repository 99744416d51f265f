"""The files that we ship are plain YAML: any parser reads in them what ours does."""

import json
from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML

from labs_mock.config.library import shipped_library
from labs_mock.config.starter import starter_files
from labs_mock.errors import ScenarioError
from labs_mock.scenario.files.yaml_document import YamlDocument
from tests.pages import PAGES, blocks

LIBRARY = shipped_library()
FILES = {
    **{path.relative_to(LIBRARY).as_posix(): path.read_text(encoding="utf-8") for path in LIBRARY.rglob("*.yaml")},
    **{f"init: {name}": text for name, text in starter_files("scenarios").items()},
    **{
        f"{page.name}:{block.line}": block.text
        for page in PAGES
        for block in blocks(page)
        if block.language == "yaml" and block.action == "file"
    },
}


def exactly(value: Any) -> str:
    """A value with its types: a date is an error, and true is not 1."""
    return json.dumps(value)


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_parser_reads_the_same(name: str) -> None:
    """PyYAML's own parser (YAML 1.1), ruamel.yaml (1.2) and ours give the same values."""
    ours = exactly(YamlDocument(name, FILES[name]).value)
    assert exactly(yaml.load(FILES[name], Loader=yaml.SafeLoader)) == ours
    assert exactly(YAML(typ="safe", pure=True).load(FILES[name])) == ours


def test_all_kinds_of_files_are_read() -> None:
    """Scenarios, collections, datasets, what `init` writes, and the files of the pages."""
    parts = ("/lower-back-claim.yaml", "/collection.yaml", "datasets/by-hand.yaml", "init: server.yaml", "scenarios.md")
    assert [part for part in parts if not any(part in name for name in FILES)] == []


@pytest.mark.parametrize("text", ["a: &x {b: 1}\nc:\n  <<: *x", "c: {<<: {b: 1}}"])
def test_a_merge_key_is_a_mistake(text: str) -> None:
    """Parsers of YAML 1.1 would merge, and those of 1.2 read a key of that name."""
    with pytest.raises(ScenarioError, match="the merge key << is not read"):
        YamlDocument("f.yaml", text)
    assert YamlDocument("f.yaml", 'a: {"<<": 1}').value == {"a": {"<<": 1}}
