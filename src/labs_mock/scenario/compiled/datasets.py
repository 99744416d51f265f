"""Training datasets as they are served: stages with their counts, and where rows come from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from labs_mock.contract.dataset_status import DATASET_STATUSES
from labs_mock.contract.parsing import read_json, read_model
from labs_mock.contract.rows import Row
from labs_mock.scenario.compiled.scenario import Scenario, ScenarioName
from labs_mock.scenario.files.dataset_schema import DatasetFile, Generate, Rows, StageFile

ATTEMPTS = 32
"""How often a row that `keep` may reject is made anew; each attempt takes a choice of its own, where other rows take one."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a lifecycle: it ends after some polls or seconds, or never. `row_count` is None where the file has none."""

    status: str
    message: str
    polls: int | None = None
    seconds: float | None = None
    row_count: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset, as plain data: its rows as lines, or how to generate them from a scenario. `slug` is the name of its file."""

    id: str
    slug: str
    name: str
    stages: tuple[Stage, ...]
    lines: tuple[bytes, ...] = ()
    generate: Generate | None = None
    scenario: ScenarioName | None = None

    @property
    def row_count(self) -> int:
        """How many rows an export has."""
        return len(self.lines) if self.generate is None else self.generate.count


def compile_dataset(
    slug: str, file: DatasetFile, scenarios: Mapping[str, Scenario | None], lines: Iterable[bytes] = ()
) -> Dataset:
    """Compile a dataset file that has passed its checks, with the lines of its rows file if it names one."""
    rows = file.rows or Rows()
    written = [read_model(Row, row) for row in rows.inline or ()] or [read_line(line) for line in lines]
    ready = len(written) if rows.generate is None else rows.generate.count
    scenario = scenarios[rows.generate.scenario] if rows.generate else None
    return Dataset(
        file.id,
        slug,
        file.name,
        tuple(stage_of(stage, ready) for stage in file.lifecycle),
        tuple(row.line() for row in written),
        rows.generate,
        scenario.full_name if scenario is not None else None,
    )


def stage_of(file: StageFile, ready: int) -> Stage:
    """A stage with the row count of its file, None where that has none, and of all rows when ready (DS-2)."""
    message = file.message or DATASET_STATUSES[file.status].message
    row_count = ready if file.status == "ready" else file.row_count
    return Stage(file.status, message, file.polls, file.seconds, row_count, file.error)


def read_line(line: bytes) -> Row:
    """A row from a line of a rows file. Raises `BadRequest` that names the place."""
    return read_model(Row, read_json(line, b"application/json"))
