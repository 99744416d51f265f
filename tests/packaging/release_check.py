"""Whether this checkout can be released: `make release-check`. It stops at what is missing, and publishes nothing."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.installing import ROOT


def main(root: Path = ROOT) -> int:
    """Print what is missing, or run the gate and print the next step; the exit code."""
    problems = [problem for check in CHECKS for problem in check(root)]
    for problem in problems:
        print(f"release-check: {problem}")  # noqa: T201 - for a person at a terminal
    if problems:
        return 1
    if subprocess.run(["bash", ".ci/run"], cwd=root, check=False).returncode:
        print("release-check: the gate, .ci/run, is not green; see above")  # noqa: T201
        return 1
    print(f"release-check: {version_of(root)} can be released; go on with RELEASING.md")  # noqa: T201
    return 0


def repository_is_set(root: Path) -> Iterator[str]:
    """The address from which all links of the package follow."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    if not project["tool"]["labs-mock"]["repository"]:
        yield "pyproject.toml: [tool.labs-mock] repository is empty; write the address of the published repository"


def changes_are_written(root: Path) -> Iterator[str]:
    """The version has a section with its date, and nothing has been added after it."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    version = version_of(root)
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", text, re.MULTILINE):
        yield f"CHANGELOG.md: no section for this version; write `## [{version}] - YYYY-MM-DD` above its changes"
    if section(text, "Unreleased"):
        yield "CHANGELOG.md: the section Unreleased is not empty; move its changes below the heading of this version"


def tree_is_clean(root: Path) -> Iterator[str]:
    """All that would be built is committed."""
    if changed := git(root, "status", "--porcelain").splitlines():
        yield f"git: {len(changed)} files differ from the last commit, {changed[0][3:]} among them; commit them"


def tag_is_new(root: Path) -> Iterator[str]:
    """No commit has this version's tag already."""
    tag = f"v{version_of(root)}"
    if git(root, "tag", "--list", tag):
        yield f"git: the tag {tag} exists; choose the next version in src/labs_mock/__init__.py"


CHECKS: tuple[Callable[[Path], Iterator[str]], ...] = repository_is_set, changes_are_written, tree_is_clean, tag_is_new


def version_of(root: Path) -> str:
    """The version, as the build reads it."""
    text = (root / "src" / "labs_mock" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found is not None
    return found[1]


def section(text: str, version: str) -> str:
    """What a changelog says of a version, without its heading and the links at the end."""
    body = text.partition(f"\n## [{version}]")[2].partition("\n## ")[0].partition("\n")[2]
    return re.sub(r"(?m)^\[[^\]]+\]: .*$", "", body).strip()


def git(root: Path, *arguments: str) -> str:
    """What a command of git prints."""
    return subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
