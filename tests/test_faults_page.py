import re

import pytest

from labs_mock.config.fault_entry import BESIDE, KINDS, WHEN, FaultEntry, LogNormal, Uniform
from tests.http.test_faults import BREAKS, NOTHING
from tests.pages import ROOT

PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```$", "", PAGE, flags=re.DOTALL | re.MULTILINE)

FIELDS = [*FaultEntry.model_fields, *Uniform.model_fields, *LogNormal.model_fields]


def quoted(text: str) -> list[str]:
    """The words that stand in backticks."""
    return [word for span in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"\w+", span)]


def rows(heading: str, table: int = 0) -> list[list[str]]:
    """The cells of a table under a heading, without its two head lines."""
    section = PROSE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"(?:^\|.*\|\n)+", section, re.MULTILINE)[table].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def fields(heading: str) -> list[str]:
    """The fields that a table is about."""
    return [name for row in rows(heading) for name in quoted(row[0])]


@pytest.mark.parametrize("field", FIELDS)
def test_the_page_names_every_field(field: str) -> None:
    """Each field of a fault, and of a delay, stands in backticks."""
    assert field in quoted(PROSE)


def test_the_tables_are_the_fields() -> None:
    """Every field but those that stand beside others is in one table, and no table has a word that is no field."""
    assert sorted(fields("When")) == sorted(WHEN)
    assert sorted(fields("What")) == sorted(KINDS)
    assert {*fields("Which requests")} == {*FaultEntry.model_fields} - {"id", *WHEN, *KINDS, *BESIDE}


def test_clients_see_what_the_page_says() -> None:
    """The table of names is that of the faults that are shown to three clients."""
    shown = {}
    for fault, _, failures, sent in BREAKS:
        (kind,) = {*fault} & {*KINDS}
        place = "head" if sent == NOTHING else "body"
        shown[kind, place] = [one if isinstance(one, int) else one.__name__ for one in failures]
    listed = {}
    for faults, *names in rows("What", 1):
        for kind in quoted(faults):
            place = "head" if faults.endswith("head") or kind == "close" else "body"
            listed[kind, place] = [int(name) if name.isdigit() else name.strip("`") for name in names]
    assert listed == shown
