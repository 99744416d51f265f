"""The wheel of this checkout, and environments in which it is installed as a user has it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build_wheel(folder: Path) -> Path:
    """The wheel, built into a folder with the locked build tools."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


class Environment:
    """A virtual environment, empty at first. Its programs run in a folder away from the checkout."""

    def __init__(self, path: Path, python: str = sys.executable) -> None:
        subprocess.run([python, "-m", "venv", "--without-pip", str(path)], check=True, capture_output=True, timeout=120)
        self.binaries = path / "bin"

    def install(self, *what: str) -> None:
        """Install packages, in the locked versions: with uv, which needs a second, or with pip where uv finds no index."""
        python = str(self.binaries / "python")
        locked = ("--quiet", "--constraint", str(ROOT / "constraints.txt"), *what)
        by_uv = [sys.executable, "-m", "uv", "pip", "install", "--python", python, *locked]
        by_pip = [sys.executable, "-m", "pip", "--python", python, "install", *locked]
        if subprocess.run(by_uv, cwd=self.binaries, check=False, capture_output=True, timeout=300).returncode:
            subprocess.run(by_pip, cwd=self.binaries, check=True, timeout=300)

    def python(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run its Python; what surrounds these tests, `PYTHONPATH` for one, does not reach it."""
        return subprocess.run(
            [str(self.binaries / "python"), *arguments],
            cwd=cwd,
            env={name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))},
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
