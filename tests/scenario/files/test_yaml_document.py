import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.errors import Problem, ScenarioError
from labs_mock.scenario.files.folder import MAX_BYTES
from labs_mock.scenario.files.yaml_document import YamlDocument
from labs_mock.scenario.files.yaml_nodes import MAX_NESTING

Steps = tuple[str | int, ...]

# The characters that YAML has a use for come up often enough that most of its syntax is tried.
YAML_TEXT = st.text(st.sampled_from("ab1 \n\t:-?,[]{}#&*!|>'\"%@`~<.=\\xu0é\r\x00\ufeff\u2028") | st.characters())
BMP = st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"])
TEXTS = st.text(BMP, max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


def read(text: str | bytes) -> Any:
    """The value of the key `a`."""
    return YamlDocument("f.yaml", text).value["a"]


def refusal(text: str | bytes) -> Problem:
    """The one problem with which a text is refused."""
    with pytest.raises(ScenarioError) as caught:
        YamlDocument("f.yaml", text)
    (problem,) = caught.value.problems
    return problem


TEXT = """no yes on Off y n tRUE nULL 1_000 1,000 12:30 190:20:30 2026-01-01 2026-01-01T00:00:00Z 0o8 0o17_0 0b1 0xg
-0x1f 0x 1e + . ..5 1.2.3 = << 'no' '1' 'true' 'null' ''"""
# fmt: off
VALUE = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    "~": None, "null": None, "Null": None, "NULL": None, "": None,
    "0": 0, "-0": 0, "+12": 12, "-7": -7, "017": 17, "9223372036854775807": 2**63 - 1,
    "0o17": 15, "0x1f": 31, "0xFF": 255,
    "1.5": 1.5, "1.": 1.0, ".5": 0.5, "-1e3": -1000.0, "12e03": 12000.0, "1.5E-2": 0.015,
}
# fmt: on


@pytest.mark.parametrize(("written", "value"), [*((word, word.strip("'")) for word in TEXT.split()), *VALUE.items()])
def test_a_plain_scalar_is_read_by_the_core_schema_of_yaml_1_2(written: str, value: Any) -> None:
    """What only YAML 1.1 takes for a boolean, number or date is text, and so is all that is quoted."""
    assert (read(f"a: {written}"), type(read(f"a: {written}"))) == (value, type(value))


@pytest.mark.parametrize("written", [".inf", "-.INF", "+.Inf", ".nan", ".NaN", "1e400", "-1e999"])
def test_a_number_that_is_not_finite_is_refused(written: str) -> None:
    """Infinity, NaN and numbers beyond a double are problems, for they have no JSON."""
    assert "not finite" in refusal(f"a: {written}").message


@pytest.mark.parametrize("written", ["9223372036854775808", "-9223372036854775809", "9" * 5_000, "0x" + "f" * 40])
def test_a_number_of_more_than_64_bits_is_refused(written: str) -> None:
    """Integers beyond 64 bits are problems, for they have no JSON that everybody reads."""
    assert "too large" in refusal(f"a: {written}").message


def test_keys_are_text_as_it_is_written() -> None:
    """A key that looks like a number or a boolean stays what the author wrote."""
    assert list(YamlDocument("f.yaml", "1: a\nno: b\n~: c\n0x1f: d\ntrue: e").value) == ["1", "no", "~", "0x1f", "true"]


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_every_json_object_is_read_back_equal(value: dict[str, Any]) -> None:
    """A JSON file is a YAML file with the same values."""
    assert YamlDocument("f.yaml", json.dumps(value)).value == value


@pytest.mark.parametrize("text", ["\U0001f600", "a \U00010000 b", "\\\U0001f600", "\\ud83d\\ude00"])
def test_json_may_escape_characters_beyond_the_first_plane(text: str) -> None:
    """JSON writes an emoji as two escapes, and Python's `json.dumps` does so by default."""
    assert read(json.dumps({"a": text})) == text


@given(YAML_TEXT | st.binary() | YAML_TEXT.map(lambda text: "a: " + text))
def test_any_input_gives_a_document_or_a_scenario_error(text: str | bytes) -> None:
    """No text and no bytes raise another exception, and every problem has a place."""
    try:
        document = YamlDocument("f.yaml", text)
    except ScenarioError as error:
        found = error.problems
    else:
        found = (document.problem((), "wrong"),)
    assert all(problem.line >= 1 and problem.column >= 1 for problem in found)


def places(node: Any, path: Steps = ()) -> dict[Steps, tuple[int, int]]:
    """Where PyYAML's own composer says that every value stands."""
    found = {path: (node.start_mark.line + 1, node.start_mark.column + 1)}
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            found |= places(child, (*path, key.value))
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            found |= places(child, (*path, index))
    return found


