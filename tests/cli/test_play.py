import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs_mock.cli.play_commands import COMMANDS
from labs_mock.cli.played_conversation import PlayedConversation
from labs_mock.config.library import load_library, shipped_library
from labs_mock.engine.player import Player
from labs_mock.engine.rollout import roll_out
from labs_mock.scenario.files.loader import parse_scenario
from tests.cli.running import SCRIPT, run
from tests.cli.terminal import on_terminal
from tests.scenario.bases import changed
from tests.support import CLAIM, Live

SCENARIOS = load_library(shipped_library()).scenarios
SCAN = 'order_imaging {"region": "lumbar spine"}'
LINES = ["Hello.", "Tell me what happened.", "Do you have a second job?", "Thank you, I understand.", "Are you worried?",
         "You pulled muscle.", "<no_response/>", "<no_response />", "I am scared.", "It started on Tuesday.", "äöü 😀"]  # fmt: skip


def play(folder: Path, *lines: str, options: tuple[str, ...] = ()) -> list[str]:
    """What is printed behind the persona's opening when these lines are entered by a pipe."""
    result = run(
        "play",
        "case-management/back-claim",
        "--scenarios",
        folder,
        *options,
        stdin="".join(f"{one}\n" for one in lines),
    )
    assert (result.exit_code, result.stderr) == (0, "")
    _, _, rest = result.stdout.partition("Dana Reyes: Hello, I'm calling about my claim.\n")
    return rest.splitlines()


def rewards(lines: list[str]) -> list[str]:
    """The rewards after the turns."""
    return [line.split()[3].rstrip(":") for line in lines if line.startswith("  turn ")]


def test_a_play_is_an_episode(folder: Path, server: Live) -> None:
    """Each turn has the persona's answer and the reward that an episode has (EP-5, EV-2); the end has its reason (EP-11)."""
    turns: list[dict[str, Any]] = [
        {"content": "Tell me what happened."},
        {"content": "I order a scan.", "tool_calls": [{"type": "artifact", "name": "order_imaging", "input": {"region": "lumbar spine"}}]},
        {"content": "", "tool_calls": [{"type": "decision", "name": "claim_status", "input": {"value": "pending_info"}}]},
    ]  # fmt: skip
    episode = server.episode(score_turns=True)
    expected: list[str] = []
    answer: dict[str, Any] = {}
    for turn in turns:
        answer = server.turn(episode, {"role": "assistant", **turn}).json()
        expected += [
            f"Dana Reyes: {answer['observation']['content']}",
            f"  turn {answer['turn']}, reward {answer['reward']:g}",
        ]
    expected[-1] += ": the conversation has ended, completed"
    shown = play(
        folder, turns[0]["content"], f"/call {SCAN}", turns[1]["content"], "/call claim_status pending_info", ""
    )
    assert [line for line in shown if line.startswith(("Dana", "  turn"))] == expected
    assert shown[-1] == f"Ended (completed) after 3 turns. Reward: {answer['reward']:g}"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.slug)
