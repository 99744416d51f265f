"""The lower bounds of what labs-mock needs are true: constraints-lowest.txt has them, and these tests pass with it."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.installing import ROOT

EXTRAS = ("conformance", "pytest", "redis")
TESTS = (
    "tests/cli/test_init.py",
    "tests/cli/test_score.py",
    "tests/cli/test_validate.py",
    "tests/config",
    "tests/conformance/test_client.py",
    "tests/conformance/test_runner.py",
    "tests/http/test_batch.py",
    "tests/http/test_catalog.py",
    "tests/http/test_envelope.py",
    "tests/http/test_episodes.py",
    "tests/http/test_key.py",
    "tests/http/test_normalisation.py",
    "tests/plugin/test_fixtures.py",
    "tests/state/test_episode_commits.py",
    "tests/state/test_redis_store.py",
)
"""A choice that needs no more than the extras, and some 20 seconds of processor: each library is used by one of them."""


def test_the_lock_has_the_lowest_versions() -> None:
    """Whatever is required directly is locked at its lower bound, unless something else requires a newer version of it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = [*project["dependencies"], *(one for extra in EXTRAS for one in project["optional-dependencies"][extra])]
    bounds = dict(re.fullmatch(r"([\w-]+)>=([\d.]+)(?:;.*)?", one).groups() for one in required)  # type: ignore[union-attr, misc]
    lines = (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
    locked = dict(line.partition(" ;")[0].split("==") for line in lines)
    newer = {name for name, bound in bounds.items() if numbers(locked[name]) != numbers(bound)}
    assert newer == {"typing-extensions"}  # which anyio requires


def numbers(version: str) -> list[int]:
    """A version as numbers, without zeros at its end."""
    return [int(part) for part in re.sub(r"(\.0)+$", "", version).split(".")]


@pytest.mark.slow
def test_a_choice_of_tests_passes_with_the_lowest_versions(wheel: Path, tmp_path: Path) -> None:
    """They run on the wheel, in an environment with what constraints-lowest.txt has and nothing else."""
    environment = tmp_path / "venv"
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, str(environment)], check=True, timeout=120)
    python = str(environment / "bin" / "python")
    lowest = ["--constraint", str(ROOT / "constraints-lowest.txt"), f"{wheel}[{','.join(EXTRAS)}]"]
    subprocess.run([*uv, "pip", "install", "--python", python, *lowest], check=True, timeout=300)
    surroundings = ("PYTHON", "PYTEST", "VIRTUAL_ENV")
    ran = subprocess.run(
        [python, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", *TESTS],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(surroundings)},
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert ran.returncode == 0, ran.stdout[-5_000:] + ran.stderr[-2_000:]
