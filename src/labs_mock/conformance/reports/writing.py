"""Reports that are written to files, or to standard output."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from labs_mock.conformance.report import Report
from labs_mock.conformance.reports.as_json import as_json
from labs_mock.conformance.reports.page import as_page
from labs_mock.errors import LabsMockError

WRITERS: dict[str, Callable[[Report], str]] = {"json": as_json, "html": as_page}
STDOUT = "-"


def writable_files(options: Mapping[str, str | None]) -> dict[str, str]:
    """The file of each kind of report that has one. Raises `LabsMockError` before the run where it could not be written."""
    files = {kind: name for kind in WRITERS if (name := options[kind])}
    if list(files.values()).count(STDOUT) > 1:
        raise LabsMockError("only one report can go to standard output; give the others a file")
    for name in files.values():
        if name != STDOUT and (Path(name).is_dir() or not Path(name).parent.is_dir()):
            raise LabsMockError(f"{name}: not a file in a folder that exists")
    return files


def write(report: Report, files: Mapping[str, str]) -> None:
    """Write reports, by kind. Raises `LabsMockError` for a file that cannot be written."""
    for kind, name in files.items():
        text = WRITERS[kind](report)
        if name == STDOUT:
            sys.stdout.write(text)
            continue
        try:
            Path(name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise LabsMockError(f"{name}: {error.strerror}") from None
