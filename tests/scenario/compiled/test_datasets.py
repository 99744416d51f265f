import json
from pathlib import Path
from typing import Any

import pytest

from labs_mock.contract.dataset_status import DATASET_STATUSES
from labs_mock.contract.parsing import read_model
from labs_mock.contract.rows import Row
from labs_mock.scenario.compiled.datasets import compile_dataset
from labs_mock.scenario.files.dataset_schema import DatasetFile
from tests.contract.test_rows import ROW
from tests.scenario.bases import DATASET, changed
from tests.scenario.files.test_loader import GENERATE, GOOD
from tests.scenario.files.test_row_checks import WANTED, dataset, loaded, with_file
from tests.support import scenario

LINE = json.dumps(ROW).encode()
NAME = "cases/claim"


TEXTS = [
    pytest.param(LINE + b"\n" + LINE + b"\n", id="newline-at-the-end"),
    pytest.param(LINE + b"\n" + LINE, id="no-newline-at-the-end"),
    pytest.param(LINE + b"\r\n" + LINE + b"\r\n", id="windows"),
    pytest.param(LINE + b" \n\t" + LINE, id="white-space-around"),
    pytest.param(LINE.replace(b"1.0", b"1") + b"\n" + json.dumps(ROW, sort_keys=True).encode(), id="written-otherwise"),
]


@pytest.mark.parametrize("text", TEXTS)
def test_rows_of_a_file_are_exported_like_rows_of_a_list(tmp_path: Path, text: bytes) -> None:
    """However a rows file is written, its lines are the rows as they are exported (DS-6, ROW-3)."""
    inline = loaded(tmp_path / "inline", {**GOOD, "datasets/d.yaml": dataset(rows={"inline": [ROW, ROW]})})
    assert loaded(tmp_path / "file", with_file(text)).lines == inline.lines == (read_model(Row, ROW).line(),) * 2


STAGES = [
    ([{"status": "ready"}], [1]),
    ([{"status": "pending", "polls": 1}, {"status": "running", "seconds": 5}, {"status": "ready"}], [None, None, 1]),
    ([{"status": "running", "polls": 1, "row_count": 0}, {"status": "filtering", "polls": 1}, {"status": "ready"}], [0, None, 1]),
    ([{"status": "preview", "polls": 1, "row_count": 5}, {"status": "running", "polls": 1, "row_count": 0},
      {"status": "pending", "polls": 1}, {"status": "cancelled"}], [5, 0, None, None]),
    ([{"status": "running", "polls": 1}, {"status": "failed", "error": "E", "row_count": 8}], [None, 8]),
    ([{"status": "running", "polls": 1}, {"status": "failed", "error": "E"}], [None, None]),
    ([{"status": "running", "polls": 1, "row_count": 9}, {"status": "ready", "row_count": 7}], [9, 1]),
]  # fmt: skip


@pytest.mark.parametrize(("lifecycle", "counts"), STAGES)
def test_a_stage_has_the_count_that_holds_in_it(lifecycle: list[Any], counts: list[int | None]) -> None:
    """`row_count` is that of its file, null where the file has none, and when ready that of all rows (DS-2)."""
    file = DatasetFile.model_validate({**DATASET, "lifecycle": lifecycle, "rows": {"inline": [ROW]}})
    stages = compile_dataset("rows", file, {}).stages
    assert [stage.row_count for stage in stages] == counts
    for stage, entry in zip(stages, lifecycle, strict=True):
        assert (stage.polls, stage.seconds, stage.error) == (
            entry.get("polls"),
            entry.get("seconds"),
            entry.get("error"),
        )


@pytest.mark.parametrize(
    ("rows", "count"), [({"inline": [ROW] * 3}, 3), ({"file": "r"}, 2), ({"generate": {**WANTED, "count": 40}}, 40)]
)
def test_a_dataset_that_is_ready_counts_its_rows(rows: dict[str, Any], count: int) -> None:
    """Wherever rows come from, `row_count` when ready is the number of rows of an export (DS-2, DS-4)."""
    file = DatasetFile.model_validate({**DATASET, "rows": rows})
    compiled = compile_dataset("rows", file, {NAME: scenario()}, [LINE, LINE] if "file" in rows else ())
    assert compiled.row_count == compiled.stages[-1].row_count == count
    assert len(compiled.lines) == (0 if "generate" in rows else count)


def test_a_stage_has_a_message_if_its_file_has_none() -> None:
    """Each status has a message of its own by default; a message in the file takes its place (DS-1, DS-2)."""
    names = list(DATASET_STATUSES)
    data: dict[str, Any] = {**GENERATE, "lifecycle": [{"status": name} for name in names]}
    stages = compile_dataset("rows", DatasetFile.model_validate(data), {NAME: None}).stages
    assert [stage.status for stage in stages] == names
    assert len({stage.message for stage in stages if stage.message}) == len(names)
    reworded = changed(data, "lifecycle.2.message", "Nearly there")
    assert (
        compile_dataset("rows", DatasetFile.model_validate(reworded), {NAME: None}).stages[2].message == "Nearly there"
    )
