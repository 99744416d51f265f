"""The report of a run on a terminal."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from labs_mock.conformance.reports.document import Entry, ReportDocument
from labs_mock.conformance.verdicts import Outcome

STYLES: dict[Outcome, str] = {"passed": "green", "failed": "bold red", "differs": "yellow", "skipped": "dim"}
WIDTHS = {"clause": 8, "basis": 10, "outcome": 7, "judged": 6, "reason": None}
_WHY = 100  # characters of a reason in the table


@contextmanager
def progress(console: Console) -> Iterator[Callable[[int, int, str], None]]:
    """A bar while a run lasts, which is gone after it; nothing where the console is no terminal."""
    columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def watch(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=name)

        yield watch


def print_report(told: ReportDocument, console: Console) -> None:
    """A table by clause, then every violation with the requests that show it, causes last, then numbers and the conclusion."""
    _print_table(told, console)
    for entry in sorted(told.clauses, key=lambda entry: (not entry.follows, entry.outcome == "failed")):
        if entry.violated:
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
    for why in told.incomplete:
        console.print(f"[yellow]incomplete[/] {escape(why)}", soft_wrap=True, highlight=False)
    console.print(f"[{'green' if told.passed else 'bold red'}]{told.conclusion}", highlight=False)


def _print_table(told: ReportDocument, console: Console) -> None:
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
    console.print(
        f"\n[bold]{entry.clause}[/] [{STYLES[entry.outcome]}]{entry.finding}[/]{escape(first.partition(entry.finding)[2])}",
        soft_wrap=True,
        highlight=False,
    )
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False, style="dim" if line.startswith("  ") else "")
