import json
import os
from pathlib import Path
from typing import Any

import pytest

from labs_mock.config.library import load_library
from labs_mock.scenario.compiled.datasets import Dataset
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.row_checks import check_rows, line_mistakes
from tests.contract.test_rows import ROW
from tests.scenario.bases import DATASET, GONE, JOURNEY, changed
from tests.scenario.files.test_loader import COLLECTION, GENERATE, GOOD, problems, write
from tests.support import scenario

LINE = json.dumps(ROW).encode()
PLAIN = changed(ROW, "messages.1.thinking", GONE)
SCORED = changed(ROW, "metadata.ifd_score", 0.5)
TWICE = changed(changed(ROW, "messages.2", ROW["messages"][1]), "metadata.turn_count", 2)
NAME = "cases/claim"


def dataset(**changes: Any) -> str:
    """A dataset file."""
    return json.dumps({**DATASET, **changes}, indent=1)


def with_file(rows: bytes, name: str = "rows.jsonl") -> dict[str, str | bytes]:
    """The files of a folder with a dataset that names a rows file, and that file."""
    return {**GOOD, "datasets/d.yaml": dataset(rows={"file": name}), "datasets/rows.jsonl": rows}


def loaded(folder: Path, files: dict[str, str | bytes]) -> Dataset:
    """The one dataset of a folder with these files."""
    (found,) = load_library(write(folder, files)).datasets.values()
    return found


def test_a_line_of_a_rows_file_ends_at_a_newline_only(tmp_path: Path) -> None:
    """U+2028 and its like within a text do not end a line, and are escaped when the row is exported (ROW-4)."""
    row = changed(ROW, "messages.1.content", "a\u2028b\u2029c\x85d")
    (line,) = loaded(tmp_path, with_file(json.dumps(row, ensure_ascii=False).encode())).lines
    assert b"a\\u2028b\\u2029c\\u0085d" in line


def test_a_bad_line_is_named_by_its_number(tmp_path: Path) -> None:
    """A rows file whose line 7 is bad stops loading: the problem has the file, the line, and says so."""
    found = problems(write(tmp_path, with_file(b"\n".join([*[LINE] * 6, b'{"scenario_id": 7,', LINE]))))
    assert [(problem.file, problem.line) for problem in found] == [("datasets/rows.jsonl", 7)]
    assert found[0].message.startswith("line 7: expected JSON; ")
    assert "line 1" not in str(found[0])


def test_all_bad_lines_are_reported_at_once(tmp_path: Path) -> None:
    """The mistakes of a rows file are reported together, and together with those of other files."""
    bad = [json.dumps(changed(ROW, key, GONE)).encode() for key in ("messages", "metadata")]
    files = with_file(b"\n".join([bad[0], LINE, bad[1], b"[]"]))
    found = problems(write(tmp_path, {**files, "server.yaml": "sed: 7"}))
    assert [(problem.file, problem.line, problem.message) for problem in found] == [
        ("datasets/rows.jsonl", 1, "line 1: messages: is required"),
        ("datasets/rows.jsonl", 3, "line 3: metadata: is required"),
        ("datasets/rows.jsonl", 4, "line 4: expected a JSON object, got a list"),
        ("server.yaml", 1, "unknown key 'sed'"),
    ]


BAD_LINES = [
    pytest.param(b"", id="empty"),
    pytest.param(b"  ", id="blank"),
    pytest.param(b"\xef\xbb\xbf" + LINE, id="byte-order-mark"),
    pytest.param(LINE.replace(b"0.25", b"NaN"), id="nan"),
    pytest.param(LINE.replace(b"0.25", b"-Infinity"), id="infinity"),
    pytest.param(LINE.replace(b"1.0", b"1e400"), id="beyond-a-double"),
    pytest.param(LINE.replace(b"quiet", b"\xff"), id="not-utf-8"),
    pytest.param(LINE.replace(b"quiet", b"\\ud800"), id="lone-surrogate"),
    pytest.param(LINE + b",", id="comma-at-the-end"),
    pytest.param(LINE + LINE, id="two-rows"),
    pytest.param(LINE[:-1], id="cut-off"),
    pytest.param(b"[" + LINE + b"]", id="a-list"),
    pytest.param(b"null", id="null"),
    pytest.param(b'{"a":' * 70 + b"1" + b"}" * 70, id="too-deep"),
]


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_line_that_is_no_json_object_is_a_mistake(bad: bytes, number: int) -> None:
    """Empty lines, byte order marks, numbers without a value and the like are mistakes of their lines (GEN-6)."""
    lines = [LINE, LINE]
    lines.insert(number - 1, bad)
    assert [where for where, _ in line_mistakes(lines)] == [number]


