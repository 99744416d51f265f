import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from labs_mock.config.library import load_library
from labs_mock.errors import Problem, ScenarioError
from labs_mock.scenario.files.loader import parse_scenario
from tests.config.test_printing import at, mutated, paths
from tests.scenario.bases import DATASET, JOURNEY, SERVER, TASK, changed
from tests.support import CLAIM

COLLECTION = "name: Cases\ndescription: Some cases.\n"
GOOD = {"cases/collection.yaml": COLLECTION, "cases/claim.yaml": json.dumps(CLAIM)}
TEMPERATURES = [number / 8 for number in range(16)]
ROWS = {"scenario": "cases/claim", "operators": ["expert"], "count": 1, "temperatures": TEMPERATURES,
        "keep": {"quality_score": {"at_least": 0.1}}}  # fmt: skip
GENERATE: dict[str, Any] = {**DATASET, "rows": {"generate": ROWS}}


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    """A folder with these files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def problems(folder: Path) -> tuple[Problem, ...]:
    """All problems of a folder."""
    with pytest.raises(ScenarioError) as caught:
        load_library(folder)
    return caught.value.problems


BROKEN = {
    "cases/one.yaml": """\
name: One
description: A case.
shape: conversaton
difficulty: easy
max_turns: 99
persona:
  identity: {name: Kim}
  opening: Hello.
  fallback: [Pardon me., 7]
state:
  - id: onset
    fact: F
    reveal: volunteered
    reply: R
    reply: S
  - {id: onset, fact: F, reveal: direct_question, wen: {says: [x]}, reply: R}
criteria:
  success_metrics:
    - id: asks
      text: T
      when: {discovered: onest}
