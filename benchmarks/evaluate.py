"""`/evaluate` with six messages of 1.5 KB never seen before, against the ceiling, in interleaved rounds."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.servers import CEILING, LABS_MOCK, running

ROUNDS = 5
SECONDS = 4
GOAL = 0.45


def throughput(port: int, mark: str) -> float:
    """Requests a second under 32 connections. Exits if anything but 200 came back."""
    if shutil.which("wrk") is None:
        command = [sys.executable, "-m", "benchmarks.client", str(port), mark, str(SECONDS)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    script = Path(__file__).with_name("load.lua")
    command = ["wrk", "-t1", "-c32", f"-d{SECONDS}", "-s", str(script), f"http://127.0.0.1:{port}"]
    output = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | {"ROUND": mark}
    ).stdout
    _, rate, bad = output[output.index("RESULT") :].split()[:3]
    if int(bad):
        raise SystemExit(f"{bad} requests failed:\n{output}")
    return float(rate)


def main() -> None:
    """Print the ratio of the medians."""
    ours, ceiling = [], []
    with running(LABS_MOCK, 18_765), running(CEILING, 18_766):
        throughput(18_765, "warm")
        for number in range(ROUNDS):
            ceiling.append(throughput(18_766, str(number)))
            ours.append(throughput(18_765, str(number)))
    ratio = median(ours) / median(ceiling)
    rounds = ", ".join(f"{mine / bare:.2f}" for mine, bare in zip(ours, ceiling, strict=True))
    print(
        f"/evaluate     {median(ours):>8,.0f} requests/s of {median(ceiling):,.0f}: {ratio:.2f} (goal {GOAL}; rounds {rounds})"
    )
