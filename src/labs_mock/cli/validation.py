"""`labs-mock validate`: what is wrong with folders and files, for a person, a program, or GitHub."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from labs_mock.config.library import Library, read_library
from labs_mock.config.single_file import check_file
from labs_mock.engine.requires_check import check_requires
from labs_mock.errors import Problems
from labs_mock.scenario.files.feasibility import impossible_parts
from labs_mock.scenario.files.folder import is_folder
from labs_mock.scenario.files.loader import Loader
from labs_mock.scenario.files.paths import Mistake
from labs_mock.scenario.files.public_texts import check_public_texts

COUNTED = ("scenario", "collection", "dataset", "file")


@dataclass(slots=True)
class Validation:
    """What was found in all paths together; `counts` has the scenarios, collections and datasets of folders, and single files."""

    problems: Problems = field(default_factory=Problems)
    warnings: Problems = field(default_factory=Problems)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))

    def add(self, loader: Loader, counted: Library | None, prefix: Path | None) -> None:
        """Add what a loader found; a prefix makes the names of its files those that were asked for."""
        for found, all_found in ((loader.problems, self.problems), (loader.warnings, self.warnings)):
            kept = [replace(one, file=_name(loader.folder, one.file, prefix)) for one in found.kept]
            all_found.kept += sorted(kept, key=lambda one: (one.file, one.line, one.column, one.message))
            all_found.more += found.more
            all_found.files |= {_name(loader.folder, file, prefix) for file in found.files}
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
            loader = Loader(path, _extra_warnings)
            found.add(loader, read_library(loader), path if full_names or len(paths) > 1 else None)
        else:
            found.add(check_file(path, _extra_warnings), None, path.parent)
    return found


def _extra_warnings(data: dict[str, Any]) -> Iterator[Mistake]:
    for check in (impossible_parts, check_requires, check_public_texts):
        yield from check(data)


def _name(folder: Path, file: str, prefix: Path | None) -> str:
    """A file that a loader names by its place in its folder, or, for the folder itself, by its path."""
    if prefix is None or file == str(folder):
        return file
    inside = Path(file) if prefix == folder else (folder.resolve() / file).relative_to(prefix.resolve())
    return (prefix / inside).as_posix()
