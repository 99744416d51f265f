import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from labs_mock import __version__
from labs_mock.cli.listing import details, details_tables
from labs_mock.cli.main import main
from labs_mock.config.library import load_library, shipped_library
from labs_mock.config.printing import KINDS, schema_of, starter_files
from labs_mock.scenario.files.loader import parse_scenario
from tests.support import CLAIM, Live

SCRIPT = shutil.which("labs-mock", path=str(Path(sys.executable).parent))

TRANSCRIPT = [
    {"role": "assistant", "content": "Tell me what happened."},
    {"role": "user", "content": "It started on Tuesday."},
    {
        "role": "assistant",
        "content": "Thank you. You pulled muscle.",
        "tool_calls": [{"type": "artifact", "name": "order_imaging", "input": {"region": "back"}}],
    },
]
COLLECTION = "name: Cases\ndescription: Some cases.\n"


def run(*arguments: str | Path, given: str | None = None) -> Result:
    """What a command prints, and its exit code."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=given, catch_exceptions=False)


def tree(folder: Path) -> dict[str, bytes | None]:
    """All that lies in a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the claim, and a transcript beside it."""
    folder = tmp_path / "scenarios"
    (folder / "case-management").mkdir(parents=True)
    (folder / "case-management" / "collection.yaml").write_text(COLLECTION, encoding="utf-8")
    (folder / "case-management" / "back-claim.yaml").write_text(json.dumps(CLAIM, indent=1), encoding="utf-8")
    (tmp_path / "transcript.json").write_text(json.dumps(TRANSCRIPT), encoding="utf-8")
    return folder


def test_a_good_folder_has_no_problems(folder: Path) -> None:
    """A folder without mistakes is summed up in one line."""
    result = run("validate", folder)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "1 scenario in 1 collection and 0 datasets: no problems\n"


def test_the_shipped_library_is_validated_by_default() -> None:
    """Without a folder, the scenarios that come with the package are checked, and are right."""
    result = run("validate")
    count = len(load_library(shipped_library()).scenarios)
    assert (result.exit_code, f"{count} scenarios in" in result.stdout) == (0, True)


OTHER = """\
name: Other
description: Another case.
shape: conversation
difficulty: easy
max_turns: 50
persona:
  identity: {name: Kim}
  opening: Hello.
  fallback: [Pardon me.]
state:
  - {id: one, fact: F, reveal: volunteered, reply: R}
criteria:
  success_metrics: [{id: asks, text: T, when: {discovered: one}}]