ROW_MISTAKES: list[tuple[list[Any], int, str]] = [
    ([changed(ROW, "labels", [1])], 1, "labels: is not a known name"),
    ([ROW, changed(ROW, "metadata.temperature", "1")], 2, "metadata.temperature: expected a number"),
    ([ROW, ROW, TWICE], 3, "messages.2.role: expected 'user'"),
    ([ROW, changed(ROW, "messages.0.thinking", "Hm.")], 2, "messages.0.thinking: only 'assistant'"),
    ([changed(ROW, "metadata.turn_count", 3), ROW], 1, "metadata.turn_count: expected 1"),
    ([PLAIN, PLAIN, ROW], 3, "'thinking' is in this row and not in the first"),
    ([ROW, SCORED], 2, "metadata.ifd_score: expected null in all rows or in none"),
    ([SCORED, SCORED, ROW], 3, "metadata.ifd_score: expected null in all rows or in none"),
]


@pytest.mark.parametrize(("rows", "number", "words"), ROW_MISTAKES)
def test_a_mistake_in_a_row_has_its_place(rows: list[Any], number: int, words: str) -> None:
    """The same mistake is found in a list and in a file, each with its place (ROW-1, ROW-2, ROW-3)."""
    (mistake,) = check_rows({"rows": {"inline": rows}}, {})
    assert (mistake.path, words in mistake.message) == (("rows", "inline", number - 1), True)
    ((line, message),) = line_mistakes([json.dumps(row).encode() for row in rows])
    assert (line, words in message) == (number, True)


@pytest.mark.parametrize("rows", [[ROW], [PLAIN], [ROW, PLAIN, ROW], [PLAIN, PLAIN], [SCORED, SCORED]])
def test_rows_that_keep_the_contract_have_no_mistakes(rows: list[Any]) -> None:
    """`thinking` may be missing in later rows, and `ifd_score` may be null everywhere or nowhere (ROW-3)."""
    assert list(check_rows({"rows": {"inline": rows}}, {})) == []
    assert list(line_mistakes([json.dumps(row).encode() for row in rows])) == []


def test_a_mistake_in_an_inline_row_is_shown_in_its_file(tmp_path: Path) -> None:
    """File and line of the row are reported, in a list of rows."""
    text = dataset(rows={"inline": [ROW, changed(ROW, "metadata.turn_count", 2)]})
    (problem,) = problems(write(tmp_path, {**GOOD, "datasets/d.yaml": text}))
    assert (problem.file, "metadata.turn_count: expected 1" in problem.message) == ("datasets/d.yaml", True)
    first, second = [number for number, line in enumerate(text.splitlines(), 1) if '"scenario_id"' in line]
    assert first < problem.line <= second


@pytest.mark.parametrize("inline", [{"a": ROW}, {"a": {}}, {0: {}}, [7], "x", None])
def test_what_is_no_list_of_rows_is_a_problem(tmp_path: Path, inline: Any) -> None:
    """Anything else in the place of rows is reported once and is no other exception."""
    (problem,) = problems(write(tmp_path, {**GOOD, "datasets/d.yaml": dataset(rows={"inline": inline})}))
    assert problem.file == "datasets/d.yaml"


@pytest.mark.parametrize(
    "name", ["missing.jsonl", ".", "sub", "../cases/claim.yaml", "../out.jsonl", "link.jsonl", "{}/out.jsonl", "a\x07b",
             "pipe.jsonl"],
)  # fmt: skip
def test_a_rows_file_lies_beside_its_dataset(tmp_path: Path, name: str) -> None:
    """A missing file, a folder, a pipe, and a file outside the folder, even by a link, are problems of the dataset."""
    files = {**with_file(LINE, name.format(tmp_path)), "out.jsonl": LINE, "datasets/sub/rows.jsonl": LINE}
    folder = write(tmp_path / "library", files)
    (tmp_path / "out.jsonl").write_bytes(LINE)
    (folder / "datasets/link.jsonl").symlink_to(tmp_path / "out.jsonl")
    os.mkfifo(folder / "datasets/pipe.jsonl")
    (problem,) = problems(folder)
    assert (problem.file, problem.message.startswith("no rows file ")) == ("datasets/d.yaml", True)


def test_a_rows_file_may_be_a_link_inside_the_folder(tmp_path: Path) -> None:
    """What a link refers to may lie anywhere in the folder of scenarios, which may itself be reached by a link."""
    folder = write(
        tmp_path / "library",
        {**with_file(LINE, "link.jsonl"), "rows/out.jsonl": LINE, "rows/collection.yaml": COLLECTION},
    )
    (folder / "datasets/link.jsonl").symlink_to("../rows/out.jsonl")
    (tmp_path / "linked").symlink_to(folder)
    assert [dataset.row_count for dataset in load_library(tmp_path / "linked").datasets.values()] == [1]


