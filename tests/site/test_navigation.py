"""The navigation of the site, without building it."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from website import staging
from website.staging import COMMANDS, DOCUMENTS, HERE, site_places

CONFIGURATION = tomllib.loads((HERE / "zensical.toml").read_text(encoding="utf-8"))


def pages_of(entries: list[Any]) -> Iterator[str]:
    """The pages of a part of the navigation, in order."""
    for entry in entries:
        for target in [entry] if isinstance(entry, str) else entry.values():
            if isinstance(target, str):
                yield target
            else:
                yield from pages_of(target)


def test_every_page_is_in_the_navigation_once() -> None:
    """Pages of `docs/`, of examples, of docstrings and of OpenAPI documents; and nothing else is in it."""
    pages = {place for place in site_places().values() if place.endswith(".md")}
    pages |= {path.relative_to(HERE / "pages").as_posix() for path in (HERE / "pages").rglob("*.md")}
    pages |= {COMMANDS, *(f"{place}.md" for place in DOCUMENTS)}
    assert Counter(pages_of(CONFIGURATION["project"]["nav"])) == Counter(pages)


@pytest.mark.parametrize("address", ["", "https://code.example/labs-mock"])
def test_a_page_links_to_the_repository_if_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """By a link, and not by the setting that makes pages ask a code host for numbers."""
    monkeypatch.setattr(staging, "repository", lambda: address)
    project = tomllib.loads(staging.configuration(tmp_path).read_text(encoding="utf-8"))["project"]
    assert [one["link"] for one in project.get("extra", {}).get("social", [])] == [address] * bool(address)
    assert "repo_url" not in project


def test_the_navigation_is_by_role() -> None:
    """After the beginning come the four roles, then reference and background; the front page names the glossary."""
    titles = [title for entry in CONFIGURATION["project"]["nav"] for title in entry]
    assert titles[2:] == ["Train a model", "Test a client", "Write scenarios", "Run CI", "Reference", "Background"]
    assert "](glossary.md)" in (HERE.parent / "docs/index.md").read_text(encoding="utf-8")