@given(st.dictionaries(st.sampled_from("abcdef"), VALUES, min_size=1, max_size=4), st.booleans())
def test_every_value_has_the_place_that_the_parser_saw(value: dict[str, Any], flow: bool) -> None:
    """A problem at a path stands where the value of that path begins, in block and in flow style."""
    text = yaml.safe_dump(value, default_flow_style=flow).replace("lab_", "lib_")
    document = YamlDocument("f.yaml", text)
    for path, place in places(yaml.compose(text, yaml.SafeLoader)).items():
        problem = document.problem(path, "wrong")
        assert (problem.line, problem.column) == place
        assert problem.source == text.splitlines()[place[0] - 1]


PLACED = "name: x\nstate:\n  - id: one\n    when: {says: [a, b]}\n  -\n    id: two\n"


@pytest.mark.parametrize(
    ("path", "at_key", "place"),
    [
        (("state", 0, "when"), False, (4, 11)),
        (("state", 0, "when"), True, (4, 5)),
        (("state", 0, "when", "says", 1), False, (4, 22)),
        (("state", 1, "reveal"), True, (6, 5)),
        (("state", 0, "(rule)", "when", "(word)"), False, (4, 11)),
        (("persona", "opening"), False, (1, 1)),
        (("name", "deeper", 0), False, (1, 7)),
        ((), False, (1, 1)),
    ],
)
def test_a_path_that_does_not_exist_wholly_has_the_nearest_place(
    path: Steps, at_key: bool, place: tuple[int, int]
) -> None:
    """Steps that the file does not have are passed over: a missing key is shown at the mapping that lacks it."""
    problem = YamlDocument("f.yaml", PLACED).problem(path, "wrong", at_key=at_key)
    assert (problem.line, problem.column) == place


def test_a_repeated_key_is_placed_where_its_value_stands() -> None:
    """The line that is shown has the value that counts, also where its key stands twice."""
    document = YamlDocument("f.yaml", "a: 1\nb: 2\na: 3\n")
    assert document.problem(("a",), "wrong").source == f"a: {document.value['a']}"


def test_a_problem_shows_its_line_and_what_was_expected() -> None:
    """A problem names file, line and column, points into the line, and says what was expected."""
    problem = YamlDocument("dir/f.yaml", PLACED).problem(("state", 0, "when"), "wrong rule", "expected another")
    assert str(problem).splitlines() == [
        "dir/f.yaml:4:11: wrong rule",
        "      4 |     when: {says: [a, b]}",
        "        |           ^",
        "        = expected another",
    ]


@pytest.mark.parametrize(
    "text", ["ok: 1\nb: \x07", "ok: 1\nb: 'x\x00'", "ok: 1\n\x1b: 2", "ok: 1\nb: [", "ok: 1\nb: :: {"]
)
def test_what_is_not_yaml_is_reported_in_its_line(text: str) -> None:
    """Control characters and syntax errors are placed at the second line, not at the first."""
    problem = refusal(text)
    assert problem.message.startswith("not YAML")
    assert problem.line >= 2


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=12), st.booleans())
def test_every_repetition_of_a_key_is_one_problem(keys: list[str], nested: bool) -> None:
    """Each repeated key is reported once, at its line, with the line of the one before it."""
    lines = [f"{key}: {number}" for number, key in enumerate(keys)]
    text = "\n".join(["root:", *(f"  {line}" for line in lines)] if nested else lines)
    expected = [
        (index + 1 + nested, f"'{key}'", max(at for at in range(index) if keys[at] == key) + 1 + nested)
        for index, key in enumerate(keys)
        if key in keys[:index]
    ]
    found = YamlDocument("f.yaml", text).duplicates
    assert [
        (problem.line, problem.message[-3:], int(problem.expected.rpartition(" ")[2])) for problem in found
    ] == expected


def test_a_duplicate_key_is_one_problem_however_large_the_mapping_and_however_often_it_is_used() -> None:
    """Twenty thousand keys with one repetition give one problem; so does a mapping that aliases use again."""
    text = "\n".join([*(f"k{number}: 1" for number in range(20_000)), "k77: 2"])
    (problem,) = YamlDocument("f.yaml", text).duplicates
    assert (problem.line, "'k77'" in problem.message) == (20_001, True)
    assert len(YamlDocument("f.yaml", "a: &x {k: 1, k: 2}\nb: *x\nc: *x\n").duplicates) == 1