"""
MISTAKES = {
    "shape: conversation": "shape: conversaton",
    "max_turns: 50": "max_turns: 51",
    "  fallback: [Pardon me.]": "  fallback: [[Pardon me.]]",
    "reveal: volunteered": "reveal: rapport_required, when: {silent: true}",
    "discovered: one}}": "discovered: on}}",
}
WHERE = ["3:8", "5:12", "9:14", "11:32", "13:60"]


def with_mistakes(*numbers: int) -> str:
    """The other scenario with some of the mistakes."""
    text = OTHER
    for number in numbers:
        right, wrong = list(MISTAKES.items())[number]
        text = text.replace(right, wrong)
    return text


@pytest.mark.parametrize("files", [[(0, 1, 2, 3, 4)], [(0, 4), (1, 2, 3)], [(0,), (1,), (2,), (3,), (4,)]])
def test_five_mistakes_are_five_places(folder: Path, files: list[tuple[int, ...]]) -> None:
    """All mistakes are printed at once with their places and lines, whether they stand in one file or in several."""
    expected = []
    for index, numbers in enumerate(files):
        (folder / f"case-management/other-{index}.yaml").write_text(with_mistakes(*numbers), encoding="utf-8")
        expected += [f"case-management/other-{index}.yaml:{WHERE[number]}:" for number in numbers]
    result = run("validate", folder)
    lines = result.stdout.splitlines()
    assert [line.partition(" ")[0] for line in lines if line.startswith("case-management/")] == expected
    for place, wrong in zip(WHERE, MISTAKES.values(), strict=True):
        assert any(line.startswith(f"{place.partition(':')[0]:>7} | ") and wrong in line for line in lines)
    assert lines[-1] == f"5 problems in {len(files)} file{'s' if len(files) > 1 else ''}"
    assert result.exit_code == 1


def test_a_key_in_a_bad_server_file_is_not_printed(folder: Path) -> None:
    """Neither a wrong key nor a right one beside a mistake is ever shown."""
    (folder / "server.yaml").write_text(
        "api_key: lab_S3cret\nkeys: [{key: lab_S3cret+, plan: gold}]\n", encoding="utf-8"
    )
    result = run("validate", folder)
    assert (result.exit_code, "S3cret" in result.output) == (1, False)


def test_validate_needs_something_to_check(tmp_path: Path) -> None:
    """A path that is missing is bad usage and named; an empty file is a problem."""
    (tmp_path / "file.yaml").touch()
    assert run("validate", tmp_path / "file.yaml").exit_code == 1
    missing = run("validate", tmp_path / "missing")
    assert missing.exit_code == 2
    assert "missing' does not exist" in missing.output


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_printed(kind: str) -> None:
    """The output is the schema as JSON, and nothing else."""
    result = run("schema", kind)
    assert (result.exit_code, json.loads(result.stdout)) == (0, schema_of(kind))


def test_init_makes_a_folder_that_validates(tmp_path: Path) -> None:
    """All files of the starter are written, the next step is told, and it works; a second `init` is refused."""
    folder = tmp_path / "a" / "new"
    result = run("init", folder)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"labs-mock validate {folder}" in result.stdout
    assert {name: text for name, text in tree(folder).items() if text is not None} == {
        name: text.encode() for name, text in starter_files().items()
    }
    assert [run(command, folder).exit_code for command in ("validate", "init")] == [0, 2]


@pytest.mark.parametrize(
    "taken", ["server.yaml", "support/late-parcel.yaml", ".schema/scenario.json", "support", ".schema"]
)
def test_init_overwrites_nothing_and_writes_nothing_beside_it(tmp_path: Path, taken: str) -> None:
    """Where something stands in the way of any of its files, `init` leaves the folder as it is."""
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("mine", encoding="utf-8")
    before = tree(tmp_path)
    result = run("init", tmp_path)
    assert (result.exit_code, tree(tmp_path)) == (2, before)
    assert str(tmp_path / taken) in result.stderr


def test_a_score_is_what_evaluate_answers(folder: Path, server: Live) -> None:
    """`score` gives the reward, scores and sentences of `/evaluate`, without a server (EV-1)."""
    result = run("score", "case-management/back-claim", folder.parent / "transcript.json", "--scenarios", folder)
    body = {"collection_slug": "case-management", "scenario_slug": "back-claim", "messages": TRANSCRIPT}
    answered = server.post("/evaluate", body).json()
    scored = json.loads(result.stdout)
    assert result.exit_code == 0
    for field in ("reward", "scoring_version", "scores", "score_breakdown"):
        assert scored[field] == answered[field]
    assert (scored["turns"], scored["terminal_reason"], scored["findings"]) == (2, None, [])


def test_a_scenario_file_and_standard_input_give_the_same_score(folder: Path) -> None:
    """SCENARIO may be a YAML file, TRANSCRIPT may be `-`, and its list may stand in an object."""
    file = folder / "case-management" / "back-claim.yaml"
    expected = run("score", "case-management/back-claim", folder.parent / "transcript.json", "--scenarios", folder)
    assert run("score", file, folder.parent / "transcript.json").stdout == expected.stdout
    assert run("score", file, "-", given=json.dumps(TRANSCRIPT)).stdout == expected.stdout
    assert run("score", file, "-", given=" \n" + json.dumps({"messages": TRANSCRIPT})).stdout == expected.stdout


def test_a_transcript_may_have_a_reward_config(folder: Path) -> None:
    """Only the scorers that are asked for run (RC-2), and the gate can be skipped (RC-3)."""
    file = folder / "case-management" / "back-claim.yaml"
    config: dict[str, Any] = {"quality_weights": {"best_practices": 1}}
    gated, free = (
        json.loads(run("score", file, "-", given=json.dumps({"messages": TRANSCRIPT, "reward_config": one})).stdout)
        for one in (config, {**config, "skip_safety_gate": True})
    )
    assert [*gated["scores"].values()] == [*free["scores"].values()] == [1.0]
    assert (gated["reward"], free["reward"]) == (0.9, 1.0)


def test_findings_are_told(folder: Path) -> None:
    """Turns after the end are ignored and noticed (EV-2)."""
    decision = {"type": "decision", "name": "claim_status", "input": {"value": "pending_info"}}
    messages = [{"role": "assistant", "content": "Hello.", "tool_calls": [decision]}, {"role": "user", "content": "Hm."},
                {"role": "assistant", "content": "Bye."}]  # fmt: skip
    file = folder / "case-management" / "back-claim.yaml"
    scored = json.loads(run("score", file, "-", given=json.dumps(messages)).stdout)
    assert (scored["turns"], scored["terminal_reason"]) == (1, "completed")
    assert [finding["code"] for finding in scored["findings"]] == ["turns_after_end"]
    assert "turns_after_end" in run("score", file, "-", "--explain", given=json.dumps(messages)).stdout


def test_an_explanation_shows_every_rule_and_the_sum(folder: Path) -> None:
    """The tables have each criterion with its turns, each dimension, the gate and the reward."""
    file = folder / "case-management" / "back-claim.yaml"
    reward = json.loads(run("score", file, folder.parent / "transcript.json").stdout)["reward"]
    shown = run("score", file, folder.parent / "transcript.json", "--explain").stdout
    ids = ["establish_onset", "order_scan", "early_approval", "rude", "open_question", "gathering", "diagnosis",
           "scared", "strain", *(item["id"] for item in CLAIM["state"]), *(tool["id"] for tool in CLAIM["tools"])]  # fmt: skip
    assert [name for name in ids if name not in shown] == []
    assert "Gate: 0.9" in shown
    assert shown.rstrip().endswith(f"Reward: {reward:g}")
    assert "requires" not in shown


def test_an_explanation_names_what_is_required(folder: Path) -> None:
    """It says why a reward is 0 where nothing happened that the scenario requires (RC-6)."""
    file = folder / "case-management" / "back-claim.yaml"
    data = {**CLAIM, "scoring": {"requires": {"says": ["never mind"]}}}
    file.write_text(json.dumps(data), encoding="utf-8")
    shown = run("score", file, folder.parent / "transcript.json", "--explain").stdout
    assert "has not held: the reward is 0" in shown
    assert "What the scenario requires has not held at any turn: the reward is 0." in shown
    assert shown.rstrip().endswith("Reward: 0")


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "7", "[]", "{}", '{"messages": []}', '[{"role": "user", "content": "Hi."}]', '[{"role": "x"}]',
     '[{"role": "assistant", "content": 5}]', '{"messages": 5}', '[{"role": "assistant", "content": "Hi."}', "\ufeff[]",
     '{"messages": [], "reward_config": {"quality_weights": {"kindness": 1}}}', '["Hi."]', "[NaN]", '["\\ud800"]',
     json.dumps([{"role": "assistant", "content": "x" * 10_001}])],
)  # fmt: skip
def test_a_bad_transcript_is_bad_usage(folder: Path, text: str) -> None:
    """What is no transcript is one message on standard error, with exit code 2 and nothing else."""
    result = run("score", folder / "case-management" / "back-claim.yaml", "-", given=text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("labs-mock: ")
    assert len(result.stderr) < 400


def test_what_cannot_be_found_is_bad_usage(folder: Path) -> None:
    """An unknown slug is told with those that there are; so is a file that is missing."""
    transcript, cases = folder.parent / "transcript.json", folder / "case-management"
    unknown = run("score", "case-management/front-claim", transcript, "--scenarios", folder)
    assert (unknown.exit_code, "case-management/back-claim" in unknown.stderr) == (2, True)
    for scenario, given in (
        (cases / "missing.yaml", transcript),
        (cases / "back-claim.yaml", folder.parent / "missing.json"),
        (cases / "back-claim.yaml", cases),
        (cases, transcript),
    ):
        result = run("score", scenario, given)
        assert (result.exit_code, result.stdout) == (2, "")


def test_a_scenario_with_mistakes_is_not_scored(folder: Path) -> None:
    """The mistakes are told with their places, as `validate` tells them."""
    (folder / "other.yaml").write_text(with_mistakes(*range(5)), encoding="utf-8")
    result = run("score", folder / "other.yaml", folder.parent / "transcript.json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("other.yaml:") == 5


def test_scenarios_lists_the_library() -> None:
    """Every shipped scenario has its line, with shape, difficulty and name, and its object in the JSON."""
    library = load_library(shipped_library())
    listed, data = run("scenarios"), json.loads(run("scenarios", "--json").stdout)
    assert (listed.exit_code, len(data)) == (0, len(library.scenarios))
    for scenario, entry in zip(library.scenarios, data, strict=True):
        name = f"{scenario.collection}/{scenario.slug}"
        assert (entry["scenario"], entry["name"], entry["shape"]) == (name, scenario.file.name, scenario.file.shape)
        assert re.search(rf"{name} +│ {scenario.file.shape} +│ {scenario.file.difficulty} +│ \d+ +│ ", listed.stdout)


def test_scenarios_shows_all_of_one(folder: Path) -> None:
    """Its opening, facts, tools, criteria, dimensions and operators; by its name in a folder, or by its file."""
    shown = run("scenarios", "case-management/back-claim", "--scenarios", folder)
    assert shown.exit_code == 0
    ids = ["establish_onset", "order_scan", "early_approval", "rude", "open_question", "gathering", "diagnosis", "scared",
           "strain", *(item["id"] for item in CLAIM["state"]), *(tool["id"] for tool in CLAIM["tools"])]  # fmt: skip
    texts = [
        CLAIM["name"],
        CLAIM["persona"]["opening"],
        "Dana Reyes",
        "critical",
        "expert",
        "claims-expert-v1",
        "D4_Rubrics",
    ]
    assert [text for text in [*ids, *texts] if text not in shown.stdout] == []
    file = folder / "case-management" / "back-claim.yaml"
    assert run("scenarios", file).stdout == shown.stdout


def test_every_shipped_scenario_can_be_shown() -> None:
    """Of all shapes, decision tasks and journeys too; what JSON has beside name and version is the file again."""
    for scenario in load_library(shipped_library()).scenarios:
        shown, data = details_tables(scenario), details(scenario)
        assert all(f" {item.id} " in shown for item in scenario.file.state)
        assert all(f" {name} " in shown for name in [*scenario.tools, *scenario.file.operators])
        assert data.pop("scenario") == f"{scenario.collection}/{scenario.slug}"
        version, text = data.pop("version"), json.dumps(data)
        assert parse_scenario(text, file=f"{scenario.slug}.yaml", collection=scenario.collection).version == version


def test_a_text_of_a_scenario_is_never_more_than_text(tmp_path: Path) -> None:
    """Marks of rich, emoji codes and control characters are shown as they stand, or as escapes."""
    text = "[bold]x[/] [/] :smile: \x1b[31m \u202e"
    data = {**CLAIM, "name": text, "description": text, "persona": {**CLAIM["persona"], "opening": text}}
    data["state"] = [{**CLAIM["state"][0], "fact": text}, *CLAIM["state"][1:]]
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "collection.yaml").write_text(COLLECTION, encoding="utf-8")
    (tmp_path / "cases" / "odd.yaml").write_text(json.dumps(data), encoding="utf-8")
    explained = ("score", "cases/odd", "-", "--explain", "--scenarios", tmp_path)
    for command in (
        ("scenarios", "--scenarios", tmp_path),
        ("scenarios", "cases/odd", "--scenarios", tmp_path),
        explained,
    ):
        result = run(*command, given=json.dumps(TRANSCRIPT))
        assert result.exit_code == 0
        assert "[bold]x[/] [/] :smile: \\x1b[31m \\u202e" in result.stdout
        assert result.stdout.replace("\n", "").isprintable()


def test_a_scenario_that_is_not_there_is_named() -> None:
    """With those that there are."""
    result = run("scenarios", "case-management/lower-back-clam")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no scenario 'case-management/lower-back-clam'; " in result.stderr
    assert "case-management/lower-back-claim" in result.stderr


def test_the_console_script_tells_its_version() -> None:
    """`labs-mock` is on the path of its environment, and starts."""
    assert SCRIPT
    done = subprocess.run([SCRIPT, "--version"], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"labs-mock, version {__version__}\n", "")


def test_problems_are_the_same_bytes_in_every_process(folder: Path) -> None:
    """What `validate` prints does not depend on the seed of Python's hashes (DET-1)."""
    assert SCRIPT
    (folder / "case-management" / "other.yaml").write_text(with_mistakes(*range(5)), encoding="utf-8")
    printed = {
        subprocess.run(
            [SCRIPT, "validate", folder],
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=False,
            timeout=30,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
    assert b"5 problems" in printed.pop()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["export", "check-ins"], 0),
        (["scenarios"], 0),
        (["schema", "openapi"], 0),
        (["schema", "collection"], 0),
        (["--help"], 0),
        (["validate"], 0),
        (["validate", "bad"], 1),
    ],
)
def test_a_reader_that_leaves_is_no_failure(tmp_path: Path, command: list[str], code: int) -> None:
    """`labs-mock export … | head`: not a word, and exit code 0 however much is left; what judges ends with its verdict."""
    assert SCRIPT
    (tmp_path / "bad").mkdir()
    reads, writes = os.pipe()
    with subprocess.Popen([SCRIPT, *command], cwd=tmp_path, stdout=writes, stderr=subprocess.PIPE) as process:
        os.close(writes)
        os.close(reads)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == code


