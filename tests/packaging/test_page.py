"""The package's page is the README with absolute links, or without links, as a parser of Markdown and HTML sees it."""

import re
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest
from hatch_build import Links, project_urls, with_links, without_links
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.installing import ROOT

REPOSITORY = "https://git.example/owner/labs-mock"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SAMPLES = (
    "See [the page](docs/page.md), [a part](docs/page.md#part) and [here](#here).",
    "[other](https://elsewhere.example/a.md) <https://elsewhere.example> [mail](mailto:me@elsewhere.example)",
    '[with a title](docs/page.md "the title") and [in brackets](<docs/page.md>)',
    "[`code` in a link](./docs/../docs/page.md) and **[bold](LICENSE)**",
    "[twice](docs/a_(b).md) [folder](examples/) [root](/LICENSE)",
    "![a picture](docs/pictures/one.png) and ![other](https://elsewhere.example/one.svg)",
    "[![a picture](docs/pictures/one.PNG)](docs/page.md) [![badge](https://elsewhere.example/b.svg)](docs/page.md)",
    "[a reference][page], [Page][], [page] and [other]\n\n[page]: docs/page.md\n[other]: https://elsewhere.example",
    '![a picture][shot] and [`code`][long  Label]\n\n[shot]: docs/one.png "title"\n[Long label]: <docs/page.md#part>',
    '<picture>\n<source media="(x)" srcset="docs/dark.png, docs/dark2.png 2x">\n<img src="docs/light.png" alt="a">\n</picture>',
    '<picture><img src="https://elsewhere.example/a.png"></picture> <img alt="b" src="docs/b.webp" width="3">',
    'A <a href="docs/page.md">link</a>, <a class="x" href="https://elsewhere.example">another</a>.',
    "`[code](docs/page.md)` and ``a ` [code](docs/page.md)``",
    "```python\nrows[0](docs/page.md)\n[page]: docs/page.md\n```",
    "~~~\n![code](docs/one.png)\n~~~",
    "<!-- [a comment](docs/page.md) -->\n\ntext",
    "- [ ] a box, [brackets], f[0] and \\[escaped]",
    "| a | b |\n|---|---|\n| [cell](docs/page.md) | ![](docs/one.gif) |",
)
PARSER = MarkdownIt("commonmark").enable("table")
Event = tuple[str, ...]


class Events(HTMLParser):
    """Tags with their attributes, and texts between them, in the order of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.feed(PARSER.render(text))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.events.append((tag, *(f"{name}={value}" for name, value in attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.events.append((f"/{tag}",))

    def handle_data(self, data: str) -> None:
        self.events.append(("", data))


def address(target: str) -> str:
    """Where a target leads to from the package's page."""
    if ":" in target or target.startswith("//"):
        return target
    path, _, part = target.partition("#")
    path = str(Path(path)).replace("docs/../", "").lstrip("/") if path else "README.md"
    form = "raw" if re.search(r"\.(gif|jpe?g|png|svg|webp)$", path, re.IGNORECASE) else "blob"
    return f"{REPOSITORY}/{form}/v1.2.3/{path}{'#' * bool(part)}{part}"


def relative(event: Event) -> bool:
    """Whether an element is a link or a picture of this repository."""
    return any(
        name in ("href", "src", "srcset") and address(value) != value
        for name, _, value in (attribute.partition("=") for attribute in event[1:])
    )


def absolute(events: list[Event]) -> list[Event]:
    """The same elements, each target by its address."""

    def changed(attribute: str) -> str:
        name, _, value = attribute.partition("=")
        if name == "srcset":
            sources = [source.split(" ") for source in value.split(", ")]
            value = ", ".join(" ".join([address(source[0]), *source[1:]]) for source in sources)
        return f"{name}={address(value) if name in ('href', 'src') else value}"

    return [event if event[0] == "" else (event[0], *map(changed, event[1:])) for event in events]


