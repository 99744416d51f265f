"""Building the site: staging, then Zensical, which must have nothing to complain of."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from website.staging import ROOT, stage

DEADLINE = 600  # seconds
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_COMPLAINT = re.compile(r"warning|error", re.IGNORECASE)


class BuildError(Exception):
    """The site was not built; the message has what Zensical reported."""


def build(site: Path) -> None:
    """Build the site into a folder, which is replaced once the site is whole. Raises `BuildError`."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run_zensical(stage(folder))
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(folder / "site", site)


def run_zensical(configuration: Path) -> None:
    """Build what a configuration describes. Raises `BuildError` with the whole report if there is a warning in it."""
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", str(configuration)]
    result = subprocess.run(  # noqa: S603 - our own configuration
        command, cwd=ROOT, check=False, capture_output=True, text=True, encoding="utf-8", timeout=DEADLINE
    )
    report, _, trace = _COLOURS.sub("", result.stdout + result.stderr).partition("Traceback (most recent call last)")
    if result.returncode or _COMPLAINT.search(report):
        raise BuildError(report.strip() or trace)
