"""The result of `labs-mock validate` as text for a person, as JSON, and as annotations for GitHub."""

import json
import os
from collections.abc import Iterable, Iterator

from labs_mock.cli.options import counted
from labs_mock.cli.validation import COUNTED, Validation
from labs_mock.errors import Problem
from labs_mock.escapes import printable


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
    warnings = f", {counted(found.warnings.count, 'warning')}" if found.warnings.count else ""
    if found.problems.count:
        files = counted(len(found.problems.files), "file")
        return f"{counted(found.problems.count, 'problem')} in {files}{warnings}"
    *folders, files = (counted(found.counts[name], name) for name in COUNTED)
    parts = ["{} in {} and {}".format(*folders)] if any(found.counts[name] for name in COUNTED[:-1]) else []
    return f"{' and '.join([*parts, *_if(found.counts['file'], files)])}: no problems{warnings}"


def _if(number: int, text: str) -> Iterable[str]:
    return [text] if number else []