""",
    "cases/two.yaml": "name: Two\n  shape: conversation\n",
    "datasets/rows.yaml": json.dumps(changed(GENERATE, "rows.generate.scenario", "case/claim"), indent=1),
    "more/collection.yaml": "name: Cases\ndescripton: Some cases.\n",
    "server.yaml": "seed: 7\nport: 99999\nkeys:\n  - {key: lab_S3cret, organisation: acme, plan: premum}\n",
}


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """Every problem names file, line and column, shows its line and says what was expected; a misspelling is one."""
    found = problems(write(tmp_path, {**GOOD, **BROKEN}))
    assert [(problem.file, problem.line, problem.column, problem.message, problem.expected) for problem in found] == [
        ("cases/one.yaml", 3, 8, "not a good value: 'conversaton'", "did you mean 'conversation'?"),
        ("cases/one.yaml", 5, 12, "not a good value: 99", "expected at most 50"),
        ("cases/one.yaml", 9, 26, "not a good value: 7", "expected text; quote it if it looks like a number"),
        ("cases/one.yaml", 15, 5, "duplicate key 'reply'", "expected it once; it also stands in line 14"),
        ("cases/one.yaml", 16, 10, "the id 'onset' is taken", "expected ids that differ"),
        ("cases/one.yaml", 16, 51, "unknown key 'wen'", "did you mean 'when'?"),
        ("cases/one.yaml", 21, 26, "unknown state item 'onest'", "did you mean 'onset'?"),
        (
            "cases/two.yaml",
            2,
            3,
            "not YAML: an indentation that fits no line before: this line begins in column 3",
            "expected what belongs together to begin in one column; line 1 begins in column 1",
        ),
        ("datasets/rows.yaml", 20, 16, "unknown scenario 'case/claim'", "did you mean 'cases/claim'?"),
        ("more/collection.yaml", 2, 1, "unknown key 'descripton'", "did you mean 'description'?"),
        ("server.yaml", 2, 7, "port: expected a whole number from 0 to 65535", ""),
        ("server.yaml", 4, 49, "not a good value: 'premum'", "did you mean 'premium'?"),
    ]
    texts = {name: text.splitlines() for name, text in BROKEN.items()}
    for problem in found:
        assert problem.source == texts[problem.file][problem.line - 1].replace("lab_S3cret", "lab_******")


@pytest.mark.parametrize(
    ("where", "value", "line", "expected"),
    [
        ("persona.repliez", [], "  repliez: []", "did you mean 'replies'?"),
        ("state.1.when", {"sayz": ["x"]}, "    sayz:", "did you mean 'says'?"),
        ("completed.when", {"all": [{"calls": {"tool": "claim_status", "inputs": {}}}]}, "        inputs: {}", "did you mean 'input'?"),
        ("operators.expert.agent_template", "x", "    agent_template: x", "did you mean 'agent_template_id'?"),
        ("operators.expert.says.0", [{"when": {"says": ["x"]}, "say": "Hi.", "sai": 1}], "        sai: 1", "did you mean 'say'?"),
        ("operators.expert.says.0", {"parts": ["Hi."], "thinkin": "x"}, "      thinkin: x", "did you mean 'thinking'?"),
        ("scoring", {"weights": {"rubriks": 1}}, "    rubriks: 1", "did you mean 'rubrics'?"),
        ("state.0.reveal", "volunteer", "  reveal: volunteer", "did you mean 'volunteered'?"),
    ],
)  # fmt: skip
def test_the_nearest_word_is_offered(where: str, value: Any, line: str, expected: str) -> None:
    """An unknown key or word is shown in its line, with the word that was probably meant, however deep it stands."""
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(yaml.safe_dump(changed(CLAIM, where, value), sort_keys=False))
    assert expected in [problem.expected for problem in caught.value.problems if problem.source == line]


@pytest.mark.parametrize(
    ("where", "value", "expected"),
    [
        ("max_turns", 1.5, "expected a whole number"), ("max_turns", 0, "expected at least 1"),
        ("max_turns", "5", "expected a whole number"), ("max_turns", 51, "expected at most 50"),
        ("state.0.weight", "1", "expected a number"), ("state.0.weight", 0, "expected more than 0"),
        ("tools", "x", "expected a list"), ("persona", [], "expected keys and values"), ("name", 5, "expected text; quote"),
        ("name", "x" * 2_001, "expected at most 2000 characters"), ("state.0.id", "1a", "expected text that matches"),
        ("criteria.failure_metrics.0.critical", "yes", "expected true or false"), ("name", None, "expected one"),
        ("completed.when", {"silent": False}, "expected one of: true"), ("completed", {}, "expected 'when' in this place"),
    ],
)  # fmt: skip
def test_what_was_expected_is_a_sentence(where: str, value: Any, expected: str) -> None:
    """The sentence of a wrong value speaks of the file, not of Python."""
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(json.dumps(changed(CLAIM, where, value)))
    assert [problem for problem in caught.value.problems if problem.expected.startswith(expected)]


@pytest.mark.parametrize("value", [5, None, True, 1.5, {}, [[]]])
@pytest.mark.parametrize("where", ["", ".0", ".0.say"])
def test_one_wrong_value_is_one_problem(where: str, value: Any) -> None:
    """A value that fits none of several forms is reported once, not once a form."""
    data = changed(CLAIM, "operators.expert.says.0", [{"when": {"says": ["x"]}, "say": "Hi."}])
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(yaml.safe_dump(changed(data, f"operators.expert.says.0{where}", value), sort_keys=False))
    places = [
        (problem.line, problem.column, problem.message)
        for problem in caught.value.problems
        if "missing" not in problem.message
    ]
    assert len(places) == len(set(places))


UNREADABLE = ["name: [", b"\xff", "", "a: 1\n---\n", "a: !!str x", "x" * (1 << 21), "[" * 60, "a: *b", "a: \x00", "- 1"]


@pytest.mark.parametrize("bad", UNREADABLE, ids=range(len(UNREADABLE)))
@pytest.mark.parametrize("name", ["cases/collection.yaml", "cases/bad.yaml", "datasets/bad.yaml", "server.yaml"])
def test_a_bad_file_hides_no_other_file(tmp_path: Path, name: str, bad: str | bytes) -> None:
    """What cannot be read at all is one problem, and what is wrong elsewhere is reported all the same."""
    wrong = {"cases/wrong.yaml": json.dumps({**CLAIM, "shape": "x"}), "more/collection.yaml": "name: 7\ndescription: D"}
    found = problems(write(tmp_path, {**GOOD, **wrong, name: bad}))
    assert sorted(problem.file for problem in found) == sorted([name, "cases/wrong.yaml", "more/collection.yaml"])


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, (".", "no scenarios in this folder")),
        ({"cases/collection.yaml": COLLECTION}, (".", "no scenarios in this folder")),
        ({"server.yaml": "seed: 1"}, (".", "no scenarios in this folder")),
        ({"cases/claim.yaml": GOOD["cases/claim.yaml"]}, ("cases/collection.yaml", "cannot be read: No such file")),
        ({**GOOD, "claim.yaml": "a: 1"}, ("claim.yaml", "no file is expected here")),
        ({**GOOD, "server.yml": "seed: 1"}, ("server.yml", "no file is expected here")),
        ({**GOOD, "cases/other.yml": "a: 1"}, ("cases/other.yml", "the file would be passed over")),
        ({**GOOD, "datasets/other.yml": "a: 1"}, ("datasets/other.yml", "the file would be passed over")),
        ({**GOOD, "cases/other.YAML": "a: 1"}, ("cases/other.YAML", "the file would be passed over")),
        ({**GOOD, "cases/more/x.yaml": "a: 1"}, ("cases/more", "the folder would be passed over")),
        ({**GOOD, "cases/x.yaml/y.txt": ""}, ("cases/x.yaml", "cannot be read: not a regular file")),
        *(
            ({**GOOD, f"cases/{slug}.yaml": GOOD["cases/claim.yaml"]}, (f"cases/{slug}.yaml", "cannot be a slug"))
            for slug in ("Claim", "back_claim", "back claim", "é", "a.b", "-a", "a-", "a--b", "a" * 81)
        ),
        ({**GOOD, "My Cases/collection.yaml": COLLECTION}, ("My Cases", "cannot be a slug")),
    ],
)
def test_a_folder_holds_what_the_format_says(tmp_path: Path, files: dict[str, str], problem: tuple[str, str]) -> None:
    """Missing collections, stray files, other suffixes and names that are no slugs are problems of the folder."""
    (found,) = problems(write(tmp_path, dict(files)))
    name, words = problem
    assert (found.file.removeprefix(str(tmp_path)) or ".", words in found.message) == (name, True)


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_folder_that_is_missing_is_a_problem(tmp_path: Path, name: str) -> None:
    """Neither a path that does not exist nor a file is a folder of scenarios."""
    assert problems(write(tmp_path, {"file": ""}) / name)[0].message == "no such folder"


def test_a_folder_is_loaded_whole(tmp_path: Path) -> None:
    """Collections and scenarios are sorted by slug; what is no YAML, or hidden, or Python's cache, is passed over."""
    files = {"b/collection.yaml": COLLECTION, "b/z.yaml": json.dumps(TASK), "b/a.yaml": json.dumps(JOURNEY)}
    server = json.dumps(SERVER).replace("coaching", "cases")
    other = {"README.md": "Hi.", "b/notes.txt": "Hi.", ".schema/x.yaml": "[", "datasets/d.yaml": json.dumps(GENERATE)}
    other |= {f"{folder}__pycache__/test_it.pyc": "" for folder in ("", "b/", "datasets/")}
    library = load_library(write(tmp_path, {**files, **GOOD, **other, "server.yaml": server}))
    assert [(one.collection, one.slug) for one in library.scenarios] == [("b", "a"), ("b", "z"), ("cases", "claim")]
    assert [(one.slug, one.name) for one in library.collections.values()] == [("b", "Cases"), ("cases", "Cases")]
    assert list(library.datasets) == [GENERATE["id"]]
    assert library.server.settings == {"seed": 7, "clock": "frozen"}
    assert [one.key for one in library.server.keys or ()] == ["lab_a", "lab_b"]


