"""The changelog has the form of Keep a Changelog."""

import re
import tomllib

from tests.installing import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
TYPES = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
HEADING = re.compile(r"\[(Unreleased|\d+\.\d+\.\d+)\](?: - (\d{4}-\d\d-\d\d))?")


def headings(level: int) -> list[str]:
    """The headings of a level."""
    return re.findall(rf"(?m)^{'#' * level} (.*)$", TEXT)


def test_versions_come_newest_first() -> None:
    """What is unreleased comes first, without a date; then each version with its own, all in the order of their numbers."""
    found = [HEADING.fullmatch(heading) for heading in headings(2)]
    versions = [(match[1], match[2]) for match in found if match]
    assert len(versions) == len(found)
    assert versions[0] == ("Unreleased", None)
    numbers = [tuple(map(int, version.split("."))) for version, _ in versions[1:]]
    assert numbers == sorted(set(numbers), reverse=True)
    assert [version for version, date in versions[1:] if date is None] == []


def test_changes_are_of_the_known_types() -> None:
    """In their order, once in a version."""
    for section in TEXT.split("\n## ")[1:]:
        found = re.findall(r"(?m)^### (.*)$", section)
        assert found == [one for one in TYPES if one in found]


def test_an_entry_is_one_short_line() -> None:
    """It is read in a list of many: at most 200 characters, and whole sentences."""
    entries = re.findall(r"(?m)^- .*$", TEXT)
    assert entries
    assert [entry for entry in entries if len(entry) > 200 or entry[-1] != "."] == []
    beside = [line for line in TEXT.splitlines() if line and not line.startswith(("#", "- ", "["))]
    assert len(beside) <= 2 + len(headings(2))  # what the page says of itself, and one line a version


def test_headings_are_links_once_there_is_a_repository() -> None:
    """Each version's link at the end begins with the one value from which all links follow; without it there is none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    repository = project["tool"]["labs-mock"]["repository"]
    links = dict(re.findall(r"(?m)^\[([^\]]+)\]: (.*)$", TEXT))
    names = [heading.partition("]")[0][1:] for heading in headings(2)]
    assert [*links] == (names if repository else [])
    assert [link for link in links.values() if not link.startswith(f"{repository}/")] == []
