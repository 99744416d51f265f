"""`labs-mock drill`: a reward function, or one that plays episodes, under every failure that a reward client meets."""

import sys
from pathlib import Path

import click

from labs_mock.cli.drill_formats import FORMATS
from labs_mock.cli.exits import FINDINGS, reader_may_leave
from labs_mock.testing import drill


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
    report = drill(function, cases=cases or None)
    with reader_may_leave():
        click.echo(FORMATS[form](report))
    sys.exit(0 if report.passed else FINDINGS)
