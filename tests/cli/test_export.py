import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import orjson
import pytest
from click.testing import CliRunner, Result

from labs_mock.cli.main import main
from labs_mock.config.library import load_library, shipped_library
from labs_mock.engine.generated_rows import GeneratedRows
from labs_mock.state import World
from tests.support import KEY, live, world

LIBRARY = load_library(shipped_library())
BY_SLUG = {dataset.slug: dataset for dataset in LIBRARY.datasets.values()}


def run(*arguments: str) -> Result:
    """A run of the command line."""
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("slug", ["by-hand", "check-ins"])
def test_the_command_writes_what_the_server_exports(slug: str, tmp_path: Path) -> None:
    """By name or id, to standard output or to a file: the same bytes as over HTTP (DS-6)."""
    with live(World(world().settings, LIBRARY)) as server:
        dataset = BY_SLUG[slug].id
        server.client.patch(f"/_mock/datasets/{dataset}", json={"status": "ready"}).raise_for_status()
        path = f"/api/v1/training-datasets/{dataset}/export"
        served = server.client.get(path, headers={"authorization": f"Bearer {KEY}"}).raise_for_status().content
    assert run("export", slug).stdout_bytes == served
    assert run("export", dataset.upper(), "--out", str(tmp_path / "rows.jsonl")).exit_code == 0
    assert (tmp_path / "rows.jsonl").read_bytes() == served
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def test_another_seed_makes_other_rows() -> None:
    """`--seed` is the setting of that name: rows of another seed are other rows."""
    first = run("export", "claims-by-the-clock").stdout_bytes
    assert run("export", "claims-by-the-clock", "--seed", "0").stdout_bytes == first
    assert run("export", "claims-by-the-clock", "--seed", "1").stdout_bytes != first


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["failed"], 1, "dataset failed never gets ready; it ends as failed: No rollout passed the filter"),
        (["cancelled"], 1, "dataset cancelled never gets ready; it ends as cancelled"),
        (["by-hnd"], 2, "no dataset 'by-hnd'; did you mean 'by-hand'?"),
        (["by-hand", "--seed", "x"], 2, "seed: expected a whole number"),
        (["by-hand", "--out", "/nowhere/rows.jsonl"], 2, "/nowhere/rows.jsonl: No such file or directory"),
    ],
)
def test_what_cannot_be_exported(arguments: list[str], code: int, message: str) -> None:
    """The message names the reason, and nothing goes to standard output."""
    result = run("export", *arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""


def test_an_export_that_breaks_off_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file appears when it is complete: the former one stays, and no part of the new one does."""
    target = tmp_path / "rows.jsonl"
    target.write_text("before")
    made = GeneratedRows.line

    def breaks(self: GeneratedRows, index: int) -> object:
        if index == 50:
            raise KeyboardInterrupt
        return made(self, index)

    monkeypatch.setattr(GeneratedRows, "line", breaks)
    assert run("export", "check-ins", "--out", str(target)).exit_code == 1
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def test_rows_below_the_filter_are_counted(tmp_path: Path) -> None:
    """Their number goes to standard error; the count of rows stays (ROW-1)."""
    shutil.copytree(shipped_library() / "coaching", tmp_path / "coaching")
    (tmp_path / "datasets").mkdir()
    text = (shipped_library() / "datasets/check-ins.yaml").read_text()
    (tmp_path / "datasets/strict.yaml").write_text(text.replace("0.4", "1.0").replace("count: 200", "count: 20"))
    result = run("export", "strict", "--scenarios", str(tmp_path))
    assert result.stdout.count("\n") == 20
    below = sum(orjson.loads(line)["metadata"]["quality_score"] < 1.0 for line in result.stdout_bytes.splitlines())
    assert (f"{below} of 20 rows did not pass the keep-filter" in result.stderr) == bool(below)


def watched(*options: str, rows_to: int | None) -> str:
    """What a person sees on a terminal to which standard error goes, and standard output if it is not sent elsewhere."""
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "labs_mock", "export", "claims-by-the-clock", *options]
    with subprocess.Popen(command, stdout=rows_to or end, stderr=end, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(end)
        seen = b""
        while True:
            try:
                seen += os.read(terminal, 65_536)
            except OSError:
                break
    os.close(terminal)
    assert process.returncode == 0
    return seen.decode()


@pytest.mark.slow
def test_a_person_sees_a_progress_bar(tmp_path: Path) -> None:
    """On a terminal there is a bar while rows go to a file; where rows themselves go there, there is none."""
    assert "100%" in watched("--out", str(tmp_path / "rows.jsonl"), rows_to=None)
    assert "100%" in watched(rows_to=subprocess.DEVNULL)
    assert "100%" not in watched(rows_to=None)


def test_rows_have_the_printed_schema() -> None:
    """Every row of the shipped datasets is valid by `labs-mock schema row`, which is closed (ROW-1, ROW-2)."""
    schema = orjson.loads(run("schema", "row").stdout)
    validator = jsonschema_rs.validator_for(schema)
    for slug in ("by-hand", "check-ins", "claims-by-the-clock"):
        for line in run("export", slug).stdout_bytes.splitlines():
            validator.validate(orjson.loads(line))
    row = orjson.loads(run("export", "by-hand").stdout_bytes.splitlines()[0])
    for wrong in (
        {**row, "labels": []},
        {**row, "messages": []},
        {**row, "metadata": {}},
        {**row, "scenario_id": None},
    ):
        assert not validator.is_valid(wrong)
