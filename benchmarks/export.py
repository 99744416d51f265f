"""Exports: how fast rows are made, how fast they are streamed again, and how much other requests slow down meanwhile."""

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterable
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.servers import LABS_MOCK, running

ROWS = 100_000
REQUESTS = 300
ROUNDS = 3
MADE_GOAL, STREAMED_GOAL, SLOWDOWN_GOAL = 2_000, 0.5, 3.0
DATASET = "b81e4c07-92d3-4f6a-8b15-0c7d9e2f6a{:02x}"
FILE = """\
id: {id}
name: To be measured
lifecycle: [{{status: ready}}]
rows:
  generate: {{scenario: finance/retirement-worries, operators: [expert, middling], count: {rows}, temperatures: [0.7, 1.0]}}
"""
HEADERS = {"Authorization": "Bearer lab_local", "Content-Type": "application/json"}
EVALUATION = json.dumps(
    {
        "collection_slug": "case-management",
        "scenario_slug": "lower-back-claim",
        "messages": [{"role": "assistant", "content": "Please tell me what happened, in your own words. " * 30}] * 3,
    }
)


def export(port: int, dataset: str, out: Path | None = None) -> tuple[int, float]:
    """Read an export to its end: its bytes, and the seconds that it took."""
    connection = HTTPConnection("127.0.0.1", port, timeout=600)
    start = time.perf_counter()
    connection.request("GET", f"/api/v1/training-datasets/{dataset}/export", headers=HEADERS)
    response = connection.getresponse()
    size = 0
    with (out or Path(os.devnull)).open("wb") as file:
        while chunk := response.read(1 << 20):
            size += len(chunk)
            file.write(chunk)
    assert response.status == 200, response.status
    return size, time.perf_counter() - start


def latency(port: int) -> float:
    """The median seconds of an evaluation, one after the other."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    taken: list[float] = []
    while len(taken) < REQUESTS:
        start = time.perf_counter()
        connection.request("POST", "/api/v1/evaluate", EVALUATION, HEADERS)
        connection.getresponse().read()
        taken.append(time.perf_counter() - start)
    return median(taken)


def slowdown(port: int, dataset: str) -> float:
    """The median of an evaluation during two exports of a dataset, as a multiple of what it takes alone."""
    alone, over = latency(port), threading.Event()
    readers = [threading.Thread(target=read, args=(port, dataset, over)) for _ in range(2)]
    for reader in readers:
        reader.start()
    time.sleep(0.2)
    during = latency(port)
    over.set()
    for reader in readers:
        reader.join()
    return during / alone


def read(port: int, dataset: str, over: threading.Event) -> None:
    """Export a dataset again and again, and leave when it is over."""
    while not over.is_set():
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", f"/api/v1/training-datasets/{dataset}/export", headers=HEADERS)
        response = connection.getresponse()
        while not over.is_set() and response.read(1 << 20):
            pass
        connection.close()


def library(folder: Path, numbers: Iterable[int] = (1, 2), rows: int = ROWS) -> None:
    """The shipped scenarios with datasets to be measured, each under a number below 256."""
    shipped = Path(__file__).parents[1] / "scenarios"
    for collection in shipped.iterdir():
        if collection.is_dir() and collection.name != "datasets":
            shutil.copytree(collection, folder / collection.name)  # a link that leads out of a folder is refused
    (folder / "datasets").mkdir()
    for number in numbers:
        text = FILE.format(id=DATASET.format(number), rows=rows)
        (folder / "datasets" / f"{number}.yaml").write_text(text, encoding="utf-8")


def main() -> None:
    """Print rows a second, and two ratios of medians."""
    one, other = DATASET.format(1), DATASET.format(2)
    with TemporaryDirectory() as name:
        folder = Path(name)
        library(folder)
        exported = folder / "exported.jsonl"
        with running((*LABS_MOCK, name), 18_769) as _:
            size, seconds = export(18_769, one, exported)
            print(f"first export  {ROWS / seconds:>8,.0f} rows/s of {size / ROWS:,.0f} bytes (goal {MADE_GOAL:,})")
            making = slowdown(18_769, other)
            os.environ["EXPORTED"] = str(exported)
            with running((sys.executable, "-m", "benchmarks.memory"), 18_770):
                pairs = [(export(18_769, one)[1], export(18_770, one)[1]) for _ in range(ROUNDS)]
            ratio = median(bare / mine for mine, bare in pairs)
            print(
                f"later exports {size / min(pairs)[0] / 1e6:>8,.0f} MB/s: {ratio:.2f} of memory (goal {STREAMED_GOAL})"
            )
            streaming = slowdown(18_769, one)
    print(
        f"/evaluate     {making:>8.1f} times as long while two exports make rows, {streaming:.1f} while they stream (goal {SLOWDOWN_GOAL:g})"
    )


if __name__ == "__main__":
    main()
