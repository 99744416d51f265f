"""What is wrong with the rows of a dataset: those that are written down, and those that are to be generated."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labs_mock.contract.parsing import read_model
from labs_mock.contract.rows import Row, row_mistakes
from labs_mock.errors import BadRequest
from labs_mock.scenario.compiled.choices import choice_space, part_texts
from labs_mock.scenario.compiled.datasets import ATTEMPTS, read_line
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.operator_schema import Choice, Operator, Silence
from labs_mock.scenario.files.paths import Mistake, Steps, Suggestion, find, mappings, texts


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
    """The mistakes of rows, each by itself and all together, with their numbers."""
    for number, row in rows:
        for mistake in row_mistakes(row):
            yield number, mistake
        first = rows[0][1]
        if row.has_thinking and not first.has_thinking:
            yield number, "'thinking' is in this row and not in the first; expected it in the first one too (ROW-3)"
        if (row.metadata.ifd_score is None) != (first.metadata.ifd_score is None):
            yield number, "metadata.ifd_score: expected null in all rows or in none (ROW-3)"


def check_rows(data: dict[str, Any], scenarios: Mapping[str, Scenario | None] | None) -> Iterator[Mistake]:
    """The mistakes of inline rows, and of `generate`: unknown references, and a choice space that is too small.

    Without scenarios, a dataset may refer to any.
    """
    yield from _check_inline(data)
    if scenarios is None:
        return
    for path, name in texts(data, "rows.generate.scenario"):
        if name not in scenarios:
            yield Mistake(path, f"unknown scenario '{name}'", Suggestion(name, scenarios))
        scenario = scenarios.get(name)
        if scenario is not None:
            yield from _check_operators(data, scenario.file.operators)


def _check_inline(data: dict[str, Any]) -> Iterator[Mistake]:
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


def _check_operators(data: dict[str, Any], known: dict[str, Operator]) -> Iterator[Mistake]:
    names = texts(data, "rows.generate.operators.*")
    for path, name in names:
        if name not in known:
            yield Mistake(path, f"unknown operator '{name}'", Suggestion(name, known))
        else:
            yield from _check_texts(path, name, known[name])
    if not names or any(name not in known for _, name in names):
        return
    size = _count_temperatures(data["rows"]["generate"].get("temperatures", [1.0])) * sum(
        choice_space(known[name]) for name in {name for _, name in names}
    )
    attempts = ATTEMPTS if _may_reject(data) else 1
    for path, count in find(data, "rows.generate.count"):
        if isinstance(count, int) and 0 < size < attempts * count:
            remedies = "more alternatives in the operators' texts, more temperatures, or fewer rows"
            yield Mistake(
                path,
                f"a count of {count} needs {attempts * count:,} choices, and the operators have {size:,}",
                f"expected {remedies}" + (", or no 'keep' that can reject a row" if attempts > 1 else ""),
            )


def _count_temperatures(values: Any) -> int:
    """How many different numbers there are; 0 for what is not a list."""
    return len({value for value in values if isinstance(value, int | float)}) if isinstance(values, list) else 0


def _may_reject(data: dict[str, Any]) -> bool:
    """Whether `keep` has a bound that a row may be below; scores are never below 0."""
    bounds = [bound for _, bound in find(data, "rows.generate.keep.*.at_least")]
    return any(isinstance(bound, int | float) and bound > 0 for bound in bounds)


def _check_texts(path: Steps, name: str, operator: Operator) -> Iterator[Mistake]:
    """Turns of an operator that might be empty messages of a row, since rows have no tool calls (ROW-2)."""
    for number, turn in enumerate(operator.says, 1):
        certain = (part for part in turn.parts if not isinstance(part, Choice))
        if not any(part_texts(part) or isinstance(part, Silence) for part in certain):
            yield Mistake(
                path,
                f"in turn {number} operator '{name}' may say nothing, and rows hold no tool calls",
                "expected a text without a condition in each of its turns",
            )