def test_what_cannot_be_seen_is_shown_as_an_escape(tmp_path: Path) -> None:
    """Neither a file nor an argument can send control characters to the terminal by way of a message."""
    (tmp_path / "s.yaml").write_text('name: "\\e]0;title\\a"\nnme: "\\e[31m \\u202e"\n', encoding="utf-8")
    for arguments in (
        ("export", "\x1b[31m\u202e"),
        ("score", "a/\x1b[31m\u202e", "-"),
        ("score", tmp_path / "s.yaml", "-"),
    ):
        result = run(*arguments, given="[]")
        assert result.exit_code == 2
        assert result.stderr.replace("\n", "").isprintable()


def test_score_finds_its_scenario_where_the_variable_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`LABS_MOCK_SCENARIOS` counts for every command that has a folder of scenarios."""
    monkeypatch.setenv("LABS_MOCK_SCENARIOS", str(folder))
    assert run("score", "case-management/back-claim", folder.parent / "transcript.json").exit_code == 0
    monkeypatch.setenv("LABS_MOCK_SCENARIOS", str(folder / "missing"))
    result = run("score", "case-management/back-claim", folder.parent / "transcript.json")
    assert (result.exit_code, result.stderr) == (
        2,
        f"labs-mock: LABS_MOCK_SCENARIOS: no such folder: {folder}/missing\n",
    )


@pytest.mark.parametrize(
    "command", ["serve", "validate", "scenarios", "schema", "init", "score", "export", "conformance"]
)
def test_every_command_has_help(command: str) -> None:
    """`-h` works on every command, and the first page lists it."""
    assert run(command, "-h").exit_code == 0
    assert f"\n  {command} " in run("-h").stdout


@pytest.mark.parametrize("arguments", [["sreve"], ["schema", "scenery"], ["validate", "--fast"], ["score"], ["init"]])
def test_bad_usage_has_exit_code_2(arguments: list[str]) -> None:
    """Unknown commands and options and missing arguments are bad usage."""
    assert run(*arguments).exit_code == 2
