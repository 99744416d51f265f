"""The built site as tests see it: the ids and the links of each page."""

from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, normpath
from urllib.parse import unquote, urlsplit

ADDRESSES = ("href", "src", "srcset", "action", "data", "poster")  # attributes


NO_PROSE = ("code", "pre", "script", "style")


class HtmlPage(HTMLParser):
    """The ids of a page, all addresses that it names, the names of its elements, and its text outside code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.elements: set[str] = set()
        self.prose = ""
        self._no_prose = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self._no_prose += tag in NO_PROSE
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            elif name in ADDRESSES:
                self.addresses.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._no_prose -= tag in NO_PROSE

    def handle_data(self, data: str) -> None:
        self.prose += "" if self._no_prose else data


@dataclass(frozen=True)
class BuiltSite:
    """A folder with a site; `pages` are by path, such as `findings/index.html`."""

    folder: Path
    pages: dict[str, HtmlPage] = field(repr=False)

    @classmethod
    def read(cls, folder: Path) -> "BuiltSite":
        """The site in a folder."""
        paths = sorted(folder.rglob("*.html"))
        return cls(folder, {path.relative_to(folder).as_posix(): HtmlPage(path.read_text("utf-8")) for path in paths})

    @cached_property
    def files(self) -> set[str]:
        """The paths of all files."""
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}

    def ids(self, page: str) -> set[str]:
        """The ids of a page, such as `findings`."""
        return set(self.pages[f"{page}/index.html"].ids)

    def links(self, page: str) -> list[str]:
        """The addresses on a page, such as `findings`."""
        return self.pages[f"{page}/index.html"].addresses

    def missing(self, path: str, address: str) -> str:
        """What is wrong with an address on the page at a path: empty if it leads to what there is, or to another host."""
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            return ""
        target = normpath(f"{dirname(path)}/{unquote(parts.path)}").lstrip("/") if parts.path else path
        if parts.path.startswith("/"):
            target = unquote(parts.path).lstrip("/")
        if (self.folder / target).is_dir():
            target = normpath(f"{target}/index.html").lstrip("/")
        if target not in self.files:
            return f"{path}: {address}: no such file"
        anchor = unquote(parts.fragment)
        lost = anchor and target in self.pages and anchor not in self.pages[target].ids
        return f"{path}: {address}: no such anchor" if lost else ""
