"""The wheel and the sdist: the same bytes from each build, nothing of the machine in them, and what their checkers say."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.installing import ROOT
from tests.packaging.distributions import build, copy_checkout

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """An sdist and a wheel of this checkout, each built from a copy."""
    source = copy_checkout(tmp_path_factory.mktemp("first"))
    return build(source, tmp_path_factory.mktemp("dist"), "sdist", "wheel")


def test_two_builds_give_the_same_bytes(built: list[Path], tmp_path: Path) -> None:
    """In another folder, with other permissions, times of files and seeds of hashes."""
    old = os.umask(0o077)
    try:
        source = copy_checkout(tmp_path / "a folder of another name", changed_at=1_500_000_000.0)
    finally:
        os.umask(old)
    again = build(source, tmp_path / "dist", "sdist", "wheel", umask=0o077, hash_seed="1234")
    assert [path.name for path in again] == [path.name for path in built]
    assert [
        path.name for path, other in zip(built, again, strict=True) if path.read_bytes() != other.read_bytes()
    ] == []


def test_the_sdist_builds_the_same_wheel(built: list[Path], tmp_path: Path) -> None:
    """It has all that a build needs, and tests and pages besides."""
    wheel, sdist = built
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    assert {"tests", "docs", "examples", "CHANGELOG.md", "RELEASING.md", "Makefile", ".gitignore"} <= {
        path.name for path in source.iterdir()
    }
    (again,) = build(source, tmp_path / "dist", "wheel")
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_no_path_of_this_machine_is_inside(built: list[Path]) -> None:
    """Neither of the checkout, nor of the Python that built it, nor of the person who did; no file that git ignores, either."""
    places = {str(ROOT), str(built[0].parents[1]), sys.prefix, sys.base_prefix, str(Path.home())} - {"/", "/usr"}
    found = []
    for name, content in contents(built):
        found += [f"{name}: {place}" for place in sorted(places) if f"{place}/".encode() in content]
        assert not name.endswith((".pyc", ".stamp")), name
    assert found == []


def contents(built: list[Path]) -> list[tuple[str, bytes]]:
    """The files of both distributions."""
    wheel, sdist = built
    with ZipFile(wheel) as zipped, tarfile.open(sdist) as archive:
        files = [(name, zipped.read(name)) for name in zipped.namelist()]
        opened = ((member.name, archive.extractfile(member)) for member in archive)
        files += [(name, file.read()) for name, file in opened if file is not None]
    return files


@pytest.mark.parametrize(
    "checker", [("twine", "check", "--strict"), ("check_wheel_contents", "--config", "pyproject.toml")]
)
def test_what_checkers_of_packages_say(built: list[Path], checker: tuple[str, ...]) -> None:
    """The page of the package can be shown, and the wheel has what a wheel should have."""
    files = [str(path) for path in built if checker[0] == "twine" or path.suffix == ".whl"]
    checked = subprocess.run(
        [sys.executable, "-m", *checker, *files], cwd=ROOT, check=False, capture_output=True, text=True, timeout=120
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
