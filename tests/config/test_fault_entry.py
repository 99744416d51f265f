import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from labs_mock.config.fault_entry import BESIDE, KINDS, WHEN, FaultEntry, check_fault
from labs_mock.config.library import load_library
from tests.config.test_printing import VALIDATORS
from tests.scenario.files.test_loader import GOOD, problems, write

FAULT = {"path": "/api/v1/evaluate", "every": 2, "status": 503}
GOOD_VALUES: dict[str, list[Any]] = {
    "id": ["a", "slow-turns-2"],
    "method": ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"],
    "path": ["*", "/api/v1/*", "/api/v1/episodes/*/turns", "*/export"],
    "collection_slug": ["coaching"],
    "scenario_slug": ["weekly-check-ins"],
    "dataset": ["0a9d5c7e-3e21-4b6f-b8f0-62d4e1a7c938"],
    "organisation": ["acme"],
    "key": ["lab_a"],
    "item": ["b-17", "0"],
    "nth": [1, 7],
    "every": [1, 2],
    "first": [1, 3],
    "share": [0.001, 0.5, 1],
    "attempts": [1, 2],
    "status": [400, 429, 500, 503, 599],
    "message": ["Down for maintenance"],
    "delay": [0, 1, 2.5, {"low": 0, "high": 0.5}, {"low": 1, "high": 1}, {"median": 0.2, "sigma": 0.8}],
    "before": ["head", "body", "chunk"],
    "close": [True],
    "reset": [0, 100, "head"],
    "cut": [0, 100],
    "stall": [0, 100, "head"],
    "garbage": [True],
    "content_type": ["text/html", "text/html; charset=utf-8"],
    "body": ["", "{}", "x" * 100_000],
    "nan_reward": [0, 99],
    "cut_after_line": [0, 1],
    "cut_in_line": [1],
    "duplicate_line": [1],
    "swap_lines": [1],
    "error_line": [1],
    "row_count": [-1, 1],
    "stall_after_line": [0, 1],
    "fail_item": [0, 99, "b-17"],
    "reverse_results": [True],
    "drop_result": [0, 99, "b-17"],
}


def full(name: str, value: Any) -> dict[str, Any]:
    """A fault with a field, and what it needs beside it."""
    kind = BESIDE.get(name, "status")
    return {**({} if name in KINDS else {kind: GOOD_VALUES[kind][-1]}), name: value}


def messages(fault: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """The places and messages of the mistakes that the checks find."""
    return [(mistake.path, mistake.message) for mistake in check_fault(fault)]


def test_the_table_above_has_every_field() -> None:
    """What follows is tested for all fields; rules of when and kinds are among them."""
    assert list(GOOD_VALUES) == list(FaultEntry.model_fields)
    assert {*WHEN, *KINDS} < set(GOOD_VALUES)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD_VALUES.items() for value in values])
def test_a_fault_is_kept_as_it_was_written(name: str, value: Any) -> None:
    """Every field takes its values, alone or beside what it needs, and the printed schema takes them too."""
    fault = full(name, value)
    assert FaultEntry.model_validate(fault).model_dump(exclude_unset=True) == fault
    assert messages(fault) == []
    assert VALIDATORS["server"].is_valid({"faults": [fault]})


