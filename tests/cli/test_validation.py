import os
import subprocess
from pathlib import Path

import pytest

from labs_mock.config.library import load_library, shipped_library
from tests.cli.running import MISTAKES, SCRIPT, WHERE, run, with_mistakes


def test_a_good_folder_has_no_problems(folder: Path) -> None:
    """A folder without mistakes is summed up in one line."""
    result = run("validate", folder)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "1 scenario in 1 collection and 0 datasets: no problems\n"


def test_the_shipped_library_is_validated_by_default() -> None:
    """Without a folder, the scenarios that come with the package are checked, and are right."""
    result = run("validate")
    count = len(load_library(shipped_library()).scenarios)
    assert (result.exit_code, f"{count} scenarios in" in result.stdout) == (0, True)


@pytest.mark.parametrize("files", [[(0, 1, 2, 3, 4)], [(0, 4), (1, 2, 3)], [(0,), (1,), (2,), (3,), (4,)]])
def test_five_mistakes_are_five_places(folder: Path, files: list[tuple[int, ...]]) -> None:
    """All mistakes are printed at once with their places and lines, whether they stand in one file or in several."""
    expected = []
    for index, numbers in enumerate(files):
        (folder / f"case-management/other-{index}.yaml").write_text(with_mistakes(*numbers), encoding="utf-8")
        expected += [f"case-management/other-{index}.yaml:{WHERE[number]}:" for number in numbers]
    result = run("validate", folder)
    lines = result.stdout.splitlines()
    assert [line.partition(" ")[0] for line in lines if line.startswith("case-management/")] == expected
    for place, wrong in zip(WHERE, MISTAKES.values(), strict=True):
        assert any(line.startswith(f"{place.partition(':')[0]:>7} | ") and wrong in line for line in lines)
    assert lines[-1] == f"5 problems in {len(files)} file{'s' if len(files) > 1 else ''}"
    assert result.exit_code == 1


def test_a_key_in_a_bad_server_file_is_not_printed(folder: Path) -> None:
    """Neither a wrong key nor a right one beside a mistake is ever shown."""
    (folder / "server.yaml").write_text(
        "api_key: lab_S3cret\nkeys: [{key: lab_S3cret+, plan: gold}]\n", encoding="utf-8"
    )
    result = run("validate", folder)
    assert (result.exit_code, "S3cret" in result.output) == (1, False)


def test_validate_needs_something_to_check(tmp_path: Path) -> None:
    """A path that is missing is bad usage and named; an empty file is a problem."""
    (tmp_path / "file.yaml").touch()
    assert run("validate", tmp_path / "file.yaml").exit_code == 1
    missing = run("validate", tmp_path / "missing")
    assert missing.exit_code == 2
    assert "missing' does not exist" in missing.output


def test_problems_are_the_same_bytes_in_every_process(folder: Path) -> None:
    """What `validate` prints does not depend on the seed of Python's hashes (DET-1)."""
    assert SCRIPT
    (folder / "case-management" / "other.yaml").write_text(with_mistakes(*range(5)), encoding="utf-8")
    printed = {
        subprocess.run(
            [SCRIPT, "validate", folder],
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=False,
            timeout=30,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
    assert b"5 problems" in printed.pop()
