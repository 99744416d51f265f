"""`labs-mock export`: exports without a server, the same bytes, to standard output or to a file."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from labs_mock.cli.completion import dataset_names
from labs_mock.cli.exits import FINDINGS
from labs_mock.cli.options import ExistingFolder, named_settings, scenario_folder
from labs_mock.config.library import Library, read_library
from labs_mock.config.settings import settings_from
from labs_mock.engine.generated_rows import GeneratedRows, RowLine
from labs_mock.errors import LabsMockError
from labs_mock.scenario.compiled.datasets import Dataset
from labs_mock.scenario.files.loader import DATASETS, Loader
from labs_mock.text import did_you_mean


@click.command("export")
@click.argument("dataset", shell_complete=dataset_names)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="file to write instead of standard output")
@click.option("--scenarios", type=ExistingFolder, help="folder of scenarios, where DATASET is in datasets/")
@click.option("--seed", help="where draws start from  [LABS_MOCK_SEED; default: that of server.yaml, or 0]")
def command(dataset: str, out: Path | None, scenarios: Path | None, seed: str | None) -> None:
    """Write the rows of a training dataset as the server exports them.

    DATASET is its id, or the name of its file without .yaml.
    """
    named = named_settings({"scenarios": scenarios, "seed": seed})
    found, library = find_dataset(scenario_folder(named), dataset)
    final = found.stages[-1]
    if final.status != "ready":
        reason = f": {final.error}" if final.error else ""
        click.echo(f"labs-mock: dataset {found.slug} never gets ready; it ends as {final.status}{reason}", err=True)
        sys.exit(FINDINGS)
    below = write_rows(found, library, settings_from(named, library.server.settings).seed, out)
    if below:
        click.echo(f"labs-mock: {below} of {found.row_count} rows did not pass the keep-filter", err=True)


def find_dataset(folder: Path, name: str) -> tuple[Dataset, Library]:
    """A dataset by its id or the name of its file, and what else is in its folder.

    Mistakes in other datasets do not matter. Raises `ScenarioError` for all others, and `LabsMockError` that says which datasets
    there are.
    """
    loader = Loader(folder)
    library = read_library(loader)
    if any(not file.startswith(f"{DATASETS}/") for file in loader.problems.files):
        loader.problems.complain()
    known = {dataset.slug: dataset for dataset in library.datasets.values()}
    found = library.datasets.get(name.lower()) or known.get(name)
    if found is None:
        loader.problems.complain()  # one of these may be meant
        raise LabsMockError(f"no dataset {name!r}; {did_you_mean(name, known)}")
    return found, library


def rows_of(dataset: Dataset, library: Library, seed: int) -> Iterator[RowLine]:
    """The rows of an export, one by one (DS-6)."""
    if dataset.scenario is None:
        return (RowLine(text, True) for text in dataset.lines)
    scenario = library.collections[dataset.scenario.collection].scenarios[dataset.scenario.slug]
    generated = GeneratedRows(dataset, scenario, seed)
    return map(generated.line, range(len(generated)))


def write_rows(dataset: Dataset, library: Library, seed: int, out: Path | None) -> int:
    """Write all rows, with a progress bar where a person is watching; the number of those that did not pass the keep-filter.

    A file appears when it is complete, and not before.
    """
    with _target(out) as target:
        below = 0
        for line in _watched(rows_of(dataset, library, seed), dataset.row_count, out is not None):
            target.write(line.text)
            below += not line.kept
    return below


@contextmanager
def _target(out: Path | None) -> Iterator[BinaryIO]:
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = out.with_name(f".{out.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(out)
    except OSError as error:
        raise LabsMockError(f"{out}: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


def _watched(lines: Iterable[RowLine], total: int, to_file: bool) -> Iterable[RowLine]:
    """The same lines, with a bar on standard error if that is a terminal and rows do not go to one."""
    if not sys.stderr.isatty() or not (to_file or not sys.stdout.isatty()):
        return lines
    from rich.console import Console
    from rich.progress import track

    return track(lines, "Rows", total, console=Console(stderr=True))
