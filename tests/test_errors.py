import inspect
import re
from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labs_mock import errors
from labs_mock.errors import LabsMockError, MethodNotAllowed, Problem, RequestError, ScenarioError

_BRANCH = re.compile(r"^ {4}((?:│   |    )*)(?:[├└]── )?(\w+)(?: +(\S.*))?$")


def _drawn() -> dict[str, tuple[str, str]]:
    """The tree of the docstring: for each class its parent and the note beside it."""
    drawing = (errors.__doc__ or "").split("::\n\n")[1].split("\n\n")[0]
    tree: dict[str, tuple[str, str]] = {}
    path: list[str] = []
    for line in drawing.splitlines():
        match = _BRANCH.match(line)
        assert match, line
        depth = len(match[1]) // 4 + 1 if "── " in line else 0
        path = [*path[:depth], match[2]]
        tree[match[2]] = (path[-2] if depth else "Exception", match[3] or "")
    return tree


def _defined() -> dict[str, type[Exception]]:
    """The exception classes of the module."""
    members = inspect.getmembers(errors, inspect.isclass)
    return {name: cls for name, cls in members if issubclass(cls, Exception)}


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    """Every exception is drawn under its parent, and nothing else is drawn."""
    drawn = {name: parent for name, (parent, _) in _drawn().items()}
    assert drawn == {name: cls.__base__.__name__ for name, cls in _defined().items() if cls.__base__}


def test_statuses_in_the_docstring_are_those_of_the_classes() -> None:
    """Each answer other than 200 stands beside its status (GEN-2, GEN-3)."""
    classes = [cls for cls in _defined().values() if issubclass(cls, RequestError) and cls is not RequestError]
    assert {cls.__name__: str(cls.status) for cls in classes} == {
        name: note for name, (parent, note) in _drawn().items() if parent in {"RequestError", "StoreUnavailable"}
    }
    assert {cls.status for cls in classes} == {400, 401, 403, 404, 405, 413, 429, 431, 500, 503}


def test_a_problem_names_its_place_shows_its_line_and_says_what_was_expected() -> None:
    """File, line and column, the line with a mark under the column, and the expectation."""
    problem = Problem("claims/back.yaml", 12, 9, "unknown tool 'scan'", "did you mean 'mri'?", "  when: {calls: scan}")
    assert str(problem).splitlines() == [
        "claims/back.yaml:12:9: unknown tool 'scan'",
        "     12 |   when: {calls: scan}",
        "        |         ^",
        "        = did you mean 'mri'?",
    ]


@pytest.mark.parametrize("source", ["", "   "])
def test_a_problem_without_a_line_is_one_sentence(source: str) -> None:
    """Where there is no line to show and nothing to expect, only the place and the message are left."""
    assert str(Problem("a.yaml", 1, 1, "no such folder", source=source)) == "a.yaml:1:1: no such folder"


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 99_999))
@example(121, 1, 1)
@example(121, 121, 1)
def test_the_mark_stands_under_the_column(length: int, column: int, line: int) -> None:
    """However long a line is, what is shown of it is short, and the mark points to the right character."""
    source = "".join(chr(33 + place % 90) for place in range(length))
    column = min(column, length)
    head, shown, mark = str(Problem("a.yaml", line, column, "m", "", source)).split("\n")
    assert head == f"a.yaml:{line}:{column}: m"
    place = mark.index("^")
    assert shown[place] == source[column - 1]
    assert shown[shown.index("|") + 2 :] in source
    assert len(shown) <= 130


def test_a_long_line_is_shown_around_its_column() -> None:
    """The window has something on both sides of the column."""
    source = "a" * 500 + "!" + "b" * 500
    _, shown, mark = str(Problem("a.yaml", 1, 501, "m", "", source)).split("\n")
    place = mark.index("^")
    assert shown[place - 20 : place + 21] == "a" * 20 + "!" + "b" * 20


def test_problems_are_sorted_by_file_line_and_column() -> None:
    """All mistakes of all files come in one order, whatever order they were found in."""
    ordered = (
        Problem("a.yaml", 2, 1, "z"),
        Problem("a.yaml", 10, 1, "b"),
        Problem("a.yaml", 10, 3, "a"),
        Problem("a.yaml", 10, 3, "b"),
        Problem("b.yaml", 1, 1, "a"),
    )
    for order in permutations(ordered):
        error = ScenarioError(order)
        assert error.problems == ordered
        assert str(error) == "\n".join(str(problem) for problem in ordered)


def test_request_errors_carry_their_message() -> None:
    """The message is that of the response (ERR-1); that of a wrong method names the right ones (GEN-3)."""
    for cls in RequestError.__subclasses__():
        error = cls("POST")
        assert isinstance(error, LabsMockError)
        assert error.message == str(error)
        assert "POST" in error.message
    assert MethodNotAllowed("GET, POST").allow == "GET, POST"