@pytest.mark.parametrize("value", ["!!str 1", "!!python/object:os.system {}", "!own [1]", "!<tag:x> {b: 1}"])
def test_tags_are_refused(value: str) -> None:
    """A tag on a scalar, a list or a mapping is a problem at its place."""
    problem = refusal(f"b: 1\na: {value}")
    assert (problem.line, problem.column) == (2, 4)
    assert "tag" in problem.message


def test_an_alias_has_the_value_of_its_anchor() -> None:
    """What is shared by aliases is read as if it were written out."""
    assert YamlDocument("f.yaml", "a: &x {k: [1, &y no]}\nb: *x\nc: [*y, *y]\n").value == {
        **{key: {"k": [1, "no"]} for key in ("a", "b")},
        "c": ["no", "no"],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: *x", "no anchor before it"),
        ("a: [*x, &x 1]", "no anchor before it"),
        ("a: &x [1, *x]", "contains itself"),
        ("a: &x {b: [{c: *x}]}", "contains itself"),
        ("&x {b: *x}", "contains itself"),
        ("a: &x b\n*x : 1", "a key is an alias"),
        ("? [b]\n: 1", "a key is no text"),
        ("{{b: 1}: 1}", "a key is no text"),
        ("a: &l0 [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(
            f"b{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)), "too many values"),
        ("a: &l0 [x]\n" + "\n".join(f"b{n}: &l{n} [*l{n - 1}]" for n in range(1, 60)), "too deep"),
    ],
)  # fmt: skip
def test_aliases_and_keys_that_cannot_be_followed_are_refused(text: str, message: str) -> None:
    """An alias that is missing, contains itself, stands as a key, or explodes is a problem; so is a list as a key."""
    assert message in refusal(text).message


def test_a_file_may_have_one_mebibyte_and_no_more(tmp_path: Path) -> None:
    """The limit counts bytes, for text and for files."""
    text = "a: " + "é" * ((MAX_BYTES - 3) // 2)
    padded = text + "x" * (MAX_BYTES - len(text.encode()))
    (tmp_path / "f.yaml").write_text(padded + "x", encoding="utf-8")
    assert len(read(padded).encode()) == MAX_BYTES - 3
    assert "larger than 1 MiB" in refusal(padded + "x").message
    with pytest.raises(ScenarioError, match="larger than 1 MiB"):
        YamlDocument.read(tmp_path / "f.yaml", "f.yaml")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{b: ", "}"), ("- ", "")])
def test_values_may_be_nested_fifty_levels_deep(opening: str, closing: str) -> None:
    """Fifty levels, the file's own mapping among them, are read; one more is a problem, and so are thousands."""

    def nested(levels: int) -> str:
        return f"a:\n {opening * (levels - 1)}1{closing * (levels - 1)}"

    assert read(nested(MAX_NESTING))
    for levels in (MAX_NESTING + 1, 5_000):
        assert refusal(nested(levels)).message == "nested deeper than 50 levels"


@pytest.mark.parametrize(
    ("text", "line"),
    [(b"\xff\xfea\0", 1), (b"a: 1\nb: \xe9\n", 2), (b"a: 1\n\n\nb: 'x\xed\xa0\x80'", 4), ("a:\n\ud800", 2)],
)
def test_a_file_that_is_not_utf_8_is_refused_with_its_line(text: str | bytes, line: int) -> None:
    """The problem stands in the line of the first byte that is no UTF-8."""
    problem = refusal(text)
    assert (problem.message, problem.line) == ("the file is not UTF-8", line)


def test_a_byte_order_mark_is_passed_over() -> None:
    """The mark is neither part of the first key nor of its column."""
    document = YamlDocument("f.yaml", b"\xef\xbb\xbfa: x\n")
    assert document.value == {"a": "x"}
    assert document.problem(("a",), "wrong").column == 4


@pytest.mark.parametrize(("text", "line"), [("a: 1\n---\nb: 2", 2), ("---\na: 1\n...\n---\n", 4)])
def test_a_second_document_is_refused(text: str, line: int) -> None:
    """A file holds one document; the problem stands where the second one begins."""
    problem = refusal(text)
    assert (problem.message, problem.line) == ("a second document", line)
    assert read("---\na: 1\n...\n") == 1


@pytest.mark.parametrize("text", ["", "\n \n", "# only a comment\n", "---\n", "text", "- a\n- b", "~", "[a: 1]", "7"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    """An empty file, a scalar and a list have no keys."""
    assert refusal(text).expected == "expected keys and values"


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """A missing file and a folder in a file's place are reported like any other mistake."""
    for name in ("missing.yaml", "."):
        with pytest.raises(ScenarioError, match=r"^f\.yaml:1:1: cannot be read: "):
            YamlDocument.read(tmp_path / name, "f.yaml")
