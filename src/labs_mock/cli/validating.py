"""`labs-mock validate`: what is wrong with folders and files, for a person, a program, or GitHub."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from labs_mock.config.library import Library, read_library
from labs_mock.config.single_file import check_file
from labs_mock.engine.requires_check import check_requires
from labs_mock.errors import Problem, Problems
from labs_mock.escapes import printable
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
    inside = Path(file) if prefix == folder else (folder / file).relative_to(prefix.resolve())
    return (prefix / inside).as_posix()


def as_text(found: Validation) -> Iterator[str]:
    """For a person: each problem with its line, then each warning, then a sentence."""
    for problems, kind in ((found.problems, ""), (found.warnings, "warning")):
        yield from (f"{problem.text(kind)}\n" for problem in problems.kept)
        if problems.more:
            yield f"and {problems.more:,} more{' warnings' if kind else ''}\n"
    yield summary(found)


def as_json(found: Validation) -> Iterator[str]:
    """One JSON object, whose strings are ASCII."""
    yield json.dumps(
        {
            "valid": not found.problems.count,
            "counts": {f"{name}s": number for name, number in found.counts.items()},
            **{
                name: {
                    "count": problems.count,
                    "shown": [
                        {
                            "file": one.file,
                            "line": one.line,
                            "column": one.column,
                            "message": one.message,
                            "expected": one.expected,
                        }
                        for one in problems.kept
                    ],
                }
                for name, problems in (("problems", found.problems), ("warnings", found.warnings))
            },
        },
        indent=2,
    )


def as_github(found: Validation) -> Iterator[str]:
    """Annotations as GitHub's runner reads them from the output of a step, then a sentence."""
    for problems, kind in ((found.problems, "error"), (found.warnings, "warning")):
        yield from (_annotation(kind, problem) for problem in problems.kept)
        if problems.more:
            yield f"::{kind}::and {problems.more:,} more"
    yield summary(found)


FORMATS = {"text": as_text, "json": as_json, "github": as_github}


def _annotation(kind: str, problem: Problem) -> str:
    place = {"file": os.path.relpath(problem.file), "line": str(problem.line), "col": str(problem.column)}
    properties = ",".join(f"{name}={_escaped(value, '%:,')}" for name, value in place.items())
    message = "\n".join(printable(text, keep="") for text in (problem.message, problem.expected) if text)
    return f"::{kind} {properties}::{_escaped(message, '%')}"


def _escaped(text: str, special: str) -> str:
    """Text in a command of GitHub's runner, which reads `%` and two digits as a character."""
    return "".join(f"%{ord(one):02X}" if one in f"{special}\r\n" else one for one in printable(text, keep="\n"))


def summary(found: Validation) -> str:
    """What was checked, and how many problems and warnings there are."""
    warnings = f", {_count(found.warnings.count, 'warning')}" if found.warnings.count else ""
    if found.problems.count:
        files = _count(len(found.problems.files), "file")
        return f"{_count(found.problems.count, 'problem')} in {files}{warnings}"
    *folders, files = (_count(found.counts[name], name) for name in COUNTED)
    parts = ["{} in {} and {}".format(*folders)] if any(found.counts[name] for name in COUNTED[:-1]) else []
    return f"{' and '.join([*parts, *_if(found.counts['file'], files)])}: no problems{warnings}"


def _if(number: int, text: str) -> Iterable[str]:
    return [text] if number else []


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
