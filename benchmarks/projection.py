"""What 16 workers and one store would carry, computed from the table in README.md: a projection into `docs/scaling.md`."""

import re
from math import floor, log10
from pathlib import Path

from benchmarks.report import BEGIN, END, README

PAGE = README.parents[1] / "docs" / "scaling.md"
WORKERS = 16
EPISODES, TURNS = 512, 10  # of a trainer's step
BOUND = 20_000  # episodes: `Bounds.episodes`
MILLION = 1_000_000


def write_projection(page: Path = PAGE) -> None:
    """Put it into its place in the page."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN.format(name="projection"))
    text = projection(README.read_text(encoding="utf-8"))
    page.write_text(before + begin + text + END + rest.partition(END)[2], encoding="utf-8")


def projection(page: str) -> str:
    """Rates of workers and of a store, from the microseconds that a request needs of each, and what episodes need of the store."""
    figures = dict(re.findall(r"^\| ([^|]+) \| [^|]+ \| ([\d.,]+) \|", page, re.MULTILINE))
    more = max(
        1, _number(figures["`/evaluate` with a store, two workers"])
    )  # what a request costs one of several workers
    columns = [
        (_number(figures[f"{what} with a store, its worker"]), _number(figures[f"{what} with a store, that store"]))
        for what in ("`/evaluate`", "a turn")
    ]
    rows = {
        "microseconds of a worker's processor": [worker for worker, _ in columns],
        "microseconds of the store's processor": [store for _, store in columns],
        "one worker carries, a second": [MILLION / worker for worker, _ in columns],
        f"{WORKERS} workers would carry, a second": [WORKERS * MILLION / worker / more for worker, _ in columns],
        "one store carries, a second": [MILLION / store for _, store in columns],
        "workers that keep one store busy": [worker * more / store for worker, store in columns],
    }
    table = "".join(f"| {name} | {' | '.join(map(rough, values))} |\n" for name, values in rows.items())
    together = [rough(MILLION / max(store, worker * more / WORKERS)) for worker, store in columns]
    episode, turn = _number(figures["an episode of 10 turns in a store"]), columns[1][1]
    return (
        f"| | an evaluation | a turn |\n| --- | --- | --- |\n{table}\n"
        f"So {WORKERS} workers and one store carry {together[0]} evaluations or {together[1]} turns a second. "
        f"{EPISODES} episodes that take {TURNS} turns each need {rough(EPISODES * TURNS * turn / MILLION)} s of the store. "
        f"An episode of {TURNS} turns takes {rough(episode)} bytes of it, and {BOUND:,} of them, the most that there are, "
        f"{rough(BOUND * episode / MILLION)} MB.\n"
    )


def rough(number: float) -> str:
    """A number with two digits that count: a projection has no more."""
    places = 1 - floor(log10(number))
    return f"{round(number, places):,.{max(0, places)}f}"


def _number(text: str) -> float:
    return float(text.replace(",", ""))
