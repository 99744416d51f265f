"""A Markdown extension: each row of a table can be linked to by what its first cell names.

The row that begins with `unknown_field` in code has the anchor `#unknown_field`, and the name links to it; a cell that names several
things in code has one for each. A cell without code is named by its whole text, and a cell with an id of its own keeps that.
The second of two rows with one name is `#unknown_field_1`.
"""

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.extensions import Extension
from markdown.extensions.toc import unique
from markdown.treeprocessors import Treeprocessor

LONGEST = 60  # characters of a text that is a name


class RowAnchors(Treeprocessor):
    """Gives ids to the names in first cells of tables."""

    def run(self, root: Element) -> None:
        """Called with the tree of a page, inline elements too."""
        used = {element.get("id", "") for element in root.iter()}
        for row in root.iter("tr"):
            cell = next(iter(row), None)
            if cell is None or cell.tag != "td" or cell.get("id"):
                continue
            codes = [*cell.iter("code")]
            for name in codes or [cell]:
                slug = anchor("".join(name.itertext()))
                if slug and len(slug) <= LONGEST:
                    name.set("id", unique(slug, used))
                    if name in list(cell):  # in code, and not in a link of its own
                        link = SubElement(name, "a", href=f"#{name.get('id')}")
                        link.text, name.text = name.text, None


def anchor(name: str) -> str:
    """The id of a name: what is neither a letter, a digit, `_`, `.` nor `-` becomes one `-`."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-")


class RowAnchorsExtension(Extension):
    """Registers it, after inline elements are made and headings have their ids."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the library's name
        """Called by Markdown."""
        md.treeprocessors.register(RowAnchors(md), "row_anchors", 1)


def makeExtension(**options: Any) -> RowAnchorsExtension:  # noqa: N802 - the library's name
    """Called by Markdown with the options of the configuration; there are none."""
    return RowAnchorsExtension(**options)
