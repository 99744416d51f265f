"""`make profile`: where the time of an evaluation and of a turn goes; with OPTIONS=--functions in more detail.

In the process under cProfile, by module: calls of Python seem about twice as expensive there as they are, so shares say more
than microseconds. And where py-spy is installed, in a server under load, by samples, which distort nothing.
"""

import cProfile
import os
import pstats
import re
import shutil
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

import labs_mock
from benchmarks.load import load
from benchmarks.prepared import Prepared, call, collect_as_served, make_app, prepare
from benchmarks.servers import LABS_MOCK, pin_load, running
from benchmarks.templates import CLAIM, MARK, SHORT, content, evaluations, fresh, numbers, post

WARM, REQUESTS = 2_000, 4_000
TURNS = 10  # of an episode
SHOWN = 30  # rows of a table
SECONDS = 10  # of samples
LIBRARY = re.compile(
    r"\b(?:orjson|jiter|xxhash|re2|pydantic_core|jsonschema_rs)\.[\w.]+"
)  # in the name of what is built in

Function = tuple[str, int, str]  # file, line and name


def main(functions: bool) -> None:
    """Print the tables, of functions or of modules."""
    pin_load()
    console = Console()
    app = make_app()
    collect_as_served()
    for name, requests in (("an evaluation", fresh(evaluations(SHORT))), ("a turn", turns(app))):
        call(app, prepare(requests, WARM))
        measured, profiled = prepare(requests, REQUESTS), prepare(requests, REQUESTS)
        before = time.process_time()
        call(app, measured)
        cost = (time.process_time() - before) / REQUESTS * 1e6
        profiler = cProfile.Profile()
        profiler.runcall(call, app, profiled)
        costs, calls = spent(pstats.Stats(profiler).stats, functions)  # type: ignore[attr-defined]
        title = f"{name}: {cost:.1f} µs of processor; under cProfile, a request"
        show(console, title, {module: used / REQUESTS * 1e6 for module, used in costs.items()}, calls)
    spy = shutil.which("py-spy", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if spy is None:
        console.print("a server under load: not sampled, py-spy is not installed")
    else:
        sample(console, spy, functions)


def turns(app: Any) -> Iterator[bytes]:
    """Turns of new episodes, each with one message; they reach no end."""
    number = numbers()
    while True:
        created = Prepared(post("/episodes", CLAIM | {"config": {"n": next(number)}}))
        call(app, [created])
        episode = orjson.loads(created.body)["episode_id"]
        for turn in range(TURNS):
            text = content(SHORT, turn + next(number) % 49).replace(MARK, str(next(number)))
            messages = [{"role": "assistant", "content": text}]
            yield post(f"/episodes/{episode}/turns", {"id": episode, "messages": messages})


def spent(stats: dict[Function, Any], functions: bool) -> tuple[Counter[str], Counter[str]]:
    """Seconds and calls of each module, or each function, and of library functions; what else is built in belongs to its caller."""
    seconds: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for function, (_, number, own, _, callers) in stats.items():
        name = place_of(function, functions)
        shares = (
            [(name, number, own)]
            if name
            else [(place_of(caller, functions), *share[1:3]) for caller, share in callers.items()]
        )
        for module, count, taken in shares:
            seconds[module or "other"] += taken
            calls[module or "other"] += count
    return seconds, calls


def place_of(function: Function, functions: bool) -> str:
    """The module of a function, perhaps with its name, or the function of a library in another language, or nothing."""
    file, _, name = function
    if file != "~":
        return f"{module_name(file)} {name}" if functions else module_name(file)
    library = LIBRARY.search(name)
    return library.group() if library else ""


def module_name(file: str) -> str:
    """A file as a module: of ours by its path in the package, of others by the last two parts of it."""
    path = Path(file)
    package = Path(labs_mock.__file__).parent
    parts = path.relative_to(package).parts if path.is_relative_to(package) else path.parts[-2:]
    return "/".join(parts).removesuffix(".py")


def show(console: Console, title: str, costs: dict[str, float], calls: Counter[str] | None = None) -> None:
    """Print the most expensive modules."""
    table, total = Table("where", "µs" if calls else "samples", "share", "calls", title=title), sum(costs.values())
    for module, cost in Counter(costs).most_common(SHOWN):
        table.add_row(
            module, f"{cost:,.1f}", f"{cost / total:.1%}", f"{calls[module] / REQUESTS:.1f}" if calls else "-"
        )
    console.print(table)


def sample(console: Console, spy: str, functions: bool) -> None:
    """Print where a server spends its time with 32 connections, by the innermost frame of Python."""
    with TemporaryDirectory() as folder, running(*LABS_MOCK) as server:
        out = Path(folder, "samples")
        under_load = Thread(target=load, args=(server.port, evaluations(SHORT)), kwargs={"seconds": SECONDS + 2})
        under_load.start()
        command = [spy, "record", "--pid", str(server.process), "--format", "raw", "--output", str(out)]
        run = subprocess.run(
            [*command, "--full-filenames", "--rate", "250", "--duration", str(SECONDS)],
            check=False,
            capture_output=True,
        )
        under_load.join()
        if run.returncode:
            console.print("a server under load: not sampled, py-spy may not read another process here")
            return
        samples: Counter[str] = Counter()
        for line in out.read_text(encoding="utf-8").splitlines():
            frames, _, count = line.rpartition(" ")
            name, _, place = frames.rpartition(";")[2].rpartition(" (")
            file = place.rpartition(":")[0]
            samples[place_of((file, 0, name), functions) if file else "other"] += int(count)
    show(console, "an evaluation: a server with 32 connections, by samples", dict(samples))


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m benchmarks.profile", description=main.__doc__)
    parser.add_argument("--functions", action="store_true", help="functions instead of modules")
    main(parser.parse_args().functions)
