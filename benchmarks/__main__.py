"""`python -m benchmarks`: measure the rows of a table, print it, and write it as JSON."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from rich.console import Console

from benchmarks.projection import write_projection
from benchmarks.report import measure, show, write, write_readme
from benchmarks.rows import TABLES
from benchmarks.servers import pin_load

WIDTH = 180  # of a table that is not printed on a terminal
LAST = Path(__file__).with_name("last.json")


def main() -> None:
    """Parse the arguments and do what they say."""
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("table", nargs="?", choices=TABLES, default="bench")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these benchmarks; nothing is written")
    parser.add_argument("--json", type=Path, default=LAST, metavar="PATH", help="where results are kept")
    parser.add_argument("--readme", action="store_true", help="measure nothing, but put what is kept into README.md")
    options = parser.parse_args()
    if options.readme:
        write_readme(options.json)
        write_projection()
        return
    rows = TABLES[options.table]
    names = list(dict.fromkeys(row.benchmark.__name__ for row in rows))
    if unknown := set(options.only or ()) - set(names):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    pin_load()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    results = measure([row for row in rows if row.benchmark.__name__ in (options.only or names)], console)
    show(results, console)
    if not options.only:
        write(options.table, results, options.json)
        console.print(f"written to {options.json}")


if __name__ == "__main__":
    main()
