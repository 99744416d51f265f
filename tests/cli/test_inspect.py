import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.running import run
from tests.http.session.sessions import SESSION, saved, serving, use
from tests.serving.test_server import ENVIRONMENT

STOPPED = "labs-mock stopped\n"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved session."""
    path = tmp_path_factory.mktemp("sessions") / "session.jsonl.gz"
    with serving() as served:
        use(served)
        saved(served, path)
    return path


@contextmanager
def inspecting(*arguments: str | Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "labs_mock", "inspect", *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**ENVIRONMENT, **environment}
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_session_is_served_to_look_at(file: Path, sign: signal.Signals) -> None:
    """On a free port of 127.0.0.1, whose address is printed; a signal stops it, which is fine."""
    with inspecting(file, "--json") as process:
        assert process.stdout is not None
        printed = json.loads(process.stdout.readline())
        assert printed["url"].startswith("http://127.0.0.1:")
        assert (printed["ui"], printed["file"], printed["pid"]) == (
            f"{printed['url']}/_mock/ui",
            str(file),
            process.pid,
        )
        with httpx.Client(base_url=printed["url"], timeout=30, trust_env=False) as client:
            assert client.get("/_mock/ui").status_code == 200
            assert client.get("/_mock/health").json()["instance"] == printed["instance"]
            assert client.get(SESSION).content == file.read_bytes()
            assert client.post("/_mock/clock/advance", json={"seconds": 1}).status_code == 403
        process.send_signal(sign)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest, errors) == (0, "", STOPPED)


def test_it_prints_the_address_for_people(file: Path) -> None:
    """Two lines: what is shown, and where."""
    with inspecting(file) as process:
        assert process.stdout is not None
        first, second = process.stdout.readline(), process.stdout.readline()
    assert first.endswith("Stop it with Ctrl-C.\n")
    assert str(file) in first
    assert second.split()[0] == "browse"
    assert second.split()[1].startswith("http://127.0.0.1:")
    assert second.split()[1].endswith("/_mock/ui")


def test_it_opens_a_browser(file: Path, tmp_path: Path) -> None:
    """With --open, the one that the environment names, at the address of the pages."""
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\necho "opened $1" >&2\n')
    browser.chmod(0o755)
    with inspecting(file, "--json", "--open", BROWSER=str(browser)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == f"opened {json.loads(process.stdout.readline())['ui']}\n"


def test_a_file_that_is_no_session_is_one_line(tmp_path: Path) -> None:
    """With exit code 2, also for one that is not there."""
    bad = tmp_path / "notes.txt"
    bad.write_text("hello")
    ended = run("inspect", bad)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr == f"labs-mock: {bad}: line 1: broken, or no gzip file\n"
    ended = run("inspect", tmp_path / "nothing")
    assert ended.exit_code == 2
    assert ended.stderr == f"labs-mock: {tmp_path / 'nothing'}: No such file or directory\n"
