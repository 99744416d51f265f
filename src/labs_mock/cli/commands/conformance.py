"""`labs-mock conformance`: a server checked against the contract. Its libraries are an extra, which may be missing."""

import sys
from collections.abc import Callable
from typing import Any

import click

from labs_mock.cli.exits import FINDINGS, reader_may_leave
from labs_mock.conformance.options import FILES, OPTIONS, URL, count, missing_extra
from labs_mock.errors import LabsMockError


def conformance_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for every row of the suite's own table."""
    for option in reversed(OPTIONS):
        kind = click.IntRange(min=1) if option.kind is count else option.kind
        default: dict[str, Any] = {} if option.default is None else {"default": option.default}
        command = click.option(
            f"--{option.name}",
            option.field,
            type=click.Choice(option.choices) if option.choices else kind,
            is_flag=option.flag,
            multiple=option.several,
            required=option.needed,
            envvar=option.variable or None,
            metavar=option.metavar,
            show_envvar=bool(option.variable),
            show_default=option.default is not None and not option.flag,
            help=option.help,
            **default,
        )(command)
    return command


class WithExtra(click.Command):
    """A command that checks for the extra before anything else, but prints its help without it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Raise `LabsMockError` where a library is missing."""
        missing = missing_extra()
        if missing and not {*args} & {*ctx.help_option_names}:
            raise LabsMockError(missing)
        return super().parse_args(ctx, args)


@click.command("conformance", cls=WithExtra)
@click.argument("url", envvar=URL.variable)
@conformance_options
def command(**options: Any) -> None:
    """Check the server at URL by the contract, clause by clause.

    It needs the extra labs-mock[conformance]. The exit code is 1 if a clause does not hold or the run is incomplete, 2 if the
    key or an option is wrong, 3 if nothing responds.
    """
    from rich.console import Console

    from labs_mock.conformance.reports.terminal import print_report, progress
    from labs_mock.conformance.reports.writing import STDOUT, writable_files, write
    from labs_mock.conformance.runner import run

    files = writable_files({name: options.pop(name) for name in FILES})
    with progress(Console(stderr=True)) as watch:
        report = run(**options, watch=watch)
    to_stderr = STDOUT in files.values()  # where a file goes to standard output
    console = Console(stderr=to_stderr)
    with console.capture() as printed:
        print_report(report, console)
    with reader_may_leave():
        click.echo(printed.get(), nl=False, err=to_stderr)
    with reader_may_leave():
        write(report, files)
    sys.exit(0 if report.passed else FINDINGS)
