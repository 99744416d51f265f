"""`labs-mock findings`: what a running server has found, and what to change."""

import sys
from typing import cast
from urllib.parse import urlsplit

import click

from labs_mock.cli.exits import FINDINGS, reader_may_leave
from labs_mock.cli.finding_formats import FORMATS, Found
from labs_mock.config.settings import PREFIX
from labs_mock.contract.control import FindingList
from labs_mock.errors import LabsMockError, StartError
from labs_mock.testing.control_client import ControlClient, ControlError, NoAnswerError

TOKEN = f"--control-token or in {PREFIX}CONTROL_TOKEN"


def _url(_: click.Context, __: click.Parameter, value: str) -> str:
    """A base URL of a server. Raises `click.BadParameter` for anything else."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme == "http" and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise click.BadParameter(f"expected an address such as http://127.0.0.1:8765, got {value[:80]!r}")
    return value.rstrip("/")


@click.command("findings")
@click.argument("url", envvar="LABS_URL", callback=_url)
@click.option(
    "--control-token",
    envvar=f"{PREFIX}CONTROL_TOKEN",
    default="",
    metavar="TOKEN",
    show_envvar=True,
    help="the server's setting of that name, if it has one",
)
@click.option("--format", "form", type=click.Choice([*FORMATS]), default="text", help="how they are printed  [text]")
def command(url: str, control_token: str, form: str) -> None:
    """Print the findings of the mock server at URL, on single requests and over its run, with the requests that prove each.

    The exit code is 1 if one of them is a warning, 2 if the server refuses to list them, 3 if nothing responds.
    """
    try:
        listed = ControlClient(url, control_token).get("/findings")
    except NoAnswerError as error:
        raise StartError(str(error)) from None
    except ControlError as error:
        raise LabsMockError(f"{url} does not list its findings: {error}; a token is given as {TOKEN}") from None
    found = Found(url, cast("FindingList", listed))
    with reader_may_leave():
        click.echo(FORMATS[form](found))
    sys.exit(0 if found.passed else FINDINGS)
