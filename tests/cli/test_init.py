from pathlib import Path

import pytest

from labs_mock.config.printing import starter_files
from tests.cli.running import run, tree


def test_init_makes_a_folder_that_validates(tmp_path: Path) -> None:
    """All files of the starter are written, the next step is printed, and it works; a second `init` is refused."""
    folder = tmp_path / "a" / "new"
    result = run("init", folder)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"labs-mock validate {folder}" in result.stdout
    assert {name: text for name, text in tree(folder).items() if text is not None} == {
        name: text.encode() for name, text in starter_files().items()
    }
    assert [run(command, folder).exit_code for command in ("validate", "init")] == [0, 2]


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