def test_every_shipped_scenario_can_be_played(scenario: Any) -> None:
    """Its expert's messages and calls, taken turn by turn, lead to the expert's observations and end."""
    expected = roll_out(Player(scenario), "expert")
    played = PlayedConversation(scenario)
    for (message,), observation in zip(expected.turns, expected.observations, strict=True):
        for call in message.get("tool_calls") or ():
            played.add_call(call.name, json.dumps(call.input))
        assert played.take_turn(message["content"]).play.observation == observation
    assert played.ended == expected.play.terminal
    assert run("play", f"{scenario.collection}/{scenario.slug}", stdin="/tools\n").exit_code == 0


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from([*LINES, None]), max_size=14))
def test_what_is_saved_has_the_same_reward(tmp_path_factory: pytest.TempPathFactory, steps: list[str | None]) -> None:
    """After any turns and undone turns (None), `score` gives the saved conversation the reward of a play of what is left."""
    folder = tmp_path_factory.mktemp("play")
    scenario = parse_scenario(json.dumps(CLAIM).encode(), file="claim.yaml", collection="cases")
    (folder / "claim.yaml").write_text(json.dumps(CLAIM), encoding="utf-8")
    played = PlayedConversation(scenario)
    left: list[str] = []
    for step in steps:
        if step is None:
            assert played.undo() == bool(left)
            left = left[:-1]
        elif not played.ended:
            played.take_turn(step)
            left.append(step)
    again = PlayedConversation(scenario)
    for line in left:
        again.take_turn(line)
    assert again.transcript() == played.transcript()
    assert len(played.evaluations) == len(left)
    if left and played.latest and again.latest:
        scored = json.loads(run("score", folder / "claim.yaml", "-", stdin=json.dumps(played.transcript())).stdout)
        assert scored["reward"] == played.latest.assessment.reward == again.latest.assessment.reward
        assert scored["turns"] == len(left)


def test_a_conversation_is_saved_to_a_new_file(folder: Path, tmp_path: Path) -> None:
    """`/save` writes what `score` and `/evaluate` take, and never over a file; what cannot be written is a line."""
    file = tmp_path / "talk.json"
    shown = play(folder, "/save", f"/save {file}", "Tell me what happened.", f"/save {file}", "Hello.", f"/save {file}", "/save", f"/save {tmp_path}/no/talk.json", "/save \0")  # fmt: skip
    assert [line for line in shown if "reward" not in line and not line.startswith(("You", "Dana"))] == [
        "  there is nothing before the first turn",
        "  there is nothing before the first turn",
        f"  Saved as {file}, which `labs-mock score` and /evaluate take.",
        f"  {file} exists; choose another name",
        "  expected the name of a file: /save talk.json",
        f"  {tmp_path}/no/talk.json: No such file or directory",
        "  \\x00: embedded null byte",
        f"Left after 2 turns. Reward: {rewards(shown)[-1]}",
    ]
    scored = run("score", "case-management/back-claim", file, "--scenarios", folder)
    assert f"{json.loads(scored.stdout)['reward']:g}" == rewards(shown)[0]


def test_a_turn_can_be_taken_back(folder: Path) -> None:
    """`/undo` takes back calls that were not sent, else the last turn, the end of the conversation too; before the first there is none."""
    calls = (f"/call {SCAN}", "/call claim_status approved", "Good bye.")
    shown = play(folder, "/undo", "Hello.", *calls, "More?", "/call claim_status denied", "/undo", f"/call {SCAN}", "/undo", "Tell me what happened.", "/undo", "/undo", "/undo")  # fmt: skip
    assert [line for line in shown if not line.startswith(("You", "Dana"))] == [
        "  there is nothing before the first turn",
        f"  turn 1, reward {rewards(shown)[0]}",
        '  order_imaging {"region":"lumbar spine"} goes with your next message; an empty line sends it without words.',
        '  claim_status {"value":"approved"} goes with your next message; an empty line sends it without words.',
        f"  turn 2, reward {rewards(shown)[1]}: the conversation has ended, completed",
        "  the conversation has ended; /undo takes the last turn back, /quit leaves",
        "  the conversation has ended; /undo takes the last turn back, /quit leaves",
        "  Back after turn 1: Hi. My number is 4471.",
        '  order_imaging {"region":"lumbar spine"} goes with your next message; an empty line sends it without words.',
        "  The calls for your next message are gone.",
        f"  turn 2, reward {rewards(shown)[2]}",
        "  Back after turn 1: Hi. My number is 4471.",
        "  Back at the beginning.",
        "  there is nothing before the first turn",
        "Left before the first turn.",
    ]


