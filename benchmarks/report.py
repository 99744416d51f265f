"""Results as a table on the terminal, as JSON, and as the table in README.md."""

import platform
import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.figures import Figure, NotMeasured, short
from benchmarks.load import WRK
from benchmarks.rows import Row

HEADINGS = ("what", "how", "figure", "target", "met", "detail")
LIBRARIES = ("uvicorn", "uvloop", "httptools", "starlette", "pydantic", "orjson", "google-re2")
README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results: {name} -->\n", "<!-- end of results -->\n"

Result = dict[str, Any]


def measure(rows: Iterable[Row], console: Console) -> list[Result]:
    """The rows with their figures. A benchmark with several of them runs once; each is named before it runs."""

    @cache
    def run(benchmark: Any) -> Any:
        console.print(f"measuring {benchmark.__name__} …", style="dim")
        try:
            return benchmark()
        except NotMeasured as missing:
            return str(missing)

    return [_result(row, run(row.benchmark)) for row in rows]


def _result(row: Row, measured: Any) -> Result:
    figure = Figure(None, measured) if isinstance(measured, str) else getattr(measured, row.field)
    met = None if figure.value is None or row.target is None else row.target.is_met(figure.value)
    return {
        "what": row.what,
        "how": row.how,
        "figure": figure.value,
        "target": str(row.target or "-"),
        "met": met,
        "detail": figure.detail,
    }


def show(results: Sequence[Result], console: Console) -> None:
    """Print a table."""
    table = Table(*HEADINGS)
    for result in results:
        table.add_row(*map(escape, _cells(result)))
    console.print(table)


def write(name: str, results: Sequence[Result], path: Path) -> None:
    """Write a table's results with date, machine and versions as JSON, beside those of other tables."""
    tables = orjson.loads(path.read_bytes()) if path.exists() else {}
    tables[name] = {"date": str(date.today()), "machine": _machine(), "results": results}  # noqa: DTZ011 - the reader's day
    path.write_bytes(orjson.dumps(tables, option=orjson.OPT_INDENT_2) + b"\n")


def write_readme(path: Path) -> None:
    """Put results that were written as JSON into the places in README.md that have the names of their tables."""
    text = README.read_text(encoding="utf-8")
    for name, table in orjson.loads(path.read_bytes()).items():
        before, begin, rest = text.partition(BEGIN.format(name=name))
        if begin:
            text = before + begin + _markdown(table) + END + rest.partition(END)[2]
    README.write_text(text, encoding="utf-8")


def _markdown(table: dict[str, Any]) -> str:
    lines = [HEADINGS, ["---"] * len(HEADINGS), *map(_cells, table["results"])]
    machine = "; ".join(f"{name} {value}" for name, value in table["machine"].items())
    return f"{table['date']}; {machine}.\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(result: Result) -> list[str]:
    figure = "not measured" if result["figure"] is None else short(result["figure"])
    met = {True: "yes", False: "no", None: "-"}[result["met"]]
    return [result["what"], result["how"], figure, result["target"], met, result["detail"]]


def _machine() -> dict[str, str]:
    """What the figures depend on, without a name of the machine."""
    return {
        "cores": str(len(_processors()) or "unknown"),
        "processor": next(iter(_processors()), platform.machine()),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "Python": platform.python_version(),
        "load": "wrk" if WRK else "bundled client",
        **{library: version(library) for library in LIBRARIES},
    }


def _processors() -> list[str]:
    path = Path("/proc/cpuinfo")
    return re.findall(r"model name\s*: (.*)", path.read_text()) if path.exists() else []