def bare(events: list[Event]) -> Iterator[Event]:
    """The same page without links and pictures of this repository."""
    links: list[bool] = []
    picture: list[Event] = []
    for event in events:
        if event[0] == "picture" or picture:
            picture.append(event)
            if event[0] == "/picture":
                yield from [] if any(map(relative, picture)) else picture
                picture = []
        elif event[0] == "a":
            links.append(relative(event))
            yield from [] if links[-1] else [event]
        elif event[0] == "/a":
            yield from [] if links.pop() else [event]
        elif event[0] != "img" or not relative(event):
            yield event


def plain(events: Iterable[Event]) -> list[Event]:
    """The same page with texts joined, white space aside, and without the paragraphs that nothing is left of."""
    result: list[Event] = []
    for is_text, group in groupby(events, key=lambda event: event[0] == ""):
        if not is_text:
            result += group
        elif text := " ".join("".join(event[1] for event in group).split()):
            result.append(("", text))
    empty = {
        place + offset for place, pair in enumerate(pairwise(result)) if pair == (("p",), ("/p",)) for offset in (0, 1)
    }
    return [event for place, event in enumerate(result) if place not in empty]


def check(text: str) -> None:
    """Compare both pages with what a parser says of the text."""
    page = Events(text).events
    assert Events(with_links(text, REPOSITORY, "1.2.3")).events == absolute(page)
    assert plain(Events(without_links(text)).events) == plain(bare(page))


@pytest.mark.parametrize("text", SAMPLES)
def test_each_form_of_a_link(text: str) -> None:
    """Relative links become absolute, or their text alone; code, comments and other addresses stay as they are."""
    check(text)


@given(st.lists(st.sampled_from(SAMPLES), min_size=2, max_size=5, unique=True))
def test_forms_of_links_together(samples: list[str]) -> None:
    """What stands on one page does not disturb each other."""
    check("\n\n".join(samples))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_of_this_repository(page: Path) -> None:
    """The README, whatever it will have, and all other pages."""
    check(page.read_text(encoding="utf-8"))


def metadata(folder: Path, repository: str, change: Callable[[str], str] = lambda text: text) -> dict[str, Any]:
    """What the hook makes of this project, with a value of `repository`."""
    text = re.sub(r'(?m)^repository = ".*?"', f'repository = "{repository}"', (ROOT / "pyproject.toml").read_text())
    (folder / "pyproject.toml").write_text(text)
    (folder / "README.md").write_text(change((ROOT / "README.md").read_text()))
    made: dict[str, Any] = {"version": "1.2.3"}
    Links(str(folder), {}).update(made)
    return made


def test_one_value_makes_all_links(tmp_path: Path) -> None:
    """The page and the project's links come from `repository`, and name this version."""
    made = metadata(tmp_path, REPOSITORY)
    assert made["readme"]["text"] == with_links((ROOT / "README.md").read_text(), REPOSITORY, "1.2.3")
    assert made["urls"] == {
        "Homepage": REPOSITORY,
        "Documentation": f"{REPOSITORY}/blob/v1.2.3/docs/index.md",
        "Changelog": f"{REPOSITORY}/blob/v1.2.3/CHANGELOG.md",
        "Issues": f"{REPOSITORY}/issues",
    }


def test_without_it_there_are_none(tmp_path: Path) -> None:
    """While `repository` is empty, the page has no relative link, and the project none."""
    made = metadata(tmp_path, "")
    assert made["readme"]["text"] == without_links((ROOT / "README.md").read_text())
    assert made["urls"] == {}


def test_the_links_of_the_project_lead_to_files() -> None:
    """Each one that names a file of the repository names one that is there."""
    start = f"{REPOSITORY}/blob/v1.2.3/"
    files = [url.removeprefix(start) for url in project_urls(REPOSITORY, "1.2.3").values() if url.startswith(start)]
    assert len(files) == 2
    assert [file for file in files if not (ROOT / file).is_file()] == []


@pytest.mark.parametrize(
    "value", ["labs-mock", "http://git.example/labs-mock", "https://git.example/labs-mock/", "https://x"]
)
def test_another_value_is_refused(tmp_path: Path, value: str) -> None:
    """The message names the file and says what to write."""
    with pytest.raises(ValueError, match=r"^pyproject.toml: \[tool.labs-mock\] repository is '.*'; write an address"):
        metadata(tmp_path, value)
