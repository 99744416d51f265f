import os
import signal
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs_mock.cli.new_files import write_all
from labs_mock.config.starter import CACHE, FOLDER, STARTER_SETS, starter_files
from tests.cli.running import SCRIPT, run, tree

OPTIONS = [name for name, row in STARTER_SETS.items() if row.option]


def written(folder: Path) -> dict[str, bytes]:
    """The files in a folder."""
    return {name: content for name, content in tree(folder).items() if content is not None}


def expected(*sets: str) -> dict[str, bytes]:
    """The files of some sets."""
    return {path: text.encode() for name in sets for path, text in starter_files(name).items()}


def test_init_makes_a_folder_that_validates(tmp_path: Path) -> None:
    """All files of the starter are written, the next step is printed, and it works; a second `init` is refused."""
    folder = tmp_path / "a" / "new"
    result = run("init", folder)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"labs-mock validate {folder}" in result.stdout
    assert written(folder) == expected("scenarios")
    assert [run(command, folder).exit_code for command in ("validate", "init")] == [0, 2]


@pytest.mark.parametrize("count", range(1, len(OPTIONS) + 1))
def test_init_writes_the_sets_that_options_name(tmp_path: Path, count: int) -> None:
    """Each set alone, and any of them together; all files are listed, and below them the next commands of each set."""
    for number, names in enumerate(combinations(OPTIONS, count)):
        folder = tmp_path / f"a b{number}"
        result = run("init", folder, *(f"--{name}" for name in names))
        assert (result.exit_code, result.stderr) == (0, "")
        assert written(folder) == expected(*names)
        files, commands = result.stdout.split("\nNext:\n")
        assert files.splitlines()[1:] == [f"  {folder / path}" for name in names for path in starter_files(name)]
        assert commands.splitlines() == [
            f"  {command.format(folder=repr(str(folder)))}" for name in names for command in STARTER_SETS[name].next
        ]


def test_a_set_is_a_folder() -> None:
    """Every folder has its row, every row its folder; no two sets have a file in common, and what pip compiles belongs to none."""
    assert {path.name for path in FOLDER.iterdir() if path.name != CACHE} == {*STARTER_SETS}
    paths = [path for name in STARTER_SETS for path in starter_files(name)]
    assert len(paths) == len({*paths})
    compiled = FOLDER / "pytest" / CACHE / "client.cpython-311.pyc"
    compiled.parent.mkdir(exist_ok=True)
    made = not compiled.exists()
    compiled.touch()
    try:
        assert [name for name in starter_files("pytest") if CACHE in name] == []
    finally:
        if made:
            compiled.unlink()


@pytest.mark.parametrize(
    "taken", ["server.yaml", "support/late-parcel.yaml", ".schema/scenario.json", "support", ".schema"]
)
def test_init_overwrites_nothing_and_writes_nothing_beside_it(tmp_path: Path, taken: str) -> None:
    """Where something stands in the way of any of its files, `init` leaves the folder as it is."""
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("mine", encoding="utf-8")
    before = tree(tmp_path)
    result = run("init", tmp_path)
    assert (result.exit_code, tree(tmp_path)) == (2, before)
    assert str(tmp_path / taken) in result.stderr


def test_all_that_is_in_the_way_is_named(tmp_path: Path) -> None:
    """Every file that exists is named, a link that leads nowhere too, and the others are not."""
    (tmp_path / "client.py").touch()
    (tmp_path / "server.yaml").symlink_to("nowhere")
    assert run("init", tmp_path).stderr.splitlines()[1:-1] == [f"  {tmp_path / 'server.yaml'}"]
    (tmp_path / "test_client.py").touch()
    assert run("init", tmp_path, "--pytest").stderr.splitlines()[1:-1] == [
        f"  {tmp_path / 'client.py'}",
        f"  {tmp_path / 'test_client.py'}",
    ]


# A write beyond the limit fails as on a full disk.
FULL = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("limit", [0, 1_000, 10_000])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, limit: int) -> None:
    """A file system that takes no more bytes, at whatever file: one line says so, and there is neither a file nor a folder."""
    assert SCRIPT
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(limit), SCRIPT, "init", tmp_path / "new" / "folder"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert (done.returncode, done.stdout, tree(tmp_path)) == (2, "", {})
    assert done.stderr == f"labs-mock: nothing was written: {tmp_path / 'new' / 'folder'}: File too large\n"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_folder_that_takes_no_files_leaves_nothing_behind(tmp_path: Path) -> None:
    """Where the last of several folders cannot be written to, not by root either, the files of the others go, too."""
    (tmp_path / "support").symlink_to("/proc/self")
    result = run("init", tmp_path)
    assert (result.exit_code, [*tree(tmp_path)]) == (2, ["support"])
    assert result.stderr.startswith(
        f"labs-mock: nothing was written: {tmp_path / 'support' / '.collection.yaml.partial'}: "
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.sampled_from(["a", "b", "c/a", "c/b", "c/d/a", "d/e/f/a"]), min_size=1, unique=True),
    when=st.integers(0, 12),
    what=st.sampled_from([OSError(28, "No space left on device"), KeyboardInterrupt()]),
)
def test_whatever_fails_all_is_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], when: int, what: BaseException
) -> None:
    """An error or a Ctrl-C at any step, at any file: what was there stays, and nothing else; without one there are all files."""
    folder = tmp_path_factory.mktemp("some")
    (folder / "c").mkdir()
    (folder / "c" / "mine").write_text("mine")
    files = {name: f"#! {name}\n" for name in names}
    before, steps = tree(folder), 0

    def step(method: str) -> None:
        real = getattr(Path, method)

        def stepped(self: Path, *arguments: object, **options: object) -> object:
            nonlocal steps
            steps += 1
            if steps == when:
                raise what
            return real(self, *arguments, **options)

        patch.setattr(Path, method, stepped)

    with pytest.MonkeyPatch.context() as patch:
        for method in ("mkdir", "open", "chmod", "rename"):
            step(method)
        try:
            write_all(folder, files)
        except type(what):
            failed = True
        else:
            failed = False
    assert failed == (0 < when <= steps)
    if failed:
        assert tree(folder) == before
    else:
        assert written(folder) == {"c/mine": b"mine", **{name: text.encode() for name, text in files.items()}}
        assert all(os.access(folder / name, os.X_OK) for name in files)


def test_two_at_once_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes while another one is writing to the same folder fails, and takes nothing away from it."""
    real, others = Path.rename, iter([{"b": "3"}])

    def rename(self: Path, target: Path) -> Path:
        for other in others:
            with pytest.raises(FileExistsError):
                write_all(tmp_path, other)
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    write_all(tmp_path, {"a": "1", "b": "2"})
    assert written(tmp_path) == {"a": b"1", "b": b"2"}


def test_a_ctrl_c_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`init` that is stopped says so, and has made nothing."""

    def stop(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Path, "rename", stop)
    result = run("init", tmp_path / "new")
    assert (result.exit_code, result.stderr) == (1, "labs-mock: stopped before it was done\n")
    assert tree(tmp_path) == {}
