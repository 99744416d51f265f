import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labs_mock.pytest_plugin.options import EFFECTS, OPTIONS, PluginOption
from labs_mock.testing import LabsMock
from tests.pages import ROOT, blocks

PAGE = ROOT / "docs" / "pytest.md"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its two head lines."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = re.search(r"(?:^\|.*\|\n)+", section, re.MULTILINE)
    assert table, heading
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[0].splitlines()[2:]]


def fixtures() -> dict[str, str]:
    """The scope of every fixture that the plugin offers, by its name, as `pytest --fixtures` lists them."""
    command = [sys.executable, "-m", "pytest", "--fixtures", "--quiet", "--rootdir", str(ROOT), str(Path(__file__))]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=60).stdout
    found = re.findall(r"^(labs_mock\w*)(?: \[(\w+) scope\])? -- ", listed, re.MULTILINE)
    return {name: scope or "test" for name, scope in found}


def test_the_page_has_every_fixture() -> None:
    """The table of fixtures is that of the plugin, each with its scope."""
    assert {row[0].strip("`"): row[1] for row in rows("Fixtures")} == fixtures()


def test_the_page_has_every_option() -> None:
    """The table of the marker's names is `OPTIONS`, in its order."""
    assert [row[0].strip("`") for row in rows("Marker and options")] == [option.name for option in OPTIONS]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_the_page_has_every_default(option: PluginOption) -> None:
    """A default that an option's help tells is the one in its row."""
    (default,) = [row[1] for row in rows("Marker and options") if row[0] == f"`{option.name}`"]
    match = re.search(r"default: (\w+)|(\w+) \(default\)|without it, (.+)$", option.help)
    assert default == (next(filter(None, match.groups())) if match else "none")


def test_every_test_of_the_page_is_run() -> None:
    """Each file of tests, or its folder, is an argument of a command of the page that runs tests."""
    commands = "\n".join(block.text for block in blocks(PAGE) if block.language == "sh").replace("\\\n", "")
    run = " ".join(re.findall(r"^(?:pytest|python3 -m unittest) .*$", commands, re.MULTILINE)).split()
    names = [block.argument for block in blocks(PAGE) if "test_" in block.argument]
    assert len(names) > 10
    for name in names:
        assert {name, name.removesuffix(".py"), name.partition("/")[0]} & {*run}, name


def test_the_page_tells_of_every_finding_mode() -> None:
    """What `findings` can be stands in its row."""
    (row,) = [row for row in rows("Marker and options") if row[0] == "`findings`"]
    assert tuple(re.findall(r"`(\w+)`", row[2])) == EFFECTS


def test_the_page_names_what_assertions_there_are() -> None:
    """Every assertion of `LabsMock` stands in the table of assertions."""
    offered = {name for name, _ in inspect.getmembers(LabsMock, inspect.isfunction) if name.startswith("assert_")}
    named = {name for row in rows("Assertions") for name in re.findall(r"labs_mock\.(\w+)", row[0])}
    assert offered | {"requests", "find_requests", "findings", "rewards_served"} == named
