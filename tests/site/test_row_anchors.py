import re

import markdown
import pytest

TABLE = "| name | what |\n|---|---|\n"


def ids(rows: str) -> list[str]:
    """The ids of a table with some rows."""
    html = markdown.markdown(TABLE + rows, extensions=["tables", "attr_list", "website.row_anchors"])
    return re.findall(r' id="([^"]+)"', html)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("`unknown_field`", ["unknown_field"]),
        ("`reset`, `cut`", ["reset", "cut"]),
        ("`GET /_mock/faults`", ["GET-_mock-faults"]),
        ("`--port`", ["port"]),
        ("**reveal trigger**", ["reveal-trigger"]),
        ("seed", ["seed"]),
        ("", []),
        ("a sentence that is much too long to be the name of anything at all", []),
        ("`own` { #Model.own }", ["Model.own"]),
    ],
)
def test_a_row_has_the_name_of_its_first_cell(cell: str, expected: list[str]) -> None:
    """Code, each for itself, or else the whole cell if it is short; an id that is written stays."""
    assert ids(f"| {cell} | `other` |\n") == expected


def test_equal_names_have_different_ids() -> None:
    """The second one gets a number, as headings do."""
    assert ids("| `a` | |\n| `a` | |\n") == ["a", "a_1"]
