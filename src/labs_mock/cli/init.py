"""`labs-mock init`: a folder to begin with."""

import sys
from pathlib import Path

import click

from labs_mock.cli.exits import USAGE
from labs_mock.config.printing import starter_files


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def command(folder: Path) -> None:
    """Make a folder with a first scenario, a server.yaml and the schemas for an editor."""
    files = starter_files()
    parents = {parent for name in files for parent in Path(name).parents}
    taken = [folder / name for name in files if (folder / name).exists()]
    taken += [
        folder / parent for parent in sorted(parents) if (folder / parent).exists() and not (folder / parent).is_dir()
    ]
    if taken:
        click.echo(f"labs-mock: {taken[0]} exists; nothing was written. Choose an empty folder.", err=True)
        sys.exit(USAGE)
    try:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        click.echo(f"labs-mock: {error.filename}: {error.strerror}", err=True)
        sys.exit(USAGE)
    click.echo(f"Wrote {len(files)} files. Next: labs-mock validate {folder}, then labs-mock serve {folder}")
