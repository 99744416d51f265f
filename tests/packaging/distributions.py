"""The distributions of a checkout, built from a copy of its files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.installing import ROOT

FIRST_AT = 1_000_000_000.0  # 2001


def copy_checkout(to: Path, *, changed_at: float = FIRST_AT) -> Path:
    """Copy what git knows of, and what is new and not ignored, with the same time for each file."""
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
            os.utime(target, (changed_at, changed_at))
    return to


def build(source: Path, to: Path, *kinds: str, umask: int = 0o022, hash_seed: str = "0") -> list[Path]:
    """Build distributions of some kinds, `sdist` or `wheel`, with the build tools of this environment."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(to), *(f"--{kind}" for kind in kinds)]
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    subprocess.run(
        [*command, str(source)],
        check=True,
        capture_output=True,
        timeout=300,
        umask=umask,
        env={**environment, "PYTHONHASHSEED": hash_seed},
    )
    return sorted(to.iterdir())
