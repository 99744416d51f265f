"""The command line. A command and what it needs are imported when it runs: start-up time is a feature.

Exit codes: 0 fine, 1 findings, 2 bad usage or configuration, 3 could not start. Ctrl-C and SIGTERM are how one stops a server,
so that is fine; what they stop before it was done is 1.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from labs_mock import __version__
from labs_mock.cli.collector import no_collector
from labs_mock.cli.exits import FINDINGS, NOT_STARTED, USAGE, reader_may_leave, report_stop, terminable
from labs_mock.errors import LabsMockError, StartError
from labs_mock.escapes import printable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "conformance": "Check a server by the contract, clause by clause.",
    "doctor": "Say whether a client's URL and key work.",
    "drill": "Put a reward function through every failure.",
    "export": "Write the rows of a training dataset.",
    "findings": "Print what a running server has found.",
    "inspect": "Show a saved session in the browser.",
    "init": "Write files to begin with: scenarios, tests.",
    "play": "Play a scenario on the terminal, as its operator.",
    "run": "Run a command beside a server.",
    "scenarios": "List scenarios, or show all of one.",
    "schema": "Print a JSON Schema or the OpenAPI document.",
    "score": "Score a transcript without a server.",
    "serve": "Serve the API.",
    "state": "List or drop namespaces of shared state.",
    "validate": "Check folders of scenarios and single files.",
}
"""Each is a module of `commands`."""
SERVERS = "serve", "inspect"
"""Commands that end by being stopped."""


class Group(click.Group):
    """The commands, each imported when it is used; turns our own errors, and signals, into a message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order of the help."""
        del ctx
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        with no_collector():
            command: click.Command = import_module(f"labs_mock.cli.commands.{cmd_name}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list["CompletionItem"]:
        """The commands and options that a shell may complete, without an import of the commands."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, without an import of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Read the command line, which prints what `--help` and `--version` request."""
        with reader_may_leave():
            return super().make_context(*arguments, **options)
        sys.exit()

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            with terminable(), reader_may_leave():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            if ctx.invoked_subcommand in SERVERS:
                report_stop()
                sys.exit(0)
            click.echo("labs-mock: stopped before it was done", err=True)
            sys.exit(FINDINGS)
        except LabsMockError as error:
            click.echo(f"labs-mock: {printable(str(error))}", err=True)
            sys.exit(NOT_STARTED if isinstance(error, StartError) else USAGE)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="labs-mock")
def main() -> None:
    """A local, deterministic mock of the Labs API."""
