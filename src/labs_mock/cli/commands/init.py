"""`labs-mock init`: files to begin with."""

import shlex
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import click

from labs_mock.cli.exits import USAGE
from labs_mock.cli.new_files import in_the_way, write_all
from labs_mock.cli.options import counted
from labs_mock.config.starter import STARTER_SETS, starter_files
from labs_mock.errors import LabsMockError
from labs_mock.escapes import printable


def set_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for each set of files that is not written by itself."""
    for name, row in reversed(STARTER_SETS.items()):
        if row.option:
            command = click.option(f"--{name}", name, is_flag=True, help=row.help)(command)
    return command


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@set_options
def command(folder: Path, **options: bool) -> None:
    """Write files to begin with to FOLDER: a first scenario, a server.yaml and the schemas for an editor, or what options name.

    Either all of them are written or none, and none over a file that exists.
    """
    sets = [name for name, wanted in options.items() if wanted] or ["scenarios"]
    files = {path: text for name in sets for path, text in starter_files(name).items()}
    taken = in_the_way(folder, files)
    if taken:
        names = "\n".join(f"  {printable(str(path), keep='')}" for path in taken)
        click.echo(f"labs-mock: nothing was written, since there is already\n{names}\nChoose another folder.", err=True)
        sys.exit(USAGE)
    try:
        write_all(folder, files)
    except OSError as error:
        raise LabsMockError(f"nothing was written: {error.filename or folder}: {error.strerror}") from None
    click.echo(_report(folder, [*files], sets))


def _report(folder: Path, files: list[str], sets: list[str]) -> str:
    """What was written, what is missing to run it, and the next commands."""
    rows = [STARTER_SETS[name] for name in sets]
    lines = [
        f"Wrote {counted(len(files), 'file')}:",
        *(f"  {printable(str(folder / name), keep='')}" for name in files),
    ]
    missing = [name for row in rows for name in row.packages if find_spec(name.replace("-", "_")) is None]
    commands = [f"pip install {' '.join(missing)}"] * bool(missing)
    commands += [one.format(folder=shlex.quote(str(folder))) for row in rows for one in row.next]
    return "\n".join([*lines, "Next:", *(f"  {printable(one, keep='')}" for one in commands)])