@pytest.mark.parametrize(
    ("where", "value", "words", "expected"),
    [
        ("scenario", "cases/clam", "unknown scenario 'cases/clam'", "did you mean 'cases/claim'?"),
        ("operators.0", "exprt", "unknown operator 'exprt'", "did you mean 'expert'?"),
        ("count", 2, "a count of 2 needs 64 choices, and the operators have 32", "expected more alternatives"),
        (
            "temperatures",
            TEMPERATURES[:15],
            "a count of 1 needs 32 choices, and the operators have 30",
            "expected more",
        ),
        ("operators", 5, "not a good value: 5", "expected a list"),
        ("operators", None, "'operators' has no value", "expected one"),
        ("temperatures", 0.5, "not a good value: 0.5", "expected a list"),
    ],
)
def test_a_dataset_refers_to_what_is_there(tmp_path: Path, where: str, value: Any, words: str, expected: str) -> None:
    """Scenario and operators exist, and their choice space has 32 choices a row that may be rejected."""
    data = changed(GENERATE, f"rows.generate.{where}", value)
    (problem,) = problems(write(tmp_path, {**GOOD, "datasets/d.yaml": json.dumps(data)}))
    assert words in problem.message
    assert problem.expected.startswith(expected)


def test_ids_of_datasets_differ(tmp_path: Path) -> None:
    """Two datasets with one id are a problem of the second."""
    twice = dict.fromkeys(("datasets/a.yaml", "datasets/b.yaml"), json.dumps(GENERATE))
    (problem,) = problems(write(tmp_path, {**GOOD, **twice}))
    assert (problem.file, "is taken" in problem.message) == ("datasets/b.yaml", True)


