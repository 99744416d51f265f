"""`make bench BASE=<commit>`: this tree against another commit of it, in alternating rounds of one run.

The other commit gets a checkout and an environment of its own in a temporary folder. What is compared is the time that the
servers' first threads had a processor, where the system tells (Linux), else the time on the clock.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median

import orjson

from benchmarks.client import CHANGING, FILLER
from benchmarks.export import DATASET, library
from benchmarks.pipeline import post, send, send_all
from benchmarks.servers import running, seconds_used

ROOT = Path(__file__).parents[1]
ROUNDS = 9
GOAL = 1.05
EVALUATIONS = 1_500  # a round
EPISODES, TURNS = 100, 10  # a round
ROWS = 2_000  # of a dataset; each round exports one that was not exported before

SCENARIO = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
_numbers = count()


def text() -> str:
    """1.5 KB that no server has seen before, with sentences that change."""
    number = next(_numbers)
    return f"{number} {CHANGING[number % 7]}{CHANGING[number // 7 % 7]}{FILLER}"


def evaluations() -> list[bytes]:
    """Evaluations of six messages."""
    return [
        post(
            "/evaluate",
            {
                **SCENARIO,
                "messages": [{"role": ("user", "assistant")[index % 2], "content": text()} for index in range(6)],
            },
        )
        for _ in range(EVALUATIONS)
    ]


def turns(port: int) -> list[list[bytes]]:
    """For each of the new episodes its turns, each with one message; they reach no end before the last."""
    created = send_all(
        port, [[post("/episodes", {**SCENARIO, "config": {"n": next(_numbers)}})] for _ in range(EPISODES)]
    )
    episodes = [orjson.loads(responses[0])["episode_id"] for responses in created]
    return [
        [
            post(f"/episodes/{episode}/turns", {"id": episode, "messages": [{"role": "assistant", "content": text()}]})
            for _ in range(TURNS)
        ]
        for episode in episodes
    ]


def measure(port: int, process: int, number: int, requests: list[bytes]) -> dict[str, float]:
    """Microseconds an evaluation, a turn and an exported row cost a server in one round."""
    costs = {}
    before = seconds_used(process)
    send_all(port, [requests[start::8] for start in range(8)])
    costs["evaluation"] = (seconds_used(process) - before) / len(requests)
    conversations = turns(port)
    before = seconds_used(process)
    send_all(port, conversations)
    costs["turn"] = (seconds_used(process) - before) / (EPISODES * TURNS)
    before = seconds_used(process)
    path = f"/api/v1/training-datasets/{DATASET.format(number)}/export"
    send(port, f"GET {path} HTTP/1.0\r\nAuthorization: Bearer lab_local\r\n\r\n".encode())
    costs["exported row"] = (seconds_used(process) - before) / ROWS
    return {name: cost * 1e6 for name, cost in costs.items()}


@contextmanager
def checkout(commit: str) -> Iterator[str]:
    """A commit in a temporary folder with an environment of its own; the path of its Python."""
    with tempfile.TemporaryDirectory() as name:
        tree, environment = Path(name, "tree"), Path(name, "environment")
        subprocess.run(["git", "-C", ROOT, "worktree", "add", "--quiet", "--detach", tree, commit], check=True)
        try:
            python = str(environment / "bin" / "python")
            uv = [sys.executable, "-m", "uv", "--quiet"]
            subprocess.run([*uv, "venv", "--python", sys.executable, environment], check=True)
            constraints = ["--constraint", str(ROOT / "constraints.txt")]
            subprocess.run([*uv, "pip", "install", "--python", python, *constraints, tree], check=True)
            yield python
        finally:
            subprocess.run(["git", "-C", ROOT, "worktree", "remove", "--force", tree], check=True)


def main(commit: str) -> None:
    """Print for each kind of request the ratio of the medians, and the smallest and largest ratio of a round."""
    rounds: list[tuple[dict[str, float], dict[str, float]]] = []
    with checkout(commit) as python, tempfile.TemporaryDirectory() as folder:
        library(Path(folder), numbers=range(ROUNDS + 1), rows=ROWS)
        base, this = ((one, "-m", "labs_mock", "serve", folder) for one in (python, sys.executable))
        with running(base, 18_773) as first, running(this, 18_774) as second:
            for number in range(ROUNDS + 1):
                requests = evaluations()
                costs = [
                    measure(port, one.process, number, requests) for port, one in ((18_773, first), (18_774, second))
                ]
                rounds.append((costs[0], costs[1]))
    warm = rounds[1:]  # the first one is for both to get warm
    for name in warm[0][0]:
        before, after = ([pair[index][name] for pair in warm] for index in (0, 1))
        ratios = sorted(new / old for old, new in zip(before, after, strict=True))
        print(
            f"{name:13} {median(after):>8.1f} µs against {median(before):.1f} at {commit}: {median(after) / median(before):.2f} times "
            f"(rounds {ratios[0]:.2f} to {ratios[-1]:.2f}; goal {GOAL} or less)"
        )


if __name__ == "__main__":
    main(sys.argv[1])