BAD: list[tuple[str, Any, str, str]] = [
    ("id", "Slow", "id", "expected text that matches"),
    ("id", "x" * 81, "id", "expected at most 80 characters"),
    ("method", "get", "method", "expected one of: GET, POST"),
    ("method", "PUTT", "method", "did you mean 'PUT'?"),
    ("path", "evaluate", "path", "expected text that matches"),
    ("path", "/api/v1/episodes/{id}/turns", "path", "expected text that matches"),
    ("path", "/api/v1/catalog?x=1", "path", "expected text that matches"),
    ("scenario_slug", "Back Claim", "scenario_slug", "expected text that matches"),
    ("nth", 0, "nth", "expected at least 1"),
    ("every", 0, "every", "expected at least 1"),
    ("first", 1.5, "first", "expected a whole number"),
    ("attempts", "2", "attempts", "expected a whole number"),
    ("share", 0, "share", "expected more than 0"),
    ("share", 1.01, "share", "expected at most 1"),
    ("status", 200, "status", "expected at least 400"),
    ("status", 600, "status", "expected at most 599"),
    ("status", "503", "status", "expected a whole number"),
    ("message", "", "message", "expected at least 1 characters"),
    ("delay", -1, "delay", "expected at least 0"),
    ("delay", 86_401, "delay", "expected at most 86400"),
    ("delay", "1s", "delay", "expected a number"),
    ("delay", {"low": 1, "high": -1}, "delay.high", "expected at least 0"),
    ("delay", {"low": 1, "high": 2, "median": 1, "sigma": -1}, "delay.sigma", "expected at least 0"),
    ("before", "bdy", "before", "did you mean 'body'?"),
    ("close", False, "close", "expected one of: true"),
    ("reset", -1, "reset", "expected at least 0"),
    ("reset", "heads", "reset", "did you mean 'head'?"),
    ("stall", True, "stall", "expected a whole number"),
    ("cut", -1, "cut", "expected at least 0"),
    ("cut", "head", "cut", "expected a whole number"),
    ("content_type", "text/html\r\nx-mine: 1", "content_type", "expected text that matches"),
    ("content_type", "text/☃", "content_type", "expected text that matches"),
    ("body", "x" * 100_001, "body", "expected at most 100000 characters"),
    ("nan_reward", "head", "nan_reward", "expected a whole number"),
    ("cut_in_line", 0, "cut_in_line", "expected at least 1"),
    ("row_count", 0.5, "row_count", "expected a whole number"),
    ("fail_item", -1, "fail_item", "expected at least 0"),
    ("drop_result", None, "drop_result", "expected one; leave out what is not needed"),
]


@pytest.mark.parametrize(("name", "value", "where", "expected"), BAD)
def test_a_bad_value_is_shown_in_its_file(tmp_path: Path, name: str, value: Any, where: str, expected: str) -> None:
    """The mistake has the line and the column of the value, or of the key without one, and says what was expected."""
    text = yaml.safe_dump({"seed": 7, "faults": [FAULT, full(name, value)]}, sort_keys=False)
    found = problems(write(tmp_path, {**GOOD, "server.yaml": text}))
    key = where.rpartition(".")[2]
    places = [
        (number, line.index(f"{key}:") + 1)
        for number, line in enumerate(text.splitlines(), 1)
        if f" {key}:" in line and number > 5
    ]
    (problem,) = [one for one in found if one.expected.startswith(expected)]
    assert problem.file == "server.yaml"
    assert problem.line == places[0][0]
    assert problem.column in (places[0][1], places[0][1] + len(f"{key}: "))
    assert not VALIDATORS["server"].is_valid({"faults": [full(name, value)]})


PLAN = """\
clock: frozen
faults:
  - {path: /api/v1/evaluate, staus: 503}
  - {nth: 2, first: 3, status: 500}
  - {stall: 4, reset: head}
  - path: /api/v1/evaluate
    every: 2
  - {message: Down, close: true}
  - {before: body, reset: 5}
  - {row_count: 0}
  - delay: {low: 5, high: 2}
  - {delay: {medain: 5, sigma: 1}}
  - 503
"""
ONE_OF_ALL = f"expected exactly one of: {', '.join(KINDS)}"
MISTAKES = [
    (3, 30, "unknown key 'staus'", "did you mean 'status'?"),
    (4, 14, "several rules of when", "expected one of: nth, every, first, share, attempts"),
    (5, 6, "several things that happen", ONE_OF_ALL),
    (6, 5, "nothing that happens", ONE_OF_ALL),
    (8, 6, "'message' without 'status'", "expected it beside 'status' only"),
    (9, 6, "'before' without 'delay'", "expected it beside 'delay' only"),
    (10, 17, "a count that is right", "expected another number than 0"),
    (11, 27, "'high' below 'low'", "expected low to high"),
    (12, 14, "unknown key 'medain'", "did you mean 'median'?"),
    (13, 5, "not a good value: 503", "expected keys and values"),
]


def test_all_mistakes_of_a_plan_are_reported_at_once(tmp_path: Path) -> None:
    """Each fault of `server.yaml` is checked, and each mistake has its own place."""
    found = problems(write(tmp_path, {**GOOD, "server.yaml": PLAN}))
    assert {problem.file for problem in found} == {"server.yaml"}
    assert [(one.line, one.column, one.message, one.expected) for one in found] == MISTAKES


