"""`make release-check` stops for each thing that is missing, and RELEASING.md names commands that there are."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.installing import ROOT
from tests.packaging.release_check import git, main

FILES = {
    "pyproject.toml": '[tool.labs-mock]\nrepository = "https://git.example/owner/labs-mock"\n',
    "src/labs_mock/__init__.py": '__version__ = "1.2.3"\n',
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-22\n\n### Added\n\n- A thing.\n",
    ".ci/run": "exit 0\n",
}
Change = Callable[[Path], object]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository that can be released."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def commit(root: Path) -> None:
    """Commit all."""
    git(root, "add", "--all")
    author = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    git(root, *author, "commit", "--quiet", "--message", "All")


def rewrite(name: str, old: str, new: str) -> Change:
    """A change of a file that is committed."""

    def change(root: Path) -> None:
        text = (root / name).read_text(encoding="utf-8")
        assert old in text
        (root / name).write_text(text.replace(old, new), encoding="utf-8")
        commit(root)

    return change


def test_what_is_complete_can_be_released(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Then it says how to go on, and has made no tag."""
    assert main(checkout) == 0
    assert capfd.readouterr().out == "release-check: 1.2.3 can be released; go on with RELEASING.md\n"
    assert git(checkout, "tag") == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rewrite("pyproject.toml", "https://git.example/owner/labs-mock", ""), "repository is empty"),
        (rewrite("CHANGELOG.md", "[1.2.3]", "[1.2.2]"), "no section for this version; write `## [1.2.3] - YYYY"),
        (rewrite("CHANGELOG.md", " - 2026-11-22", ""), "no section for this version"),
        (
            rewrite("CHANGELOG.md", "[Unreleased]\n", "[Unreleased]\n\n- Another.\n"),
            "the section Unreleased is not empty",
        ),
        (lambda root: (root / "new.py").touch(), "1 files differ from the last commit, new.py among them"),
        (lambda root: git(root, "tag", "v1.2.3"), "the tag v1.2.3 exists"),
        (rewrite(".ci/run", "exit 0", "exit 1"), "the gate, .ci/run, is not green"),
    ],
)
def test_it_stops(change: Change, message: str, checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One line says what is missing and where."""
    change(checkout)
    assert main(checkout) == 1
    (line,) = capfd.readouterr().out.splitlines()
    assert message in line


def test_the_gate_is_not_run_before_the_rest_is_right(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It takes half an hour; all that is missing is named before."""
    rewrite(".ci/run", "exit 0", "echo the gate")(checkout)
    rewrite("CHANGELOG.md", "[1.2.3]", "[1.2.2]")(checkout)
    git(checkout, "tag", "v1.2.3")
    assert main(checkout) == 1
    printed = capfd.readouterr().out
    assert len(printed.splitlines()) == 2
    assert "the gate" not in printed


def test_the_checklist_names_targets_that_there_are() -> None:
    """Each `make …` of RELEASING.md is in the Makefile."""
    targets = re.findall(r"(?m)^ *make ([\w-]+)", (ROOT / "RELEASING.md").read_text(encoding="utf-8"))
    assert {"release-check", "dist"} <= set(targets)
    known = subprocess.run(
        ["make", "-C", str(ROOT), "-n", "-o", ".venv/dev.stamp", *targets], check=False, capture_output=True
    )
    assert known.returncode == 0, known.stderr.decode()
