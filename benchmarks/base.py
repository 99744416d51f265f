"""The tree against another commit of it, in alternating rounds of one run; BASE in the environment names the commit.

The other commit gets a checkout and an environment of its own in a temporary folder. What is compared is processor time, of
servers that of their first threads.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from benchmarks.client import Client
from benchmarks.exports import export
from benchmarks.figures import Figure, NotMeasured, ratio
from benchmarks.library import library
from benchmarks.played import new_turns
from benchmarks.servers import PIN, SERVE, Server, running
from benchmarks.templates import LONG, evaluations, fresh

ROOT = Path(__file__).parents[1]
ROUNDS = 7
EVALUATIONS = 1_500  # a round
EPISODES, TURNS = 100, 10  # a round
ROWS = 2_000  # of a dataset; each round exports one that was not exported before


class InProcess(NamedTuple):
    """What an evaluation costs the application."""

    cost: Figure


def in_process() -> InProcess:
    """Measure in alternating rounds, in processes of their own on the same core."""
    with checkout(os.environ.get("BASE", "")) as python:
        return InProcess(_in_process(python))


class Against(NamedTuple):
    """What requests cost servers of both commits, and what an evaluation costs the application alone."""

    evaluation: Figure
    turn: Figure
    row: Figure
    in_process: Figure


def against() -> Against:
    """Measure in alternating rounds."""
    series: tuple[list[Costs], list[Costs]] = ([], [])
    datasets = dict.fromkeys(range(ROUNDS + 1), ROWS)
    with checkout(os.environ.get("BASE", "")) as python, library(datasets) as folder:
        cost = _in_process(python)
        with running(sys.executable, *SERVE, folder) as this, running(python, *SERVE, folder) as base:
            for number in range(ROUNDS + 1):
                for server, costs in zip((this, base), series, strict=True):
                    costs.append(_costs(server, number))
    warm = [zip(*costs[1:], strict=True) for costs in series]  # the first rounds are for both to get warm
    evaluation, turn, row = (ratio(ours, theirs, "µs") for ours, theirs in zip(*warm, strict=True))
    return Against(evaluation, turn, row, cost)


class Costs(NamedTuple):
    """Microseconds that an evaluation, a turn and an exported row cost a server in one round."""

    evaluation: float
    turn: float
    row: float


def _costs(server: Server, number: int) -> Costs:
    with Client(server.port) as client:
        requests = list(islice(fresh(evaluations(LONG)), EVALUATIONS))
        before = server.used()
        client.send(requests)
        evaluated = server.used()
        conversations = new_turns(client, LONG, EPISODES, TURNS)
        played = server.used()
        for turn in conversations:
            client.send(turn)
        taken = server.used()
        export(server.port, number)
        exported = server.used()
    return Costs(
        (evaluated - before) / EVALUATIONS * 1e6,
        (taken - played) / EPISODES / TURNS * 1e6,
        (exported - taken) / ROWS * 1e6,
    )


def _in_process(python: str) -> Figure:
    """What an evaluation costs the application of this tree, against that of another one's environment."""
    ours: list[float] = []
    base: list[float] = []
    for _ in range(ROUNDS):
        for command, costs in ((python, base), (sys.executable, ours)):
            run = [*PIN, command, "-m", "benchmarks.prepared"]
            output = subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True).stdout
            costs.append(float(output))
    return ratio(ours, base, "µs")


@contextmanager
def checkout(commit: str) -> Iterator[str]:
    """A commit in a temporary folder with an environment of its own; the path of its Python.

    Raises `NotMeasured` if the clone has no such commit.
    """
    found = subprocess.run(
        ["git", "-C", ROOT, "cat-file", "-e", f"{commit}^{{commit}}"], check=False, capture_output=True
    )
    if found.returncode:
        raise NotMeasured(
            f"this clone has no commit {commit}" if commit else "no BASE in the environment, as make sets it"
        )
    with tempfile.TemporaryDirectory() as name:
        tree, environment = Path(name, "tree"), Path(name, "environment")
        subprocess.run(["git", "-C", ROOT, "worktree", "add", "--quiet", "--detach", tree, commit], check=True)
        try:
            yield _environment(commit, tree, environment)
        finally:
            subprocess.run(["git", "-C", ROOT, "worktree", "remove", "--force", tree], check=True)


def _environment(commit: str, tree: Path, environment: Path) -> str:
    """An environment with the package of a tree and with our versions of what it needs; the path of its Python."""
    python = str(environment / "bin" / "python")
    uv = [sys.executable, "-m", "uv", "--quiet"]
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    try:
        subprocess.run([*uv, "venv", "--python", sys.executable, environment], check=True)
        subprocess.run([*uv, "pip", "install", "--python", python, *constraints, tree], check=True)
    except subprocess.CalledProcessError as failed:
        raise NotMeasured(f"{commit} could not be installed") from failed
    return python
