"""Training datasets as they are served: stages with their counts, and where rows come from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labs_mock.contract.dataset_status import DATASET_STATUSES
from labs_mock.contract.parsing import read_json, read_model
from labs_mock.contract.rows import Row, row_mistakes
from labs_mock.errors import BadRequest
from labs_mock.scenario.compiled.choices import choice_space, part_texts
from labs_mock.scenario.compiled.scenario import Scenario, ScenarioName
from labs_mock.scenario.files.dataset_schema import DatasetFile, Generate, Rows, StageFile
from labs_mock.scenario.files.operator_schema import Choice, Operator, Silence
from labs_mock.scenario.files.paths import Mistake, Suggestion, find, mappings, texts

ATTEMPTS = 32  # of a row that `keep` may reject; so many choices it takes, where others take one


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: it ends after some polls or seconds, or never. `row_count` is None where the file gives none."""

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
    given = [read_model(Row, row) for row in rows.inline or ()] or [read_line(line) for line in lines]
    ready = len(given) if rows.generate is None else rows.generate.count
    scenario = scenarios[rows.generate.scenario] if rows.generate else None
    return Dataset(
        file.id,
        slug,
        file.name,
        tuple(stage_of(stage, ready) for stage in file.lifecycle),
        tuple(row.line() for row in given),
        rows.generate,
        scenario.full_name if scenario is not None else None,
    )


def stage_of(file: StageFile, ready: int) -> Stage:
    """A stage with its own count, null where the file gives none, and when ready that of all rows (DS-2)."""
    message = file.message or DATASET_STATUSES[file.status].message
    row_count = ready if file.status == "ready" else file.row_count
    return Stage(file.status, message, file.polls, file.seconds, row_count, file.error)


def read_line(line: bytes) -> Row:
    """A row from a line of a rows file. Raises `BadRequest` that names the place."""
    return read_model(Row, read_json(line, b"application/json"))


def line_mistakes(lines: Sequence[bytes]) -> Iterator[tuple[int, str]]:
    """The mistakes of a rows file, each with the number of its line, from 1 (ROW-1…3)."""
    rows: list[tuple[int, Row]] = []
    if not lines:
        yield 1, "expected a row; the file is empty"
    for number, line in enumerate(lines, 1):
        try:
            rows.append((number, read_line(line)))
        except BadRequest as error:
            yield number, error.message.removeprefix("body: ").replace(" at line 1, column ", " at column ")
    yield from _rows_mistakes(rows)


def _rows_mistakes(rows: Sequence[tuple[int, Row]]) -> Iterator[tuple[int, str]]:
    """What is wrong with rows, one by one and together, by their numbers."""
    for number, row in rows:
        for mistake in row_mistakes(row):
            yield number, mistake
        first = rows[0][1]
        if row.has_thinking and not first.has_thinking:
            yield number, "'thinking' is in this row and not in the first; expected it in the first one too (ROW-3)"
        if (row.metadata.ifd_score is None) != (first.metadata.ifd_score is None):
            yield number, "metadata.ifd_score: expected null in all rows or in none (ROW-3)"


def check_rows(data: dict[str, Any], scenarios: Mapping[str, Scenario | None] | None) -> Iterator[Mistake]:
    """What is wrong with inline rows, and with `generate`: its references, and a choice space that is too small.

    Where the scenarios are not known, a dataset may refer to any.
    """
    yield from _inline(data)
    if scenarios is None:
        return
    for path, name in texts(data, "rows.generate.scenario"):
        if name not in scenarios:
            yield Mistake(path, f"unknown scenario '{name}'", Suggestion(name, scenarios))
        scenario = scenarios.get(name)
        if scenario is not None:
            yield from _operators(data, scenario.file.operators)


def _inline(data: dict[str, Any]) -> Iterator[Mistake]:
    rows: list[tuple[int, Row]] = []
    for path, value in mappings(data, "rows.inline.*"):
        index = path[-1]
        if not isinstance(index, int):  # a mapping in place of the list, which the schema reports
            return
        try:
            rows.append((index, read_model(Row, value)))
        except BadRequest as error:
            yield Mistake(path, error.message)
    for index, mistake in _rows_mistakes(rows):
        yield Mistake(("rows", "inline", index), mistake)


def _operators(data: dict[str, Any], known: dict[str, Operator]) -> Iterator[Mistake]:
    names = texts(data, "rows.generate.operators.*")
    for path, name in names:
        if name not in known:
            yield Mistake(path, f"unknown operator '{name}'", Suggestion(name, known))
        else:
            yield from _wordless(path, name, known[name])
    if not names or any(name not in known for _, name in names):
        return
    given = data["rows"]["generate"].get("temperatures", [1.0])
    temperatures = {number for number in given if isinstance(number, int | float)} if isinstance(given, list) else ()
    size = len(temperatures) * sum(choice_space(known[name]) for name in {name for _, name in names})
    attempts = ATTEMPTS if _may_reject(data) else 1
    for path, count in find(data, "rows.generate.count"):
        if isinstance(count, int) and 0 < size < attempts * count:
            remedies = "more alternatives in the operators' texts, more temperatures, or fewer rows"
            yield Mistake(
                path,
                f"a count of {count} needs {attempts * count:,} choices, and the operators have {size:,}",
                f"expected {remedies}" + (", or no 'keep' that can reject a row" if attempts > 1 else ""),
            )


def _may_reject(data: dict[str, Any]) -> bool:
    """Whether `keep` has a bound that a row may be below; scores are never below 0."""
    bounds = [bound for _, bound in find(data, "rows.generate.keep.*.at_least")]
    return any(isinstance(bound, int | float) and bound > 0 for bound in bounds)


def _wordless(path: tuple[str | int, ...], name: str, operator: Operator) -> Iterator[Mistake]:
    """Turns that might be empty messages of a row, which holds no tool calls (ROW-2)."""
    for number, turn in enumerate(operator.says, 1):
        certain = (part for part in turn.parts if not isinstance(part, Choice))
        if not any(part_texts(part) or isinstance(part, Silence) for part in certain):
            yield Mistake(
                path,
                f"in turn {number} operator '{name}' may say nothing, and rows hold no tool calls",
                "expected a text without a condition in each of its turns",
            )
