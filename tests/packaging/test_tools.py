"""The command out of a checkout, without an installation: `uvx` and `pipx run`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.installing import ROOT
from tests.packaging.distributions import copy_checkout

pytestmark = pytest.mark.slow

TOOLS = {
    "uvx": ["uv", "tool", "run", "--quiet", "--from", ".", "labs-mock"],
    "pipx": ["pipx", "run", "--no-cache", "--spec", ".", "labs-mock"],
}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_checkout_runs_without_an_installation(tool: str, tmp_path: Path) -> None:
    """The tool builds the wheel, installs it with what it needs into an environment of its own, and runs the command."""
    checkout = copy_checkout(tmp_path / "checkout")
    locked = str(ROOT / "constraints.txt")  # so that no release of somebody else's can break this test
    homes = {"PIPX_HOME": str(tmp_path / "pipx"), "UV_TOOL_DIR": str(tmp_path / "uv")}
    pins = {"PIP_CONSTRAINT": locked, "UV_CONSTRAINT": locked, "UV_BUILD_CONSTRAINT": locked}
    ran = subprocess.run(
        [sys.executable, "-m", *TOOLS[tool], "scenarios"],
        cwd=checkout,
        env={**{name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}, **homes, **pins},
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stderr
    assert "finance/small-business-loan" in ran.stdout
