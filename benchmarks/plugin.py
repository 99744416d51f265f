"""What the pytest plugin costs: a run that does not use it, and the life of a session's server, without its imports.

The latter has no target: `python -m benchmarks.plugin` prints it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.figures import Figure, ratio
from labs_mock.config.library import load_library, shipped_library
from labs_mock.config.starter import starter_files
from labs_mock.serving.thread import ServerThread
from labs_mock.serving.worlds import world_parts
from labs_mock.testing.handle import LabsMock

ROUNDS = 9
REQUESTS = 200
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
ALONE = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


class Plugin(NamedTuple):
    """A test run that does not use it, as a multiple of one without it."""

    unused: Figure


def plugin() -> Plugin:
    """Measure in alternating rounds."""
    with TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
        ours, without = [], []
        for _ in range(ROUNDS):
            without.append(_run(folder))
            ours.append(_run(folder, "-p", "labs_mock.pytest_plugin"))
    return Plugin(ratio(ours, without, "ms"))


def main() -> None:
    """Print what the life of a server costs, of the starter scenarios and of the shipped ones."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in starter_files("scenarios").items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")
        _life("starter", folder)
    _life("shipped", shipped_library())


def _run(folder: str, *options: str) -> float:
    command = [*PYTEST, *options]
    return _milliseconds(lambda: subprocess.run(command, cwd=folder, env=ALONE, check=True, stdout=subprocess.DEVNULL))


def _life(name: str, folder: Path) -> None:
    """Start, reset, a test's world, and stop, of servers of one folder."""
    settings: dict[str, object] = {"clock": "frozen", "port": 0}
    loads, starts, stops = zip(*(_once(folder, settings) for _ in range(ROUNDS)), strict=True)
    library = load_library(folder)
    server = ServerThread(world_parts(library, settings))
    server.start(10)
    mock = LabsMock(url=server.url).start()

    def open_test_world() -> None:
        server.open(world_parts(library, settings, "lab_of_a_test_1"), "lab_of_a_test_1")
        LabsMock(url=server.url, api_key="lab_of_a_test_1").start()
        server.close()

    health, reset, opened = (
        median(map(_milliseconds, [act] * REQUESTS)) for act in (mock.health, mock.reset, open_test_world)
    )
    server.stop(10)
    print(
        f"{name} server loaded in {median(loads):.0f} ms, ready {median(starts):.1f} ms later, stopped in {median(stops):.1f} ms;"
        f" reset {reset:.2f} ms, a test's own world {opened:.2f} ms, against {health:.2f} ms for asking its health"
    )


def _once(folder: Path, settings: dict[str, object]) -> tuple[float, float, float]:
    """Milliseconds to load and bind, from there to the first answer, and to stop."""
    servers: list[ServerThread] = []
    loaded = _milliseconds(lambda: servers.append(ServerThread(world_parts(load_library(folder), settings))))

    def start() -> None:
        servers[0].start(10)
        LabsMock(url=servers[0].url).start()

    return loaded, _milliseconds(start), _milliseconds(lambda: servers[0].stop(10))


def _milliseconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
