"""Ctrl-C and SIGTERM, wherever a command is."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.http.datasets import LONG, scenarios
from tests.http.raw import LENGTH, Connection, connected, get, post
from tests.serving.test_server import ENVIRONMENT, serving

ROOT = Path(__file__).parents[2]
SIGNALS = [signal.SIGINT, signal.SIGTERM]
STOPPED, UNDONE = "labs-mock stopped\n", "labs-mock: stopped before it was done\n"
JSON = {"content-type": "application/json"}


def idle(connection: Connection) -> None:
    """A connection that is kept open after a request."""
    connection.send(get("/api/v1/catalog"))
    assert connection.response().status == 200


def beginning(connection: Connection) -> None:
    """A head that has not ended."""
    connection.send(get("/api/v1/catalog")[:40])


def reading(connection: Connection) -> None:
    """A body that has not ended."""
    connection.send(post(LENGTH)[:-5])


def stalled(connection: Connection) -> None:
    """An answer that a fault has stopped in its middle."""
    connection.send(get("/api/v1/catalog"))
    assert b"\r\n\r\n" in connection.socket.recv(65_536)


def exporting(connection: Connection) -> None:
    """An export that is not read on."""
    connection.send(get(f"/api/v1/training-datasets/{LONG}/export"))
    assert connection.socket.recv(1)


STATES: list[tuple[str, Callable[[Connection], None]]] = [
    (state.__name__, state) for state in (idle, beginning, reading, stalled, exporting)
]


@pytest.mark.parametrize("sign", SIGNALS)
def test_a_signal_stops_a_server(sign: signal.Signals) -> None:
    """It ends soon, with exit code 0 and one line."""
    with serving("--json") as (process, line):
        assert httpx.get(f"{json.loads(line)['url']}/_mock/health").status_code == 200
        start = time.monotonic()
        process.send_signal(sign)
        rest, errors = process.communicate(timeout=10)
        assert (process.returncode, rest, errors) == (0, "", STOPPED)
        assert time.monotonic() - start < 2


@pytest.mark.slow
@pytest.mark.parametrize("sign", SIGNALS)
@pytest.mark.parametrize("name", [*(name for name, _ in STATES), "all"])
def test_it_does_so_whatever_is_in_progress(tmp_path: Path, name: str, sign: signal.Signals) -> None:
    """Requests and answers that do not come on hold it up for its two seconds at most, and none is worth a word."""
    folder = str(scenarios(tmp_path, 1_000_000))
    with serving(folder, "--json") as (process, line), ExitStack() as connections:
        url = json.loads(line)["url"]
        for state, enter in STATES:
            if name in (state, "all"):
                if state == "stalled":
                    fault = {"path": "/api/v1/catalog", "stall": 20}
                    assert httpx.post(f"{url}/_mock/faults", json=fault).is_success
                enter(connections.enter_context(connected(url)))
        start = time.monotonic()
        process.send_signal(sign)
        _, errors = process.communicate(timeout=10)
        assert (process.returncode, errors) == (0, STOPPED)
        assert time.monotonic() - start < 6


PATIENT = """
from labs_mock.serving import server
server.UVICORN["timeout_graceful_shutdown"] = 3_600
from labs_mock.cli.main import main
main()
"""


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    """What is in progress is broken off at once, by a server that would wait an hour for it, too."""
    folder = str(scenarios(tmp_path, 1_000_000))
    command = [sys.executable, "-c", PATIENT, "serve", folder, "--port", "0", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        try:
            assert process.stdout is not None
            with connected(json.loads(process.stdout.readline())["url"]) as connection:
                exporting(connection)
                process.send_signal(signal.SIGINT)
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(timeout=0.5)
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, STOPPED)


WAITING = """
import os, signal, sys, time
import labs_mock.config.library as loader

sign = getattr(signal, sys.argv.pop(1))

def load(*_, **__):
    os.kill(os.getpid(), sign)
    time.sleep(20)

loader.Loader.__init__ = load
from labs_mock.cli.main import main
main()
"""


@pytest.mark.parametrize("sign", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(("command", "code", "printed"), [
    (["serve"], 0, STOPPED), (["validate"], 1, UNDONE), (["export", "by-hand"], 1, UNDONE),
])  # fmt: skip
def test_a_signal_while_files_are_loaded(command: list[str], code: int, printed: str, sign: str) -> None:
    """A server that has not started yet stops as one that has; what was not done is exit code 1, and one line."""
    ended = subprocess.run(
        [sys.executable, "-c", WAITING, sign, *command],
        capture_output=True, text=True, timeout=15, env=ENVIRONMENT, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", printed)


@pytest.mark.parametrize("sign", SIGNALS)
def test_a_signal_stops_a_conformance_run(sign: signal.Signals) -> None:
    """A run that was not finished has not passed: exit code 1, one line, and no report."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        command = [sys.executable, "-m", "labs_mock", "conformance", url, "--api-key", "lab_local"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
        ) as process:
            try:
                silent.settimeout(30)
                connection, _ = silent.accept()
                with connection:
                    connection.recv(1)
                    process.send_signal(sign)
                    _, errors = process.communicate(timeout=10)
            finally:
                process.kill()
    assert process.returncode == 1
    assert errors.endswith(UNDONE)
    assert "Traceback" not in errors


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine")
@pytest.mark.parametrize("sign", SIGNALS)
def test_make_serve_ends_without_an_error(sign: signal.Signals) -> None:
    """Ctrl-C, which the terminal sends to both, and SIGTERM, which make hands on: make has nothing to complain of."""
    command = ["make", "-o", ".venv/serve.stamp", f"BIN={Path(sys.executable).parent}", "serve"]
    environment = {**ENVIRONMENT, "LABS_MOCK_PORT": "0"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert any(line.startswith("labs-mock ") for line in iter(process.stdout.readline, ""))
            os.killpg(process.pid, sign)
            _, errors = process.communicate(timeout=10)
        finally:
            process.kill()
    assert errors == STOPPED
