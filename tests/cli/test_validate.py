"""`labs-mock validate`: every kind of message through the command line, all forms of output, and single files."""

import gc
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from labs_mock.cli.main import main
from labs_mock.config.library import shipped_library
from tests.contract.test_rows import ROW
from tests.scenario.bases import DATASET, JOURNEY, SERVER, changed
from tests.scenario.files.test_loader import GENERATE, GOOD, write
from tests.support import CLAIM

CALL = {"call": "order_imaging", "input": {"region": "back"}}
STATUS = {"call": "claim_status", "input": {"value": "approved"}}


def run(*arguments: str | Path) -> Result:
    """What `validate` prints, and its exit code."""
    return CliRunner().invoke(main, ["validate", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the claim."""
    return write(tmp_path / "my", dict(GOOD))


def message_about(folder: Path, text: str, name: str = "cases/other.yaml") -> tuple[str, str]:
    """The first line and the expectation of the one message about a file, without the file's name."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    first, *_, expected = run(folder).stdout.partition("\n\n")[0].splitlines()
    assert first.startswith(f"{name}:")
    return first.removeprefix(f"{name}:"), expected.strip().removeprefix("= ")


TAB = ("a tab in the indentation", "expected spaces; YAML takes no tabs there")
NO_BREAK = ("a no-break space (U+00A0)", "expected a plain space")
COLON = ("': ' in a text without quotes", "expected quotes around a text that has ': ' in it")
NO_COLON = ("a line without 'key: value'", "expected a colon and a space after a key")
QUOTED = ("text behind the closing quotation mark", "expected '' for a ' within '…', and \\\" for a \" within \"…\"")
EMPTY = ("no value where one is needed", "expected one, or one ',', ']' or '}' less")
SYNTAX = [
    ("persona:\n\topening: Hi\n", "2:1", *TAB),
    ("persona:\n  opening: Hi\n  \tfallback: x\n", "3:3", *TAB),
    ("a:\n  - b\n\t- c\n", "3:1", *TAB),
    ("persona:\n\u00a0\u00a0opening: Hi\n", "2:1", *NO_BREAK),
    ("persona:\n  opening: Hi\n\u00a0 fallback: x\n", "3:1", *NO_BREAK),
    ("name:\u00a0One\nshape: x\n", "1:6", *NO_BREAK),
    ("name:\u00a0One\n", "1:6", *NO_BREAK),
    ("a:\n  - id:\u00a0x\n    fact: y\n", "2:8", *NO_BREAK),
    ("a:\n  -\u00a0b\n  - c\n", "2:4", *NO_BREAK),
    ("name\u00a0: One\n", "1:5", *NO_BREAK),
    ("name:\u2003One\nshape: x\n", "1:6", "a space that is none to YAML (U+2003)", "expected a plain space"),
    ("reply: Hello: please\n", "1:13", *COLON),
    ("a:\n  - reply: Hello: please\n", "2:17", *COLON),
    ("a: {reply: Hello: please}\n", "1:17", *COLON),
    ("name:One\nshape: x\n", "1:1", *NO_COLON),
    ("a:\n  name\n  shape: x\n", "2:3", *NO_COLON),
    ("a: 'it's'\n", "1:8", *QUOTED),
    ('a: "x" y\n', "1:8", *QUOTED),
    ("a: [b,, c]\n", "1:7", *EMPTY),
    ("a: ]\n", "1:4", *EMPTY),
    ("a: [b, c\nd: 1\n", "2:2", "neither ',' nor ']' where one is needed",
     "expected ']' for the '[' in line 1, or quotes around a text"),
    ("a: {b: 1\nd: 1\n", "2:2", "neither ',' nor '}' where one is needed",
     "expected '}' for the '{' in line 1, or quotes around a text"),
    ('a: "x\nb: 1\n', "1:4", "a quotation mark that is never closed", "expected its other half"),
    ("a: @x\n", "1:4", "'@' begins no text", "expected quotes around a text that begins with '@'"),
    ("a: & b\n", "1:5", "a name is missing behind '&' or '*'", "expected quotes around a text that begins with '&' or '*'"),
    ("a: >x\n", "1:5", "text behind '>' or '|'", "expected quotes around a text that begins with '>' or '|'"),
    ("a: ? x\n", "1:4", "'? ' begins no text", "expected quotes around a text that begins with '?'"),
    ("a: - b\n", "1:4", "a list that begins on the line of its key", "expected '- ' on a line of its own, or quotes around a text"),
    ('a: "\\d"\n', "1:5", "an escape that YAML does not know", "expected \\\\ for a backslash in \"…\", or '…' around the text"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message", "expected"), SYNTAX)
def test_a_syntax_error_is_reported_in_words_of_the_file(
    folder: Path, text: str, place: str, message: str, expected: str
) -> None:
    """A tab, a no-break space, a colon or a quote too many: one message at its place says what to write."""
    assert message_about(folder, text) == (f"{place}: not YAML: {message}", expected)


@pytest.mark.parametrize(
    ("text", "place", "column", "line", "begins"),
    [
        ("name: One\n  shape: x\n", "2:3", 3, 1, 1),
        ("persona:\n    opening: Hi\n  fallback: x\n", "3:3", 3, 2, 5),
        ("persona:\n  opening: Hi\n\n   fallback: x\n", "4:4", 4, 2, 3),
        ("a:\n  - b\n # c\n - c\n", "4:2", 2, 2, 3),
        ("a:\n  - id: x\n   fact: y\n", "3:4", 4, 2, 5),
        ("a:\n  - id: x\n     fact: y\n", "3:6", 6, 2, 5),
    ],
)
def test_an_indentation_is_compared_with_the_line_before(
    folder: Path, text: str, place: str, column: int, line: int, begins: int
) -> None:
    """The message has the column in which the line begins, and that of the last line before it that has something."""
    assert message_about(folder, text) == (
        f"{place}: not YAML: an indentation that fits no line before: this line begins in column {column}",
        f"expected what belongs together to begin in one column; line {line} begins in column {begins}",
    )


@pytest.mark.parametrize(
    ("expression", "error", "expected"),
    [
        ("a(?=b)", "invalid perl operator: (?=", "RE2 has no look-around"),
        ("(?<!a)b", "invalid perl operator: (?<!", "RE2 has no look-around"),
        (r"(a)\1", r"invalid escape sequence: \1", "RE2 has no back-references"),
        ("(?>a)", "invalid perl operator: (?>", "of '(?…' RE2 has "),
        ("(a", "missing ): (a", "expected a ')' for each '('"),
        ("a)", "unexpected ): a)", "expected a '(' for each ')'"),
        ("[a", "missing ]: [a", "expected a ']' for each '['"),
        ("*a", "no argument for repetition operator: *", "expected something to repeat before it"),
        ("a**", "bad repetition operator: **", "expected one repetition"),
        ("a{1001}", "invalid repetition size: {1001}", "expected at most {1000}"),
        ("[z-a]", "invalid character class range: z-a", "expected a range that rises"),
        ("a\\", "trailing \\", "expected a character behind"),
        (r"\q", r"invalid escape sequence: \q", r"expected '\\' for a backslash"),
        ("(?P<a", "invalid named capture group: (?P<a", "expected RE2's syntax"),
    ],
)
def test_a_bad_expression_is_explained(folder: Path, expression: str, error: str, expected: str) -> None:
    """The message is about look-around where there is some, and not where a bracket is missing."""
    text = json.dumps(changed(CLAIM, "criteria.best_practices.0.when", {"matches": expression}))
    message, remedy = message_about(folder, text)
    assert message.endswith(f": not an RE2 expression: {error}")
    assert remedy.startswith(expected)


@pytest.mark.parametrize(
    ("inside", "message"), [("cases", "this is one collection"), ("datasets", "these are the datasets of a folder")]
)
def test_a_folder_inside_the_folder_is_reported_as_one(
    folder: Path, inside: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`validate my/support` is one message that names the folder around it; so is `validate .` inside."""
    write(folder, {"datasets/d.yaml": json.dumps(GENERATE)})
    expected = "{}:1:1: {}\n        = expected the folder around it, {}\n\n1 problem in 1 file\n"
    place = folder / inside
    assert run(place).stdout == expected.format(place, message, folder)
    monkeypatch.chdir(place)
    if inside == "cases":
        assert run(".").stdout == expected.format(".", message, folder)


def test_a_message_moves_no_cursor_and_turns_no_text(folder: Path) -> None:
    """Terminal escapes, OSC and bidi controls in a file or in its name are shown as escapes."""
    hostile = "\x1b]0;t\x07\u202e\u2066\x9b2J"
    write(
        folder,
        {f"cases/{hostile}.yaml": "a: 1\n", "cases/other.yaml": json.dumps({**CLAIM, hostile: 1, "name": [hostile]})},
    )
    for form in ("text", "github", "json"):
        output = run(folder, "--format", form).stdout
        assert output.replace("\n", "").isprintable()
        assert "\\u202e" in output


WARNINGS = [
    ("operators.expert.says.1.1.input", {"region": 7}, "a call that its tool refuses: input.region: order_imaging: the value is not of type \"string\""),
    ("operators.expert.says.0", [STATUS | {"input": {"value": "aproved"}}], "a call that its tool refuses: input.value: claim_status: unknown option "),
    ("operators.expert.says.0", {"parts": [CALL | {"input": {}}]}, "a call that its tool refuses: input: order_imaging: "),
    ("completed.when", {"calls": {"tool": "claim_status", "input": {"value": "aproved"}}},
     "no valid call of 'claim_status' has this: the schema allows only 'approved', 'denied', 'pending_info'"),
    ("state.3.when", {"any": [{"calls": {"tool": "order_imaging", "input": {"region": 7}}}]},
     "no valid call of 'order_imaging' has this: the schema wants string"),
    ("operators.expert.says", ["Hm."] * 13, "operator 'expert' has 13 turns, and an episode ends after 12"),
    ("state.0.reply", "I said #1 is best.", None),
]  # fmt: skip


@pytest.mark.parametrize(("where", "value", "message"), WARNINGS)
def test_what_cannot_work_is_a_warning(folder: Path, where: str, value: Any, message: str | None) -> None:
    """Calls that a tool would refuse, rules that no call meets, turns after the last: the exit code stays 0 (EP-10, EP-12)."""
    (folder / "cases/claim.yaml").write_text(yaml.safe_dump(changed(CLAIM, where, value), sort_keys=False, width=1_000))
    result = run(folder)
    assert result.exit_code == 0
    warned = [line for line in result.stdout.splitlines() if ": warning: " in line]
    assert len(warned) == (message is not None)
    assert message is None or f": warning: {message}" in warned[0]
    count = ", 1 warning" if message else ""
    assert result.stdout.endswith(f"1 scenario in 1 collection and 0 datasets: no problems{count}\n")


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("description: Claim #4471 is open.", 20),
        ("description: Claim #4471", 20),
        ("description: Claim  #4471 is two spaces away.", None),
        ("description: Claim # with a comment", None),
        ("description: Claim #", None),
        ("description: 'Claim' #4471", None),
        ("difficulty: easy #!", None),
        ("max_turns: 5 #4471", None),
    ],
)
def test_a_text_that_a_comment_cuts_short_is_a_warning(folder: Path, line: str, column: int | None) -> None:
    """` #` and no space behind it looks like a part of the text; a comment as others write it is none."""
    text = (shipped_library() / "case-management/lower-back-claim.yaml").read_text()
    lines = [line if one.startswith(line.partition(":")[0] + ":") else one for one in text.splitlines()]
    write(folder, {"cases/claim.yaml": "\n".join(lines)})
    warned = [one for one in run(folder).stdout.splitlines() if "begins a comment" in one]
    number = lines.index(line) + 1
    assert warned == (
        [f"cases/claim.yaml:{number}:{column}: warning: ' #' begins a comment and ends the text"] if column else []
    )


def test_warnings_are_printed_beside_problems_and_only_for_good_files(folder: Path) -> None:
    """A file with mistakes has no warnings, and mistakes elsewhere hide none."""
    long = changed(CLAIM, "operators.expert.says", ["Hm."] * 13)
    write(folder, {"cases/bad.yaml": json.dumps({**long, "nam": 1}), "cases/long.yaml": json.dumps(long)})
    result = run(folder)
    assert result.exit_code == 1
    assert result.stdout.endswith("\n1 problem in 1 file, 1 warning\n")
    assert next(line for line in result.stdout.splitlines() if "13 turns" in line).startswith("cases/long.yaml:1:")


def test_several_folders_and_files_are_checked_together(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is named by the path that leads to it, and the counts are those of all."""
    monkeypatch.chdir(tmp_path)
    assert folder == tmp_path / "my"
    other = write(Path("other"), {**GOOD, "cases/claim.yaml": json.dumps({**CLAIM, "nam": 1})})
    assert run("my", other / "cases").stdout.startswith("other/cases:1:1: this is one collection")
    assert run("my", "other").stdout.startswith("other/cases/claim.yaml:1:")
    assert (
        run("my", "my/cases/claim.yaml").stdout == "1 scenario in 1 collection and 0 datasets and 1 file: no problems\n"
    )
    assert run("my/cases/claim.yaml", "my/cases/collection.yaml").stdout == "2 files: no problems\n"
    assert run("missing").exit_code == 2


ALONE: dict[str, tuple[str, str]] = {
    "cases/claim.yaml": (json.dumps({**CLAIM, "nam": 1}), "unknown key 'nam'"),
    "cases/collection.yaml": ("name: Cases\n", "'description' is missing"),
    "datasets/d.yaml": (
        json.dumps(changed(GENERATE, "rows.generate.scenario", "cases/clam")),
        "unknown scenario 'cases/clam'",
    ),
    "datasets/e.yaml": (json.dumps(changed(GENERATE, "rows.generate.count", 2)), "a count of 2 needs 64 choices"),
    "datasets/f.yaml": (json.dumps({**DATASET, "rows": {"file": "rows.jsonl"}}), "no rows file 'rows.jsonl'"),
    "server.yaml": (json.dumps(SERVER), "unknown collection 'coaching'"),
    "cases/Bad Name.yaml": (GOOD["cases/claim.yaml"], "'Bad Name' cannot be a slug"),
    "cases/claim.yml": (GOOD["cases/claim.yaml"], "not a name of a file of scenarios"),
}
KNOWN_ALONE = ("datasets/d.yaml", "datasets/e.yaml", "server.yaml")


@pytest.mark.parametrize("name", ALONE)
def test_a_single_file_is_checked_with_its_folder_around_it(folder: Path, name: str) -> None:
    """What a file refers to is looked up in its folder, and other files' mistakes are not reported."""
    text, message = ALONE[name]
    write(folder, {"cases/wrong.yaml": "nam: 1\n", "datasets/wrong.yaml": "nam: 1\n", "server.yaml": "sead: 1\n"})
    result = run(write(folder, {name: text}) / name)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{folder / name}:1:")
    assert message in result.stdout
    assert result.stdout.endswith("\n1 problem in 1 file\n")


@pytest.mark.parametrize(
    "name",
    [
        "../cases/wrong.yaml",
        "./wrong.yaml",
        "deep/../wrong.yaml",
        "../link/../cases/wrong.yaml",
        "../link/wrong.yaml",
        "../alone/other.yaml",
    ],
)
def test_a_single_file_is_named_as_it_was_given(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its problems are reported under that name, also with `..` and links in it, and its folder is found all the same."""
    write(folder, {"cases/wrong.yaml": "nam: 1\n", "cases/deep/empty.txt": "", "alone/note.txt": ""})
    (folder / "link").symlink_to("cases")
    (folder / "alone/other.yaml").symlink_to(folder / "cases/wrong.yaml")
    monkeypatch.chdir(folder / "cases")
    result = run(name)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{Path(name).as_posix()}:1:")
    assert result.stdout.endswith(" in 1 file\n")


@pytest.mark.parametrize("name", KNOWN_ALONE)
def test_a_single_file_without_a_folder_may_refer_to_anything(tmp_path: Path, name: str) -> None:
    """A dataset and a `server.yaml` that lie by themselves are checked but for what they refer to."""
    text = ALONE[name][0]
    assert run(write(tmp_path, {name: text}) / name).stdout == "1 file: no problems\n"
    assert (
        run(write(tmp_path, {name: text.replace('"name"', '"nam"').replace('"seed"', '"sead"')}) / name).exit_code == 1
    )


def test_a_dataset_by_itself_has_its_rows_file_checked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of the rows file are named by the path that leads to it; the id must be nobody else's."""
    text = json.dumps({**DATASET, "rows": {"file": "rows.jsonl"}})
    write(folder, {"datasets/d.yaml": text, "datasets/rows.jsonl": "{}\n"})
    monkeypatch.chdir(folder / "datasets")
    assert run("d.yaml").stdout.startswith("rows.jsonl:1:1: line 1: ")
    write(folder, {"datasets/rows.jsonl": json.dumps(ROW), "datasets/other.yaml": text})
    assert "is taken by another dataset" in run("d.yaml").stdout
    (folder / "datasets/other.yaml").unlink()
    assert run("d.yaml").stdout == "1 file: no problems\n"


@pytest.mark.parametrize("name", ["cases/pipe.yaml", "datasets/pipe.yaml"])
def test_a_pipe_that_is_named_blocks_nothing(folder: Path, name: str) -> None:
    """Only regular files are read, also when one is named as an argument."""
    (folder / "datasets").mkdir()
    os.mkfifo(folder / name)
    assert "cannot be read: not a regular file" in run(folder / name).stdout


def test_a_link_that_is_named_may_refer_to_anything(folder: Path, tmp_path: Path) -> None:
    """A single file outside of any folder of scenarios is what its link refers to; inside one the folder's rule holds."""
    (tmp_path / "linked.yaml").symlink_to(folder / "cases/claim.yaml")
    assert run(tmp_path / "linked.yaml").exit_code == 0
    (tmp_path / "outside.yaml").write_text("secret: 1\n")
    (folder / "cases/link.yaml").symlink_to(tmp_path / "outside.yaml")
    result = run(folder / "cases/link.yaml")
    assert ("a link that leads out of the folder" in result.stdout, "secret" in result.stdout) == (True, False)


def test_json_is_one_object(folder: Path) -> None:
    """All problems and warnings with their places, and how many there are, also of those that are not shown."""
    long = changed(CLAIM, "operators.expert.says", ["Hm."] * 13)
    write(
        folder,
        {
            "cases/bad.yaml": json.dumps({**CLAIM, **{f"key{n}": 1 for n in range(30)}}),
            "cases/long.yaml": json.dumps(long),
        },
    )
    result = run(folder, "--json")
    value = json.loads(result.stdout)
    assert result.exit_code == 1
    assert result.stdout == run(folder, "--format", "json").stdout
    assert (value["valid"], value["counts"]) == (False, {"scenarios": 2, "collections": 1, "datasets": 0, "files": 0})
    assert [(value[name]["count"], len(value[name]["shown"])) for name in ("problems", "warnings")] == [
        (30, 20),
        (1, 1),
    ]
    first = value["problems"]["shown"][0]
    assert set(first) == {"file", "line", "column", "message", "expected"}
    assert (first["file"], first["line"], first["message"]) == (str(folder / "cases/bad.yaml"), 1, "unknown key 'key0'")


def test_github_gets_annotations(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of the runner, with paths from where it runs, and `%`, `:`, `,` and line ends as it wants them."""
    monkeypatch.chdir(tmp_path)
    long = changed(CLAIM, "operators.expert.says", ["Hm."] * 13)
    write(
        folder,
        {"cases/50%, a:b.yaml": json.dumps({**CLAIM, "x%0Ay": 1}, indent=1), "cases/long.yaml": json.dumps(long)},
    )
    lines = run(folder, "--format", "github").stdout.splitlines()
    name = "my/cases/50%25%2C a%3Ab.yaml"
    assert lines[0].startswith(f"::error file={name},line=1,col=1::'50%25, a:b' cannot be a slug%0Aexpected lower-case")
    assert lines[1].startswith(f"::error file={name},line=")
    assert "::unknown key 'x%250Ay'%0Aexpected one of: name, " in lines[1]
    assert lines[2].startswith("::warning file=my/cases/long.yaml,line=1,col=")
    assert lines[3:] == ["2 problems in 1 file, 1 warning"]


@pytest.mark.parametrize(
    ("keep", "needed"),
    [
        ({}, 1),
        ({"quality_score": {"at_least": 0}}, 1),
        ({"quality_score": {"at_least": 0.0}, "complexity_score": {"at_least": 0}}, 1),
        ({"quality_score": {"at_least": 0.1}}, 32),
        ({"quality_score": {"at_least": 0}, "complexity_score": {"at_least": 0.01}}, 32),
    ],
)
def test_only_what_may_be_rejected_needs_choices(folder: Path, keep: dict[str, Any], needed: int) -> None:
    """Rows that no `keep` can reject take one choice each, others 32."""
    for count in (32 // needed, 32 // needed + 1):  # the operator has two ways to talk, and there are 16 temperatures
        data = changed(changed(GENERATE, "rows.generate.count", count), "rows.generate.keep", keep)
        result = run(write(folder, {"datasets/d.yaml": json.dumps(data)}))
        assert result.exit_code == int(count * needed > 32)
        assert f"needs {count * needed} choices, and the operators have 32" in result.stdout or not result.exit_code


def test_mistakes_in_a_dataset_stop_no_other_command(folder: Path, tmp_path: Path) -> None:
    """`score` needs scenarios alone, `export` its dataset; each is stopped by mistakes in what it needs."""
    bad = {"datasets/bad.yaml": json.dumps(changed(GENERATE, "rows.generate.scenario", "cases/clam"))}
    write(folder, {**bad, "datasets/good.yaml": json.dumps({**GENERATE, "id": GENERATE["id"].replace("3f", "4f")})})
    (tmp_path / "talk.json").write_text('[{"role": "assistant", "content": "Hello."}]')

    def code(*arguments: str | Path) -> tuple[int, str]:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
        return result.exit_code, result.stderr

    score = ("score", "cases/claim", tmp_path / "talk.json", "--scenarios", folder)
    export = ("export", "good", "--scenarios", folder, "--out", tmp_path / "rows.jsonl")
    assert [code(*score), code(*export)] == [(0, ""), (0, "")]
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 1
    for other in ("bad", "none"):
        status, text = code("export", other, "--scenarios", folder)
        assert (status, "unknown scenario 'cases/clam'" in text) == (2, True)
    write(folder, {"server.yaml": "sead: 1\n"})
    assert [code(*score)[0], code(*export)[0]] == [0, 2]
    write(folder, {"cases/other.yaml": json.dumps({**JOURNEY, "nam": 1})})
    assert [code(*score)[0], code(*export)[0]] == [2, 2]


def test_a_pipe_is_not_scored(tmp_path: Path) -> None:
    """A scenario is a regular file here, too."""
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "talk.json").write_text("[]")
    result = CliRunner().invoke(main, ["score", str(tmp_path / "pipe.yaml"), str(tmp_path / "talk.json")])
    assert (result.exit_code, "not a regular file" in result.stderr or "role" in result.stderr) == (2, True)


@pytest.mark.parametrize("command", ["validate", "serve"])
def test_thousands_of_mistakes_are_counted_and_not_all_printed(folder: Path, command: str) -> None:
    """8,000 unknown keys are twenty messages and a number, where a folder is checked and where it should be served."""
    write(folder, {"cases/many.yaml": json.dumps({**CLAIM, **{f"key{n}": 1 for n in range(8_000)}}, indent=1)})
    result = CliRunner().invoke(main, [command, str(folder)], catch_exceptions=False)
    assert result.exit_code == {"validate": 1, "serve": 2}[command]
    assert result.output.count("unknown key") == 20
    assert "\nand 7,980 more\n" in result.output
    assert len(result.output) < 20_000
    assert ("8,000 problems in 1 file" in result.output) == (command == "validate")
    assert gc.isenabled()


@pytest.mark.parametrize("command", ["validate", "serve", "score", "export", "scenarios"])
def test_no_command_waits_for_a_pipe(folder: Path, tmp_path: Path, command: str) -> None:
    """A pipe in the folder is a mistake, whatever loads it."""
    os.mkfifo(folder / "cases/pipe.yaml")
    (tmp_path / "talk.json").write_text('[{"role": "assistant", "content": "Hello."}]')
    options: dict[str, list[str | Path]] = {
        "validate": [folder], "serve": [folder], "export": ["x", "--scenarios", folder], "scenarios": ["--scenarios", folder],
                 "score": ["cases/claim", tmp_path / "talk.json", "--scenarios", folder]}  # fmt: skip
    result = CliRunner().invoke(main, [command, *map(str, options[command])], catch_exceptions=False)
    assert result.exit_code == (1 if command == "validate" else 2)
    assert "cases/pipe.yaml:1:1: cannot be read: not a regular file" in result.output