BAD = {
    "/foo": "unknown command /foo; expected one of: call, tools, scores, why, undo, save, help, quit (/help lists them)",
    "/scorse": "unknown command /scorse; did you mean 'scores'? (/help lists them)",
    "/": "unknown command /; expected one of: call, tools, scores, why, undo, save, help, quit (/help lists them)",
    "/why": "there is nothing before the first turn",
    "/scores": "there is nothing before the first turn",
    "/call": "unknown tool ''; expected one of: order_imaging, claim_status",
    "/call order_imagin {}": "unknown tool 'order_imagin'; did you mean 'order_imaging'?",
    "/call order_imaging": 'order_imaging: "region" is a required property (schema.required)',
    "/call order_imaging {": "input of the call: expected JSON; unexpected end of data at line 1, column 2",
    "/call order_imaging 3": "input of the call: expected a JSON object, got a number",
    "/call claim_status pending": "claim_status: unknown option 'pending'; did you mean 'pending_info'?",
    "x" * 10_001: "messages.0.content: expected at most 10,000 characters, got 10,001",
    "\udcff\udcc0": "expected text in UTF-8",
    "/call \udcff": "expected text in UTF-8",
}


@pytest.mark.parametrize("line", BAD, ids=[line[:24].encode("ascii", "replace").decode() for line in BAD])
def test_bad_input_is_a_line_and_the_play_goes_on(folder: Path, line: str) -> None:
    """What cannot be used is answered by one line that says why, and the next message is the first turn."""
    entered = f"{line}\nHello.\n".encode("utf-8", "surrogateescape")
    result = run("play", "case-management/back-claim", "--scenarios", folder, stdin=entered)
    assert (result.exit_code, result.stderr) == (0, "")
    shown = result.stdout.partition("Hello, I'm calling about my claim.\n")[2].splitlines()
    assert shown[0] == f"  {BAD[line]}"
    assert shown[1:3] == ["You: Hello.", "Dana Reyes: Hi. My number is 4471."]


def test_help_lists_every_command(folder: Path) -> None:
    """Each row of the table has its line, and each name but those that end the play prints something."""
    shown = "\n".join(play(folder, "Hello.", "/help"))
    assert all(f"/{name}" in shown and row.help in shown for name, row in COMMANDS.items())
    assert "Left after 1 turn." in play(folder, "Hello.", "/quit", "Hello.")[-1]


def test_scores_and_rules_are_shown_on_request(folder: Path) -> None:
    """`/scores` has the names and sentences of a response, `/why` and `--explain` the table of `score --explain`."""
    file = folder.parent / "saved.json"
    shown = play(folder, "Tell me what happened.", "/scores", "/why", f"/save {file}", options=("--explain",))
    table = run("score", "case-management/back-claim", file, "--scenarios", folder, "--explain").stdout.rstrip("\n")
    scored = json.loads(run("score", "case-management/back-claim", file, "--scenarios", folder).stdout)
    assert "\n".join(shown).count(table) == 2
    assert shown[-1] == table.splitlines()[-1]
    for name, score in scored["scores"].items():
        assert f"  {name} {score:g}: {scored['score_breakdown'][name]}" in shown


def test_findings_are_shown_with_their_turn(folder: Path) -> None:
    """What the service would take silently is printed once, behind the turn that has it."""
    shown = play(folder, "Hello.", "<no_response />", "Hello.")
    assert [index for index, line in enumerate(shown) if line.startswith("  finding: near_miss_token (warning)")] == [5]


def test_a_message_may_begin_with_a_slash(folder: Path) -> None:
    """Two slashes are one in the message; an empty line is none."""
    file = folder.parent / "saved.json"
    play(folder, "//why not?", "", "   ", f"/save {file}")
    assert [one["content"] for one in json.loads(file.read_bytes())["messages"][1::2]] == ["/why not?"]