@pytest.mark.parametrize("name", ["cases/claim.yaml", "cases/collection.yaml"])
def test_a_mistake_in_a_scenario_is_no_mistake_of_its_dataset(tmp_path: Path, name: str) -> None:
    """A scenario that is there but wrong is not reported as unknown where a dataset names it."""
    files = {**GOOD, "cases/other.yaml": GOOD["cases/claim.yaml"], "datasets/d.yaml": json.dumps(GENERATE)}
    found = problems(write(tmp_path, {**files, name: "unknown: key"}))
    assert {problem.file for problem in found} == {name}


@pytest.mark.slow
def test_expressions_that_need_too_much_memory_are_a_problem() -> None:
    """Patterns that cannot be compiled together are reported like any other mistake."""
    wide = [f"[^a]{{0,900}}b[^c]{{0,900}}{number}" for number in range(100)]
    practices = [{"id": f"p{n}", "text": "T", "when": {"matches": expression}} for n, expression in enumerate(wide)]
    with pytest.raises(ScenarioError, match=r"claim\.yaml:.*too much memory"):
        parse_scenario(json.dumps(changed(CLAIM, "criteria.best_practices", practices)), file="claim.yaml")


def outcome(text: str) -> tuple[str, ...]:
    """The version of a scenario, or its problems."""
    try:
        return (parse_scenario(text).version,)
    except ScenarioError as error:
        return tuple(map(str, error.problems))


@given(mutated(CLAIM, TASK, JOURNEY).map(json.dumps) | st.text())
@settings(max_examples=300)
def test_any_file_gives_a_scenario_or_a_scenario_error(text: str) -> None:
    """Whatever a file holds, parsing it never raises another exception, and gives the same twice."""
    assert outcome(text) == outcome(text) != ()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one file changes."""
    return write(tmp_path_factory.mktemp("mutated"), dict(GOOD))


@given(
    mutated(GENERATE, DATASET).map(lambda data: {"datasets/d.yaml": json.dumps(data), "server.yaml": "seed: 1"})
    | mutated(SERVER).map(lambda data: {"datasets/d.yaml": json.dumps(GENERATE), "server.yaml": json.dumps(data)})
)
def test_any_dataset_or_server_file_gives_a_library_or_a_scenario_error(folder: Path, files: dict[str, str]) -> None:
    """Whatever these files hold, loading the folder never raises another exception."""
    try:
        found = {*load_library(write(folder, dict(files))).collections}
    except ScenarioError as error:
        found = {problem.file for problem in error.problems}
    assert found <= {"cases", "datasets/d.yaml", "server.yaml"}


def shuffled(value: Any, random: Random) -> Any:
    """The same value with the keys of every mapping in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], random) for key in random.sample(sorted(value), len(value))}
    return [shuffled(child, random) for child in value] if isinstance(value, list) else value


