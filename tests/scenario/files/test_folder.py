import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from labs_mock.config.library import load_library
from labs_mock.errors import ScenarioError
from labs_mock.scenario.files.folder import is_folder, is_regular, read_regular, stays_in
from tests.scenario.files.test_loader import COLLECTION, GOOD, problems, write

SECRET = "root: of-all-evil\n"


def pipe(path: Path) -> None:
    """A pipe that nobody writes to."""
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    """A socket that nobody answers."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))  # an address has room for some hundred characters


def device(path: Path) -> None:
    """A link to a device, as which it leads out of every folder."""
    path.symlink_to("/dev/zero")


IRREGULAR = [pipe, unix_socket, Path.mkdir]
FILES = ["cases/bad.yaml", "cases/collection.yaml", "datasets/bad.yaml", "server.yaml"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("make", IRREGULAR)
def test_only_regular_files_are_read(tmp_path: Path, name: str, make: Callable[[Path], None]) -> None:
    """A pipe in a file's place is a mistake at once and keeps nobody waiting; so are sockets and folders."""
    folder = write(tmp_path, {**GOOD, "datasets/good.txt": ""})
    (folder / name).unlink(missing_ok=True)
    make(folder / name)
    (problem,) = problems(folder)
    assert (problem.file, problem.message) == (name, "cannot be read: not a regular file")


@pytest.mark.parametrize("name", [*FILES, "cases", "more", "datasets", "cases/missing.yaml"])
def test_a_link_that_leads_out_of_the_folder_is_a_mistake(tmp_path: Path, name: str) -> None:
    """Nothing of what such a link refers to is read or shown, whether it is a file or a folder."""
    folder = write(tmp_path / "library", {**GOOD, "datasets/good.txt": ""})
    outside = write(tmp_path / "outside", {"secret": SECRET, "folder/collection.yaml": SECRET, "folder/x.yaml": SECRET})
    path = folder / name
    if path.is_dir():
        path.rename(tmp_path / "gone")
    path.unlink(missing_ok=True)
    path.symlink_to(outside / ("missing" if "missing" in name else "secret" if path.suffix else "folder"))
    found = problems(folder)
    assert (name, "a link that leads out of the folder") in [(problem.file, problem.message) for problem in found]
    assert "evil" not in str(ScenarioError(found))


def test_devices_and_circles_are_mistakes(tmp_path: Path) -> None:
    """A link to a device leads out of the folder, and a link to itself nowhere."""
    folder = write(tmp_path, dict(GOOD))
    device(folder / "cases/zero.yaml")
    (folder / "cases/circle.yaml").symlink_to("circle.yaml")
    assert [(problem.file, problem.message[:18]) for problem in problems(folder)] == [
        ("cases/circle.yaml", "cannot be read: To"),
        ("cases/zero.yaml", "a link that leads "),
    ]


def test_links_inside_the_folder_are_followed(tmp_path: Path) -> None:
    """Files and collections may be links, and so may the folder itself and those around it."""
    folder = write(tmp_path / "real/library", dict(GOOD))
    (folder / "cases/other.yaml").symlink_to("claim.yaml")
    (folder / "more").symlink_to(folder / "cases")
    (folder / "cases/notes.md").symlink_to("/etc/hostname")  # which nobody reads
    (tmp_path / "linked").symlink_to("real/library")
    library = load_library(tmp_path / "linked")
    assert [f"{one.collection}/{one.slug}" for one in library.scenarios] == [
        *("cases/claim", "cases/other"),
        *("more/claim", "more/other"),
    ]


def test_what_may_not_be_read_is_a_mistake_beside_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file and a folder without permission are named, and hide no other mistake."""
    folder = write(
        tmp_path, {**GOOD, "cases/locked.yaml": SECRET, "cases/bad.yaml": "a: 1", "shut/collection.yaml": COLLECTION}
    )
    opened, listed = os.open, Path.iterdir

    def refuse_open(path: str, *rest: int) -> int:
        if "locked" in str(path):
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest)

    def refuse_list(path: Path) -> object:
        if path.name == "shut":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(os, "open", refuse_open)
    monkeypatch.setattr(Path, "iterdir", refuse_list)
    found = {problem.file: problem.message for problem in problems(folder)}
    assert found.pop("cases/bad.yaml")
    assert found == dict.fromkeys(("cases/locked.yaml", "shut"), "cannot be read: Permission denied")


def test_what_a_path_is(tmp_path: Path) -> None:
    """A name that no file can have is neither a file nor a folder, and a folder lies in itself."""
    (tmp_path / "file").write_text("x")
    assert [is_regular(tmp_path / name) for name in ("file", ".", "missing", "a\x00")] == [True, False, False, False]
    assert [is_folder(tmp_path / name) for name in ("file", ".", "missing", "a\x00")] == [False, True, False, False]
    assert [stays_in(tmp_path, tmp_path / name) for name in (".", "file", "..", "../x", "missing")] == [
        *(True, True),
        *(False, False),
        True,
    ]
    assert read_regular(tmp_path / "file", "file", 0) == b""