def test_a_plan_is_loaded_in_order(tmp_path: Path) -> None:
    """The faults of `server.yaml` are the plan, in its order; without any it is empty."""
    plan = [full(name, value) for name, values in GOOD_VALUES.items() for value in values]
    library = load_library(write(tmp_path / "some", {**GOOD, "server.yaml": json.dumps({"faults": plan})}))
    assert [fault.model_dump(exclude_unset=True) for fault in library.server.faults] == plan
    assert load_library(write(tmp_path / "none", {**GOOD, "server.yaml": "seed: 1"})).server.faults == ()


one_of_each = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in GOOD_VALUES.items()}
)


@given(one_of_each)
def test_a_fault_has_one_kind_and_at_most_one_rule_of_when(fault: dict[str, Any]) -> None:
    """However fields are combined: exactly one thing happens, at one time; `message` and `before` go with their kind."""
    kinds, whens = sum(name in fault for name in KINDS), sum(name in fault for name in WHEN)
    lonely = [name for name, beside in BESIDE.items() if name in fault and beside not in fault]
    found = messages(fault)
    assert len(found) == (kinds != 1) + (whens > 1) + len(lonely)
    assert all(path[0] in fault for path, message in found if message != "nothing that happens")
    assert FaultEntry.model_validate(fault).model_dump(exclude_unset=True) == fault


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 600) | st.floats() | st.sampled_from(["head", "", "/x", "low"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["low", "high", "median"]), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*GOOD_VALUES, "staus", ""]), ANYTHING, max_size=4))
def test_the_checks_never_raise(fault: dict[str, Any]) -> None:
    """Whatever stands in a fault, checking it raises nothing; together with the schema, it is a fault or has mistakes."""
    found = messages(fault)
    try:
        FaultEntry.model_validate(fault)
    except ValidationError:
        return
    assert found or sum(fault.get(name) is not None for name in KINDS) == 1


@given(st.floats(0, 86_400), st.floats(0, 86_400))
def test_a_range_of_seconds_goes_from_low_to_high(low: float, high: float) -> None:
    """The two ends may be equal; a range that goes down is a mistake of its end."""
    assert messages({"delay": {"low": low, "high": high}}) == (
        [] if low <= high else [(("delay", "high"), "'high' below 'low'")]
    )


NEVER_MATCHING = """\
keys: [{key: lab_a, organisation: acme}]
faults:
  - {path: /api/v1/evalute, status: 503}
  - {method: GET, path: /api/v1/evaluate, status: 503}
  - {dataset: by-hand, status: 503}
  - {organisation: local, status: 503}
  - {key: lab_b, status: 503}
  - {collection_slug: nowhere, status: 503}
  - {collection_slug: cases, scenario_slug: nothing, status: 503}
  - {path: /api/v1/evaluate, organisation: acme, key: lab_a, collection_slug: cases, status: 503}
"""
WARNINGS = [
    (3, 12, "path: no operation of the API has a path like this"),
    (4, 25, "path: no operation of the API has a path like this and this method"),
    (5, 15, "dataset: no dataset has this id"),
    (6, 20, "organisation: no key belongs to it"),
    (7, 11, "key: there is no such key"),
    (8, 23, "collection_slug: no scenario is called so"),
    (9, 45, "scenario_slug: no scenario is called so"),
]


def test_filters_that_match_nothing_are_warnings(tmp_path: Path) -> None:
    """Each has its place, and the file is loaded all the same."""
    library = load_library(write(tmp_path, {**GOOD, "server.yaml": NEVER_MATCHING}))
    warnings = [(one.line, one.column, one.message) for one in library.warnings if one.file == "server.yaml"]
    assert warnings == WARNINGS
    assert len(library.server.faults) == 8


def test_the_one_key_of_the_settings_is_no_warning(tmp_path: Path) -> None:
    """Where a file lists no keys, its key comes from the settings, which are not known yet."""
    plan = "faults: [{key: lab_x, status: 503}, {organisation: local, status: 503}, {organisation: acme, status: 503}]"
    library = load_library(write(tmp_path, {**GOOD, "server.yaml": plan}))
    assert [one.message for one in library.warnings] == ["organisation: no key belongs to it"]