CALL = {"call": "order_imaging", "input": {"region": "neck"}}
MAYBE = {"when": {"discovered": "onset"}, "say": "I see."}


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (["Hello."], True), ([["Hello.", "Hi."]], True), (["Hello.", CALL], True), ([CALL, MAYBE, "Hello."], True),
        ([MAYBE, ["Hello.", "Hi."]], True), ([{"silent": True}], True), ({"parts": ["Hello."], "thinking": "Hm."}, True),
        ([CALL], False), ([MAYBE], False), ([CALL, MAYBE], False), ([MAYBE, MAYBE], False),
        ({"parts": [CALL], "thinking": "Hm."}, False),
    ],
)  # fmt: skip
def test_each_turn_of_a_row_has_words(turn: Any, words: bool) -> None:
    """Rows hold no tool calls, so a turn that might say nothing would be an empty message (ROW-1, ROW-2)."""
    on = scenario(operators={name: {"agent_template_id": name, "says": ["Hi.", turn]} for name in ("named", "other")})
    data = changed(GENERATE, "rows.generate", {"scenario": NAME, "operators": ["named"], "count": 1})
    found = [mistake for mistake in check_rows(data, {NAME: on}) if "may say nothing" in mistake.message]
    assert [mistake.path for mistake in found] == ([] if words else [("rows", "generate", "operators", 0)])
    assert all("turn 2" in mistake.message and "'named'" in mistake.message for mistake in found)


WIDE = [[list("abcd")]] * 3
OPERATORS = {"expert": {"agent_template_id": "e", "says": WIDE}, "novice": {"agent_template_id": "n", "says": WIDE[:2]}}
KEEP = {"quality_score": {"at_least": 0.1}}
WANTED = {"scenario": NAME, "operators": ["expert"], "count": 2, "keep": KEEP}


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        pytest.param({}, 2, id="texts-multiply"),
        pytest.param({"temperatures": [0.5, 0.7, 1.0]}, 6, id="temperatures-multiply"),
        pytest.param({"temperatures": [1, 1.0, 1.0]}, 2, id="a-temperature-twice-is-one"),
        pytest.param({"operators": ["expert", "novice"], "temperatures": [0.5, 1.0]}, 5, id="operators-add"),
        pytest.param({"operators": ["expert", "expert"]}, 2, id="an-operator-twice-is-one"),
    ],
)
def test_a_choice_space_has_32_choices_a_row(changes: dict[str, Any], fits: int) -> None:
    """A count that the choices of 32 attempts a row just suffice for is taken; one more is a mistake that says so.

    Without a `keep` that may reject a row, one choice a row suffices.
    """
    data = {"rows": {"generate": {**WANTED, **changes, "count": fits}}}
    known: dict[str, Scenario | None] = {NAME: scenario(operators=OPERATORS)}
    assert list(check_rows(data, known)) == []
    (mistake,) = check_rows(changed(data, "rows.generate.count", fits + 1), known)
    assert (mistake.path, mistake.expected != "") == (("rows", "generate", "count"), True)
    assert f"needs {32 * (fits + 1)} choices" in mistake.message
    free = changed(
        changed(data, "rows.generate.keep", {}), "rows.generate.count", choices := mistake_size(mistake.message)
    )
    assert list(check_rows(free, known)) == []
    (mistake,) = check_rows(changed(free, "rows.generate.count", choices + 1), known)
    assert f"needs {choices + 1} choices" in mistake.message


def mistake_size(message: str) -> int:
    """The choices that the operators have, as a message says it."""
    return int(message.rpartition(" ")[2].replace(",", ""))


def test_a_text_twice_is_one_choice() -> None:
    """Alternatives that are equal do not make the choice space larger."""
    says = [[list("abab")], [list("abcdabcd")], [list("ab" * 4)]]
    known: dict[str, Scenario | None] = {NAME: scenario(operators={"expert": {"agent_template_id": "e", "says": says}})}
    (mistake,) = check_rows({"rows": {"generate": {**WANTED, "count": 1}}}, known)
    assert "have 16" in mistake.message


def test_journeys_make_rows_too() -> None:
    """An operator that only keeps silent can be named: silence is a message (TOK-1)."""
    data = {"rows": {"generate": {**WANTED, "operators": ["quiet"], "count": 1}}}
    assert [mistake.message for mistake in check_rows(data, {NAME: scenario(JOURNEY)})] == [
        "a count of 1 needs 32 choices, and the operators have 1"
    ]


def test_a_dataset_without_rows_is_a_mistake() -> None:
    """An empty file says nothing of what its author meant."""
    assert list(line_mistakes([])) == [(1, "expected a row; the file is empty")]
