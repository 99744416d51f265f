"""`labs-mock validate`: what is wrong with folders and files."""

import sys
from pathlib import Path

import click

from labs_mock.cli.exits import FINDINGS, reader_may_leave
from labs_mock.cli.validation import validate
from labs_mock.cli.validation_formats import FORMATS
from labs_mock.config.library import shipped_library


@click.command("validate")
@click.argument("paths", type=click.Path(path_type=Path, exists=True), nargs=-1, metavar="[PATH]...")
@click.option("--json", "form", flag_value="json", help="print one JSON object, as --format json does")
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS]),
    default="text",
    help="how problems are printed; github makes annotations of them  [default: text]",
)
def command(paths: tuple[Path, ...], form: str) -> None:
    """Check folders of scenarios and single files, and report every mistake (exit code 1) and warning (exit code 0).

    Without a PATH the shipped library is checked.
    """
    found = validate(paths or (shipped_library(),), full_names=form != "text")
    with reader_may_leave():
        for line in FORMATS[form](found):
            click.echo(line)
    sys.exit(FINDINGS if found.problems.count else 0)
