"""The hook for pre-commit, installed by the real one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from labs_mock.cli.new_files import write_all
from labs_mock.config.starter import starter_files
from tests.installing import ROOT
from tests.serving.test_server import ENVIRONMENT

FILE = "scenarios/support/late-parcel.yaml"


@pytest.mark.slow
@pytest.mark.skipif(
    not (ROOT / ".git").exists() or not shutil.which("git"), reason="the hook comes out of a git repository"
)
def test_a_changed_scenario_is_checked(tmp_path: Path) -> None:
    """A good file passes; a mistake is reported with its place, and the commit is refused."""
    project = tmp_path / "project"
    write_all(project / "scenarios", starter_files("scenarios"))
    named = {f"GIT_{role}_{what}": "a@b.example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {name: text for name, text in ENVIRONMENT.items() if not name.startswith("GIT_")}
    environment |= {
        **named,
        "PRE_COMMIT_HOME": str(tmp_path / "hooks"),
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
    }

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=project, env=environment, check=False, capture_output=True, text=True, timeout=600
        )

    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "x"]):
        run("git", *words).check_returncode()
    check = [sys.executable, "-m", "pre_commit", "try-repo", str(ROOT), "labs-mock-validate", "--files", FILE]
    good = run(*check)
    assert good.returncode == 0, good.stdout + good.stderr
    path = project / FILE
    path.write_text(path.read_text("utf-8").replace("reveal:", "revael:", 1), "utf-8")
    bad = run(*check)
    assert bad.returncode == 1
    assert f"{FILE}:" in bad.stdout
    assert "unknown key 'revael'" in bad.stdout
