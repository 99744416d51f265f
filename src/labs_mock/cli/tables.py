"""Tables and lines for a terminal, in which a text from a file is never more than text."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from labs_mock.escapes import printable

WIDTH = 110


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table with a title, whose first column is never broken; what cannot be seen in a cell is shown as an escape."""
    made = Table(title=printable(title))
    for index, column in enumerate(columns):
        made.add_column(column, overflow="fold", no_wrap=not index)
    for row in rows:
        made.add_row(*(printable(str(cell)) for cell in row))
    return made


def as_text(*parts: Table | str) -> str:
    """Tables and paragraphs one below the other, without colours and without spaces at the ends of lines."""
    console = Console(width=WIDTH, force_terminal=False, highlight=False, markup=False, emoji=False)
    with console.capture() as capture:
        for part in parts:
            console.print(printable(part) if isinstance(part, str) else part)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())
