"""`labs-mock validate`: what is wrong with folders and files, for a person, a program, or GitHub."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from labs_mock.config.library import Library, read_library
from labs_mock.config.single_file import check_file
from labs_mock.engine.extra_warnings import extra_warnings
from labs_mock.errors import Problems
from labs_mock.scenario.files.folder import is_folder
from labs_mock.scenario.files.loader import Loader

COUNTED = ("scenario", "collection", "dataset", "file")


@dataclass(slots=True)
class Validation:
    """What was found in all paths together; `counts` has the scenarios, collections and datasets of folders, and single files."""

    problems: Problems = field(default_factory=Problems)
    warnings: Problems = field(default_factory=Problems)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))

    def add(self, loader: Loader, counted: Library | None, name_of: Callable[[str], str]) -> None:
        """Add what a loader found, under the names that its files get."""
        for found, all_found in ((loader.problems, self.problems), (loader.warnings, self.warnings)):
            kept = [replace(one, file=name_of(one.file)) for one in found.kept]
            all_found.kept += sorted(kept, key=lambda one: (one.file, one.line, one.column, one.message))
            all_found.more += found.more
            all_found.files |= set(map(name_of, found.files))
        if counted is None:
            self.counts["file"] += 1
        else:
            numbers = len(counted.scenarios), len(counted.collections), len(counted.datasets)
            for name, number in zip(COUNTED, numbers, strict=False):
                self.counts[name] += number


def validate(paths: Sequence[Path], *, full_names: bool = False) -> Validation:
    """Check folders of scenarios and single files.

    Files are named by the paths that lead to them, but those of a single folder by their places in it unless full names are
    wanted.
    """
    found = Validation()
    for path in paths:
        if is_folder(path):
            loader = Loader(path, extra_warnings)
            name = partial(_name_in_folder, path) if full_names or len(paths) > 1 else str
            found.add(loader, read_library(loader), name)
        else:
            loader, checked = check_file(path, extra_warnings)
            found.add(loader, None, partial(_name_beside, path, checked, loader.folder))
    return found


def _name_in_folder(folder: Path, file: str) -> str:
    """A file that a loader names by its place in a folder, or the folder itself."""
    return file if file == str(folder) else (folder / file).as_posix()


def _name_beside(path: Path, checked: Path, root: Path, file: str) -> str:
    """The file that was checked is named as it was given, and another, such as its rows, by its place beside that."""
    found = root / file
    if found == checked:
        return path.as_posix()
    return (path.parent / os.path.relpath(found, checked.parent)).as_posix()
