"""The report of a run on a terminal."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from labs_mock.conformance.reports.document import DIFFERS, Document, Entry
from labs_mock.conformance.verdicts import Outcome

STYLES: dict[Outcome, str] = {"passed": "green", "failed": "bold red", "differs": "yellow", "skipped": "dim"}
WIDTHS = {"clause": 8, "basis": 10, "outcome": 7, "judged": 6, "reason": None}
_WHY = 100  # characters of a reason in the table


def print_report(told: Document, console: Console) -> None:
    """A table by clause, then every violation with the requests that show it, failures last, then one line of numbers."""
    _print_table(told, console)
    for outcome in ("differs", "failed"):
        for entry in told.clauses:
            if entry.outcome == outcome:
                _print_violation(entry, console)
    for error in told.errors:
        console.print(f"\n[bold red]could not be completed[/] {escape(error)}", soft_wrap=True, highlight=False)
    said = ", ".join(f"[{STYLES[outcome]}]{told.counts[outcome]} {outcome}[/]" for outcome in STYLES)
    waited = f", {told.waited:.0f} s of them waiting for the rate limit" if told.waited >= 1 else ""
    console.print(
        f"\n{escape(told.url)}: {said}. {told.requests} requests in {told.seconds:.1f} s{waited}; "
        f"profile {told.profile}, seed {told.seed}.",
        soft_wrap=True,
        highlight=False,
    )


def _print_table(told: Document, console: Console) -> None:
    """One table a section, with columns of the same width in all of them."""
    console.print(_rows([[f"[bold]{name}" for name in WIDTHS]]))
    for section, entries in groupby(told.clauses, key=lambda entry: entry.section):
        console.print(f"[bold]{section}", highlight=False)
        console.print(_rows(map(_row, entries)))


def _rows(rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, width in WIDTHS.items():
        table.add_column(width=width, justify="right" if name == "judged" else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _row(entry: Entry) -> list[str]:
    why = entry.reason or (f"expected {entry.expected}; seen: {entry.seen}" if entry.violated else "")
    outcome = f"[{STYLES[entry.outcome]}]{entry.outcome}"
    return [entry.clause, entry.basis, outcome, str(entry.judged or ""), escape(_cut(why))]


def _cut(text: str) -> str:
    return text if len(text) <= _WHY else f"{text[:_WHY]}…"


def _print_violation(entry: Entry, console: Console) -> None:
    """The lines of a violation's story; commands stand at the margin, so that they can be copied."""
    first, *lines = entry.story.splitlines()
    said = DIFFERS if entry.outcome == "differs" else entry.outcome
    console.print(
        f"\n[bold]{entry.clause}[/] [{STYLES[entry.outcome]}]{said}[/]{escape(first.partition(said)[2])}",
        soft_wrap=True,
        highlight=False,
    )
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False, style="dim" if line.startswith("  ") else "")
