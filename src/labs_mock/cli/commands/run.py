"""`labs-mock run`: a command beside a server."""

import os
import shlex
import sys
from pathlib import Path
from typing import cast

import click

from labs_mock.cli.command_process import CommandError, CommandProcess
from labs_mock.cli.exits import FINDINGS, NOT_STARTED
from labs_mock.cli.finding_formats import Found, as_text
from labs_mock.cli.options import ExistingFolder
from labs_mock.config.settings import from_environment
from labs_mock.contract.control import FindingList
from labs_mock.errors import LabsMockError
from labs_mock.escapes import printable
from labs_mock.serving.process import ServerProcess
from labs_mock.testing.control_client import ControlClient, ControlError, NoAnswerError


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] COMMAND...")
@click.option("--scenarios", type=ExistingFolder, help="folder of scenarios  [the shipped library]")
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="where the session is saved if the command fails, for labs-mock inspect",
)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="end the command then")
@click.option("--fail-on-findings", "strict", is_flag=True, help="exit code 1 for a finding that is a warning")
def command(
    command: tuple[str, ...], scenarios: Path | None, save: Path | None, timeout: float | None, strict: bool
) -> None:
    """Start a server, run COMMAND with its address in LABS_URL and a key in LABS_API_KEY, and stop the server.

    The server has a port of its own, and its other settings are those of the environment (LABS_MOCK_…). What it found stands
    behind the command's output. The exit code is the command's: 124 after the timeout, 126 or 127 if it cannot be run, 128 and
    the number of the signal that ended it; or 3 if the server could not start, or had ended before the command did.
    """
    settings = {"port": 0, **from_environment(os.environ)}
    named = settings.pop("scenarios", None)
    folder = scenarios or named
    if save is not None:
        _make_folder(save.parent)
    server = ServerProcess(str(folder) if folder else None, settings)
    try:
        url, key = server.start()
        _say(f"labs-mock at {url}, for: {printable(shlex.join(command), keep='')}")
        environment = {**os.environ, "LABS_URL": url, "LABS_API_KEY": key, "LABS_KEY": key}
        code = _run(CommandProcess(command, environment), timeout)
        control = ControlClient(url, str(settings.get("control_token", "")))
        judgement = _judge(control, strict)
        code = code or judgement
        if code and save is not None:
            _save(control, save)
    finally:
        server.stop()
    sys.exit(code)


def _run(process: CommandProcess, timeout: float | None) -> int:
    try:
        code = process.run(timeout)
    except CommandError as error:
        _say(f"labs-mock: {error}")
        return error.code
    if process.timed_out:
        _say(f"labs-mock: the command had not ended after {timeout:g} s")
    elif code:
        _say(f"labs-mock: the command ended with exit code {code}")
    return code


def _save(control: ControlClient, path: Path) -> None:
    """Save the session, or print why not."""
    try:
        control.download("/session.jsonl.gz", path)
    except (ControlError, OSError) as error:
        _say(f"labs-mock: the session is not saved: {error}")
    else:
        _say(f"labs-mock: the session is saved; to look at it: labs-mock inspect {shlex.quote(str(path))}")


def _judge(control: ControlClient, strict: bool) -> int:
    """Print what the server has found, or why it does not say that; the exit code of a run whose command succeeded."""
    try:
        found = Found(control.url, cast("FindingList", control.get("/findings")))
    except NoAnswerError as error:
        _say(f"labs-mock: {error}")
        return NOT_STARTED
    except ControlError as error:
        _say(f"labs-mock: no findings: {error}")
        return FINDINGS if strict else 0
    _say(as_text(found))
    return FINDINGS if strict and not found.passed else 0


def _make_folder(path: Path) -> None:
    """Make the folder of a file before anything else, so that a bad one is found at once. Raises `LabsMockError`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabsMockError(f"--save: {error.filename}: {error.strerror}") from None


def _say(text: str) -> None:
    """Print to standard error: standard output is the command's."""
    click.echo(printable(text), err=True)