@pytest.mark.parametrize("seed", ["0", "7"])
def test_a_piped_play_is_the_same_bytes_in_every_process(folder: Path, seed: str) -> None:
    """Without a terminal there are neither prompts nor colours, and what is printed is the same each time (DET-1)."""
    assert SCRIPT
    command = [SCRIPT, "play", "case-management/back-claim", "--scenarios", str(folder), "--explain"]
    lines = "Tell me what happened.\n/scores\nAre you worried?"  # the last one without its end
    environment = {**os.environ, "PYTHONHASHSEED": seed, "FORCE_COLOR": "1"}
    done = subprocess.run(
        command, input=lines, capture_output=True, text=True, check=False, timeout=60, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert done.stdout.splitlines()[-len(play(folder, *lines.split("\n"), options=("--explain",))) :] == play(
        folder, *lines.split("\n"), options=("--explain",)
    )


def test_nothing_reaches_the_terminal_but_text(tmp_path: Path) -> None:
    """Control characters and those that turn the direction of writing are shown as escapes, wherever a file or a line has them."""
    bad = "\x1b]0;title\x07\u202e"
    data = changed(
        changed(CLAIM, "persona.opening", f"Hello {bad}\n  turn 9, reward 1"), "persona.fallback", [f"What? {bad}"]
    )
    data = changed(changed(data, "name", f"Name {bad}"), "persona.identity.name", f"Dana {bad}")
    data = changed(data, "tools.0.description", f"Scan {bad}")
    (tmp_path / "claim.yaml").write_text(json.dumps(data), encoding="utf-8")
    lines = [f"Hm. {bad}", f"/call {bad}", f"/save {tmp_path}/{bad}", f"/{bad}", "/tools", "/why"]
    result = run("play", tmp_path / "claim.yaml", stdin="\n".join(lines))
    assert result.exit_code == 0
    assert result.stdout.replace("\n", "").isprintable()
    assert "Hello \\x1b]0;title\\x07\\u202e\n    turn 9, reward 1\n" in result.stdout


def test_what_cannot_be_played_is_bad_usage(folder: Path) -> None:
    """An unknown scenario gets a suggestion, a file with mistakes their places; nothing is played."""
    result = run("play", "case-management/back-clam", "--scenarios", folder, stdin="Hello.\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert (
        result.stderr
        == "labs-mock: no scenario 'case-management/back-clam'; did you mean 'case-management/back-claim'?\n"
    )
    (folder / "bad.yaml").write_text("nam: 1\n")
    result = run("play", folder / "bad.yaml", stdin="Hello.\n")
    assert (result.exit_code, result.stdout, "bad.yaml:1:1" in result.stderr) == (2, "", True)


@pytest.mark.parametrize(("key", "ended"), [("\x04", "Left after 1 turn."), ("\x03", "Left after 1 turn."), ("/quit\n", "Left after 1 turn.")])  # fmt: skip
def test_on_a_terminal_there_is_a_prompt(folder: Path, key: str, ended: str) -> None:
    """A prompt before each line, no echo of what was entered; Ctrl-D and Ctrl-C end it as `/quit` does, with exit code 0."""
    with on_terminal("play", "case-management/back-claim", "--scenarios", folder) as terminal:
        terminal.wait_for("> ")
        terminal.enter("Hello.\n")
        terminal.wait_for("Dana Reyes: Hi. My number is 4471.")
        terminal.wait_for("> ")
        if key == "\x03":
            assert terminal.interrupt() == 0
        else:
            terminal.enter(key)
            assert terminal.end() == 0
    assert ended in terminal.shown.splitlines()[-1]
    assert "You:" not in terminal.shown
    assert "Traceback" not in terminal.shown


def test_what_is_not_utf8_on_a_terminal_is_a_line(folder: Path) -> None:
    """Keys of a terminal with another encoding end nothing."""
    with on_terminal("play", "case-management/back-claim", "--scenarios", folder) as terminal:
        terminal.wait_for("> ")
        terminal.enter(b"\xff\xfe\n")
        terminal.wait_for("expected text in UTF-8")
        terminal.wait_for("> ")
        terminal.enter("\x04")
        assert terminal.end() == 0
