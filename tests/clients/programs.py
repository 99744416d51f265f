"""Programs of other languages: whether they are installed, and a copy of the examples in which they may leave things behind."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT

OURS = Path(sys.executable).parent
"""Where the command `labs-mock` of this environment is."""


def installed(*names: str) -> None:
    """Skip the test on a machine that lacks one of these programs."""
    for name in names:
        if shutil.which(name) is None:
            pytest.skip(f"no {name} on this machine")


def copied(example: str, folder: Path) -> Path:
    """A copy of an example of a client, beside one of the scenarios that it serves."""
    for name in ("scenarios", example):
        leave_out = shutil.ignore_patterns("node_modules", "build", "__pycache__")
        shutil.copytree(ROOT / "examples" / name, folder / name, ignore=leave_out)
    return folder / example


def run(command: list[str], folder: Path, *, ours: bool = True) -> subprocess.CompletedProcess[str]:
    """A command with our `labs-mock` in front of the path, or on a path without any (`ours`); its two outputs as one."""
    found = [path for path in os.environ["PATH"].split(os.pathsep) if not (Path(path) / "labs-mock").exists()]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": os.pathsep.join([str(OURS), *found] if ours else found), "NO_COLOR": "1"},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
