"""What a shell completes: names of scenarios and datasets, from the names of files alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from labs_mock.config.library import shipped_library
from labs_mock.config.settings import PREFIX
from labs_mock.scenario.files.loader import COLLECTION, DATASETS


def scenario_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The scenarios of the folder of `--scenarios`, of the variable, or of the shipped library; else files, where these may be."""
    del param
    names = (f"{path.parent.name}/{path.stem}" for path in _files(ctx, "*/*.yaml") if path.name != COLLECTION)
    found = [name for name in names if name.startswith(incomplete) and not name.startswith(f"{DATASETS}/")]
    return [CompletionItem(name) for name in found] or [CompletionItem(incomplete, type="file")]


def dataset_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The datasets of the same folder."""
    del param
    names = (path.stem for path in _files(ctx, f"{DATASETS}/*.yaml"))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _files(ctx: click.Context, pattern: str) -> Iterator[Path]:
    """Files of the folder in question, in the order of their names."""
    named = ctx.params.get("scenarios") or ctx.params.get("folder") or os.environ.get(f"{PREFIX}SCENARIOS")
    yield from sorted(Path(named or shipped_library()).glob(pattern))
