"""`labs-mock play`: be the operator of a scenario on the terminal, without a server."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

import click

from labs_mock.cli.completion import scenario_names
from labs_mock.cli.options import ExistingFolder, find_scenario, named_settings, scenario_folder
from labs_mock.cli.play_commands import run_command, tools, why
from labs_mock.cli.played_conversation import PlayedConversation
from labs_mock.engine.evaluation import Evaluation
from labs_mock.errors import BadRequest
from labs_mock.escapes import printable
from labs_mock.scenario.compiled.scenario import Scenario

PROMPT = "> "
COMMAND, QUIT = "/", "/quit"


@click.command("play")
@click.argument("scenario", shell_complete=scenario_names)
@click.option("--scenarios", type=ExistingFolder, help="folder of scenarios, where SCENARIO is a slug")
@click.option("--explain", is_flag=True, help="at the end, a table of every rule and its turns")
def command(scenario: str, scenarios: Path | None, explain: bool) -> None:
    """Play a scenario as its operator: enter one message a turn, and see the persona's answer and the reward so far.

    SCENARIO is <collection>/<slug> or a YAML file. No server is needed, and nothing is stored. Messages are lines of standard
    input, so they may come from a file or a pipe. /help lists what else can be entered; Ctrl-D ends the play.
    """
    found, _ = find_scenario(scenario, scenario_folder(named_settings({"scenarios": scenarios})))
    played = PlayedConversation(found)
    try:
        _play(played)
    except KeyboardInterrupt:
        click.echo()
    click.echo(_summary(played))
    if explain and played.evaluations:
        click.echo(printable(why(played)))


def _play(played: PlayedConversation) -> None:
    """Print how it begins, then what each line leads to, until they end."""
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    file = played.scenario.file
    click.echo(printable(f"{file.name}: {file.description}", keep="") + "\n")
    click.echo(
        f"You are the operator. /help lists what you can enter beside messages.\nTools:\n{printable(tools(played))}\n"
    )
    click.echo(_speech(_persona(played.scenario), played.scenario.first_observation))
    for line in _prompted() if interactive else _piped():
        if line.strip() == QUIT:
            return
        try:
            _take_line(played, line, echo=not interactive)
        except BadRequest as error:
            click.echo(printable(f"  {error.message}"))


def _take_line(played: PlayedConversation, line: str, echo: bool) -> None:
    """Do what a line says. Raises `BadRequest` for one that cannot be used."""
    if not line.isascii() and any("\ud800" <= one <= "\udfff" for one in line):
        raise BadRequest("expected text in UTF-8")
    if line.startswith(COMMAND) and not line.startswith(COMMAND * 2):
        click.echo(printable(run_command(played, line)))
    elif line.strip() or played.calls:
        _take_turn(played, line.removeprefix(COMMAND), echo)


def _take_turn(played: PlayedConversation, text: str, echo: bool) -> None:
    """Take a turn, and print what it leads to; also the message itself where it comes from a pipe."""
    known = played.latest.findings if played.latest else []
    evaluation = played.take_turn(text)
    if echo and text:
        click.echo(_speech("You", text))
    click.echo(_speech(_persona(played.scenario), evaluation.play.observation))
    for finding in evaluation.findings:
        if finding not in known:
            click.echo(printable(f"  finding: {finding}", keep=""))
    click.echo(f"  turn {evaluation.play.turn}, reward {evaluation.assessment.reward:g}{_ending(evaluation)}")


def _ending(evaluation: Evaluation) -> str:
    return f": the conversation has ended, {evaluation.play.terminal}" if evaluation.play.terminal else ""


def _summary(played: PlayedConversation) -> str:
    """How it ended, in one line."""
    latest = played.latest
    if latest is None:
        return "Left before the first turn."
    how = f"Ended ({played.ended})" if played.ended else "Left"
    turns = f"{latest.play.turn} turn{'s' * (latest.play.turn > 1)}"
    return f"{how} after {turns}. Reward: {latest.assessment.reward:g}"


def _persona(scenario: Scenario) -> str:
    """Who speaks to the operator."""
    return scenario.file.persona.identity.name if scenario.file.persona else "Task"


def _speech(name: str, text: str) -> str:
    """What somebody says; further lines of it stand below its beginning."""
    first, *others = text.split("\n")
    return "\n".join([printable(f"{name}: {first}", keep=""), *(f"  {printable(line, keep='')}" for line in others)])


def _prompted() -> Iterator[str]:
    """The lines that a person enters, with editing and a history where Python has that."""
    with suppress(ImportError):
        import readline  # noqa: F401 - `input` uses it
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # so that what is not UTF-8 is a line like any other
    with suppress(EOFError):
        while True:
            yield input(PROMPT)
    click.echo()


def _piped() -> Iterator[str]:
    """The lines of a pipe or a file, as they come."""
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", "surrogateescape").rstrip("\r\n")
