"""The report of a run on a terminal."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from labs_mock.conformance.report import Report
from labs_mock.conformance.verdicts import Outcome, PartVerdict

STYLES: dict[Outcome, str] = {"passed": "green", "failed": "bold red", "differs": "yellow", "skipped": "dim"}
WIDTHS = {"clause": 8, "basis": 10, "outcome": 7, "checked": 7, "reason": None}
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


def print_report(report: Report, console: Console) -> None:
    """A table by clause, then every violation with the requests that show it, causes last, then numbers and the conclusion."""
    _print_table(report, console)
    for verdict in sorted(report.violated, key=lambda verdict: (not verdict.follows, verdict.outcome == "failed")):
        _print_violation(verdict, console)
    for error in report.errors:
        console.print(f"\n[bold red]could not be completed[/] {escape(error)}", soft_wrap=True, highlight=False)
    counts = ", ".join(f"[{STYLES[outcome]}]{report.counts[outcome]} {outcome}[/]" for outcome in STYLES)
    waited = f", {report.waited:.0f} s of them waiting for the rate limit" if report.waited >= 1 else ""
    console.print(
        f"\n{escape(report.url)}: {counts}. {report.requests} requests in {report.seconds:.1f} s{waited}; "
        f"profile {report.profile}, seed {report.seed}.",
        soft_wrap=True,
        highlight=False,
    )
    for why in report.incomplete:
        console.print(f"[yellow]incomplete[/] {escape(why)}", soft_wrap=True, highlight=False)
    console.print(f"[{'green' if report.passed else 'bold red'}]{report.conclusion}", highlight=False)


def _print_table(report: Report, console: Console) -> None:
    """One table a section, with columns of the same width in all of them."""
    console.print(_rows([[f"[bold]{name}" for name in WIDTHS]]))
    for section, verdicts in groupby(report.verdicts, key=lambda verdict: verdict.part.section):
        console.print(f"[bold]{section}", highlight=False)
        console.print(_rows(map(_row, verdicts)))


def _rows(rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, width in WIDTHS.items():
        table.add_column(width=width, justify="right" if name == "checked" else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _row(verdict: PartVerdict) -> list[str]:
    part, violation = verdict.part, verdict.violation
    why = f"expected {violation.expected}; seen: {violation.seen}" if violation else verdict.reason
    outcome = f"[{STYLES[verdict.outcome]}]{verdict.outcome}"
    return [part.clause, part.basis, outcome, str(verdict.checked or ""), escape(_cut(why))]


def _cut(text: str) -> str:
    return text if len(text) <= _WHY else f"{text[:_WHY]}…"


def _print_violation(verdict: PartVerdict, console: Console) -> None:
    """The lines of a violation's story; commands stand at the margin, so that they can be copied."""
    first, *lines = verdict.story.splitlines()
    finding = verdict.finding
    console.print(
        f"\n[bold]{verdict.part.clause}[/] [{STYLES[verdict.outcome]}]{finding}[/]{escape(first.partition(finding)[2])}",
        soft_wrap=True,
        highlight=False,
    )
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False, style="dim" if line.startswith("  ") else "")