@given(st.randoms(use_true_random=False), st.booleans(), st.integers(2, 6), st.sampled_from([CLAIM, TASK, JOURNEY]))
@pytest.mark.slow
def test_the_version_does_not_depend_on_how_a_file_is_written(
    random: Random, flow: bool, indent: int, data: dict[str, Any]
) -> None:
    """Comments, the order of keys and the formatting do not change a scenario's version."""
    text = yaml.safe_dump(shuffled(data, random), sort_keys=False, default_flow_style=flow, indent=indent)
    assert parse_scenario(f"# Hi.\n\n{text}\n# Bye.\n").version == parse_scenario(json.dumps(data)).version


@given(st.sampled_from([path for path in paths(CLAIM) if type(at(CLAIM, path)) in (str, int, float)]))
def test_the_version_changes_with_every_value(path: tuple[str | int, ...]) -> None:
    """Any other text and any other number, wherever it stands, gives another version."""
    value = at(CLAIM, path)
    other = f"{value}x" if isinstance(value, str) else value - 1 if isinstance(value, int) else value / 2
    found = outcome(json.dumps(changed(CLAIM, ".".join(map(str, path)), other)))
    assume("scenario.yaml:" not in found[0])
    assert found != outcome(json.dumps(CLAIM))


@pytest.mark.parametrize(
    "text",
    [
        "api_key: lab_S3-x_y: oops",
        "a: *lab_S3-x_y",
        "a: !lab_S3-x_y b",
        b"a: \xff lab_S3-x_y",
        "a: [lab_S3-x_y",
        "api_kye: lab_S3-x_y",
        "keys: [{kye: lab_S3-x_y, organisation: acme}]",
        "keys: [{key: S3-of-another-shape, organisation: acme}]",
        "control_token: 'S3 in words'\nport: x",
        "keys: [{key: lab_S3, organisation: a}, {key: lab_S3, organisation: a}]",
        "faults: [{key: S3, close: true}]",
        "keys: [{key: lab_S3, organisation: acme}]\nlab_S3: 1\nlab_S3: 2",
    ],
)
def test_no_mistake_in_a_server_file_shows_a_key(tmp_path: Path, text: str | bytes) -> None:
    """Neither message, expectation nor source line, whatever its shape and even where the file is no YAML."""
    found = problems(write(tmp_path, {**GOOD, "server.yaml": text}))
    assert not [problem for problem in found if "S3" in str(problem)]


def test_a_masked_key_keeps_its_length(tmp_path: Path) -> None:
    """So that the mark still stands under the value; the key is masked in other files, too."""
    server = "keys: [{key: lab_S3-cret_x, organisation: acme, plan: gold}]\n"
    files: dict[str, str | bytes] = {
        **GOOD,
        "server.yaml": server,
        "more/collection.yaml": "name: Cases\ndescription: X\nlab_S3-cret_x: 1\n",
    }
    other, problem = problems(write(tmp_path, files))
    assert problem.source[problem.column - 1 :] == "gold}]"
    assert (other.message, other.source) == ("unknown key 'lab_*********'", "lab_*********: 1")


def test_what_only_looks_like_a_key_is_shown(tmp_path: Path) -> None:
    """A tool may be called lab_results; a mistake names it."""
    claim = changed(CLAIM, "completed.when", {"calls": "lab_results"})
    files: dict[str, str | bytes] = {
        **GOOD,
        "cases/claim.yaml": json.dumps(claim),
        "server.yaml": "keys: [{key: lab_S3, organisation: acme}]\n",
    }
    (problem,) = problems(write(tmp_path, files))
    assert problem.message == "unknown tool 'lab_results'"
    with pytest.raises(ScenarioError, match="unknown tool 'lab_results'"):
        parse_scenario(json.dumps(claim))
