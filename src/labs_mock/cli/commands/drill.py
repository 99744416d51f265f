"""`labs-mock drill`: a reward function, or one that plays episodes, under every failure that a reward client meets."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from labs_mock.cli.drill_formats import FORMATS
from labs_mock.cli.exits import FINDINGS, reader_may_leave
from labs_mock.testing import DrillReport, DrillRow
from labs_mock.testing.drills.drill import chosen_cases, rows_of
from labs_mock.testing.drills.drilled_function import DrilledFunction


@click.command("drill")
@click.argument("function", metavar="MODULE:FUNCTION")
@click.option("--case", "cases", multiple=True, metavar="NAME", help="run this case alone; may be repeated")
@click.option("--format", "form", type=click.Choice([*FORMATS]), default="text", help="how rows are printed  [text]")
def command(function: str, cases: tuple[str, ...], form: str) -> None:
    """Call a function under every failure that a reward client meets, and rate what it does.

    FUNCTION takes conversations and returns their rewards, or plays an episode and returns its last reward. URL and key are in
    LABS_URL and LABS_API_KEY, and in its parameters `url` and `key` if it has them. MODULE is imported from the current folder,
    too. The exit code is 1 if a case is wrong, 2 if the function cannot be called so, 3 if no server can start.
    """
    sys.path.insert(0, str(Path.cwd()))
    drilled = DrilledFunction.find(function)
    chosen = chosen_cases(drilled, cases or None)
    report = DrillReport(str(drilled), tuple(_watched(rows_of(drilled, chosen), len(chosen))))
    with reader_may_leave():
        click.echo(FORMATS[form](report))
    sys.exit(0 if report.passed else FINDINGS)


def _watched(rows: Iterable[DrillRow], total: int) -> Iterable[DrillRow]:
    """The same rows, with a bar on standard error while they come, if that is a terminal."""
    console = Console(stderr=True)
    return track(rows, "Cases", total, console=console, transient=True) if console.is_terminal else rows
