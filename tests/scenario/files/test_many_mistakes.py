"""Files with thousands of mistakes: the first are reported, all are counted, and the time that it takes grows with their number."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labs_mock.config.library import load_library
from labs_mock.errors import MAX_IN_FILE, MAX_KEPT, ScenarioError
from labs_mock.scenario.files.loader import parse_scenario
from tests.scenario.bases import DATASET, changed
from tests.scenario.files.test_loader import GOOD, write
from tests.support import CLAIM

ITEM = {"id": "s", "fact": "F", "reveal": "direct_question", "reply": "R", "when": {"says": ["x"]}}
TOOL = {"id": "t", "type": "decision", "name": "T", "mode": "options"}


def claim(where: str, value: Any) -> str:
    """The claim with another value in one place."""
    return json.dumps(changed(CLAIM, where, value))


def unknown_keys(count: int) -> str:
    """As many mistakes of this kind."""
    return json.dumps({**CLAIM, **{f"key{number}": 1 for number in range(count)}}, indent=1)


def keys_in_one_line(count: int) -> str:
    """As many mistakes of this kind."""
    return unknown_keys(count).replace("\n", " ")


def duplicate_keys(count: int) -> str:
    """As many mistakes of this kind."""
    return json.dumps(CLAIM, indent=1)[:-1] + ', "name": "N"' * count + "}"


def empty_entries(count: int) -> str:
    """As many mistakes of this kind."""
    return claim("documents", [None] * count)


def wrong_words(count: int) -> str:
    """As many mistakes of this kind."""
    return claim("persona.fallback", ["Hm."] + [7] * count)


def equal_ids(count: int) -> str:
    """As many mistakes of this kind."""
    return claim("state", [*CLAIM["state"], *[ITEM] * (count + 1)])


def unknown_items(count: int) -> str:
    """As many mistakes of this kind."""
    items = [{**ITEM, "id": f"s{number}", "when": {"discovered": f"u{number}"}} for number in range(count)]
    return claim("state", [*CLAIM["state"], *items])


def unknown_options(count: int) -> str:
    """As many mistakes of this kind."""
    options = [f"option{number}" for number in range(count)]
    outputs = [{"tool": "t", "expected": f"opinion{number}"} for number in range(count)]
    return json.dumps(
        {**CLAIM, "tools": [*CLAIM["tools"], {**TOOL, "options": options}], "criteria": {"outputs": outputs}}
    )


def bad_exemplars(count: int) -> str:
    """As many mistakes of this kind."""
    properties = {f"p{number}": {"type": "string", "maxLength": number} for number in range(count)}
    schema = {"type": "object", "properties": properties, "required": ["p0"]}
    tool = {"id": "t", "type": "artifact", "name": "T", "mode": "json_schema", "json_schema": schema}
    outputs = [{"tool": "t", "exemplar": {"q": 1}}] * count
    return json.dumps({**CLAIM, "tools": [*CLAIM["tools"], tool], "criteria": {"outputs": outputs}})


MANY = [unknown_keys, keys_in_one_line, duplicate_keys, empty_entries, wrong_words, equal_ids, unknown_items,
        unknown_options, bad_exemplars]  # fmt: skip


def found(text: str) -> ScenarioError:
    """What is wrong with a scenario."""
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text)
    return caught.value


@pytest.mark.parametrize("make", MANY)
def test_the_first_mistakes_of_a_file_are_told_and_all_are_counted(make: Callable[[int], str]) -> None:
    """Twenty problems are kept, with as much text as twenty have, and `more` has the number of the others."""
    few, many = found(make(5)), found(make(1_000))
    assert few.more == 0
    assert (len(many.problems), len(many.problems) + many.more) == (MAX_IN_FILE, len(few.problems) + 995)
    assert str(many).endswith(f"\nand {many.more:,} more")
    assert len(str(many)) < 40_000
    assert [(problem.line, problem.column) for problem in many.problems] == sorted(
        (problem.line, problem.column) for problem in many.problems
    )


def steps(work: Callable[[], object]) -> int:
    """How many lines of Python something runs, a measure that a busy machine does not change."""
    count = 0

    def counted(_frame: object, _event: str, _argument: object) -> Any:
        nonlocal count
        count += 1
        return counted

    before = sys.gettrace()
    sys.settrace(counted)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("make", MANY)
def test_the_work_grows_with_the_number_of_mistakes(make: Callable[[int], str]) -> None:
    """Four times as many mistakes take at most some five times as many steps."""
    small, large = make(150), make(600)
    found(small)
    one, four = (steps(lambda text=text: found(text)) for text in (small, large))  # type: ignore[misc]
    assert four < 5 * one + 20_000


def test_thousands_of_files_with_a_mistake_are_counted(tmp_path: Path) -> None:
    """Of many files with one mistake each, two hundred are reported."""
    files = {f"cases/s{number:04}.yaml": "name: N\nnam: N\nname: N\n" for number in range(500)}
    with pytest.raises(ScenarioError) as caught:
        load_library(write(tmp_path, {**GOOD, **files}))
    assert len(caught.value.problems) == MAX_KEPT
    assert len(caught.value.problems) + caught.value.more == 500 * len(found("name: N\nnam: N\nname: N\n").problems)


def test_bad_lines_of_a_rows_file_are_counted(tmp_path: Path) -> None:
    """The first lines are reported with their numbers."""
    files = {
        "datasets/d.yaml": json.dumps({**DATASET, "rows": {"file": "rows.jsonl"}}),
        "datasets/rows.jsonl": "{}\n" * 3_000,
    }
    with pytest.raises(ScenarioError) as caught:
        load_library(write(tmp_path, {**GOOD, **files}))
    assert [problem.line for problem in caught.value.problems] == list(range(1, 21))
    assert caught.value.more == 2_980


@pytest.mark.parametrize(
    "text",
    [
        f"{'x' * 900_000}: 1\n",
        json.dumps({**CLAIM, "name": ["x" * 900_000]}),
        json.dumps(changed(CLAIM, "completed.when", {"discovered": "x" * 900_000})),
        json.dumps({"a" * 70: 1, "\x1b]0;" * 10_000: 1}),
    ],
    ids=["key", "value", "reference", "escapes"],
)
def test_long_names_and_lines_are_cut(text: str) -> None:
    """However long a name or a line is, a problem is some lines of some hundred characters."""
    error = found(text)
    assert max(len(str(problem)) for problem in error.problems) < 3_000


def test_a_long_text_that_aliases_repeat_is_refused() -> None:
    """What aliases stand for is counted by its length, too, so that a small file cannot be a gigabyte."""
    text = f"a: &x {'x' * 500_000}\nb: [{', '.join(['*x'] * 1_000)}]\n"
    (problem,) = found(text).problems
    assert "too many values" in problem.message
