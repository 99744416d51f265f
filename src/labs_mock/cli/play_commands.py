"""What a person can enter while playing, beside messages: one table."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import orjson

from labs_mock.cli.commands.score import ScoredConversation, explain_table
from labs_mock.cli.played_conversation import PlayedConversation
from labs_mock.engine.evaluation import Evaluation
from labs_mock.engine.explanation import explain_rules
from labs_mock.errors import BadRequest
from labs_mock.text import did_you_mean

FIRST = "there is nothing before the first turn"


class PlayCommand(NamedTuple):
    """A row of the table: what is printed for an argument, the argument's name, and what the command is for."""

    result: Callable[[PlayedConversation, str], str]
    argument: str
    help: str


def tools(played: PlayedConversation, _: str = "") -> str:
    """The tools, each with a call of it."""
    rows = [
        f"  /call {tool.id} {orjson.dumps(tool.example).decode()}\n      {tool.type}: {_sentence(tool.wire, tool.name)}"
        for tool in played.scenario.tools.values()
    ]
    return "\n".join(rows) or "  This scenario has no tools."


def call(played: PlayedConversation, argument: str) -> str:
    """Add a call to the next message."""
    name, _, value = argument.partition(" ")
    added = played.add_call(name, value.strip())
    text = orjson.dumps(added["input"]).decode()
    return f"  {name} {text} goes with your next message; an empty line sends it without words."


def scores(played: PlayedConversation, _: str) -> str:
    """The scores of the last turn by their names, and the sentence on each."""
    assessment = _latest(played).assessment
    return "\n".join(f"  {name} {score:g}: {assessment.breakdown[name]}" for name, score in assessment.scores.items())


def why(played: PlayedConversation, _: str = "") -> str:
    """Every rule and its turns, as `labs-mock score --explain` prints it."""
    latest = _latest(played)
    rows = explain_rules(played.scenario, latest.play)
    return explain_table(ScoredConversation(played.scenario, "", latest, rows))


def undo(played: PlayedConversation, _: str) -> str:
    """Take something back, and show where that leads."""
    calls = bool(played.calls)
    if not played.undo():
        raise BadRequest(FIRST)
    if calls:
        return "  The calls for your next message are gone."
    latest = played.latest
    return f"  Back after turn {latest.play.turn}: {latest.play.observation}" if latest else "  Back at the beginning."


def save(played: PlayedConversation, argument: str) -> str:
    """Write the transcript to a new file."""
    _latest(played)
    if not argument:
        raise BadRequest("expected the name of a file: /save talk.json")
    path = Path(argument).expanduser()
    try:
        with path.open("xb") as file:
            file.write(orjson.dumps(played.transcript(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    except FileExistsError:
        raise BadRequest(f"{argument} exists; choose another name") from None
    except (OSError, ValueError) as error:
        raise BadRequest(f"{argument}: {error.strerror if isinstance(error, OSError) else error}") from None
    return f"  Saved as {argument}, which `labs-mock score` and /evaluate take."


def show_help(*_: object) -> str:
    """The table."""
    rows = [f"  /{name}{f' {row.argument}' if row.argument else ''}" for name, row in COMMANDS.items()]
    width = max(map(len, rows))
    helps = [row.help for row in COMMANDS.values()]
    listed = "\n".join(f"{row:{width}}  {text}" for row, text in zip(rows, helps, strict=True))
    return f"  Any other line is a message of the operator, one a turn. //… begins one with a slash.\n{listed}"


COMMANDS = {
    "call": PlayCommand(call, "TOOL JSON", "call a tool with your next message; of a decision the option is enough"),
    "tools": PlayCommand(tools, "", "the tools, each with an example of a call"),
    "scores": PlayCommand(scores, "", "the scores of which the reward is made"),
    "why": PlayCommand(why, "", "every rule of the scoring, and the turns that it matched"),
    "undo": PlayCommand(undo, "", "take the last turn back"),
    "save": PlayCommand(save, "FILE", "write the conversation to a new file, as `labs-mock score` reads it"),
    "help": PlayCommand(show_help, "", "this list"),
    "quit": PlayCommand(lambda *_: "", "", "end the play, as Ctrl-D does"),
}


def run_command(played: PlayedConversation, line: str) -> str:
    """What a line that begins with `/` prints. Raises `BadRequest` for one that cannot be used."""
    name, _, argument = line[1:].partition(" ")
    if name not in COMMANDS:
        raise BadRequest(f"unknown command /{name}; {did_you_mean(name, COMMANDS)} (/help lists them)")
    return COMMANDS[name].result(played, argument.strip())


def _latest(played: PlayedConversation) -> Evaluation:
    if played.latest is None:
        raise BadRequest(FIRST)
    return played.latest


def _sentence(wire: dict[str, str], name: str) -> str:
    return wire.get("description") or name
