"""`labs-mock run`, as a continuous integration runs it: real commands beside a real server."""

import gzip
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serving.test_server import ENVIRONMENT, eventually

RUN = [sys.executable, "-m", "labs_mock", "run"]
CATALOG = """
import json, os, sys, urllib.request
request = urllib.request.Request(os.environ["LABS_URL"] + "/api/v1/catalog")
request.add_header("Authorization", "Bearer " + os.environ["LABS_API_KEY"])
print(json.load(urllib.request.urlopen(request))["collections"][0]["slug"])
sys.exit(int(sys.argv[1]))
"""
MISSPELT = """
import json, os, urllib.request
messages = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
body = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim", "messages": messages, "mesages": []}
headers = {"Authorization": "Bearer " + os.environ["LABS_KEY"], "Content-Type": "application/json"}
url = os.environ["LABS_URL"] + "/api/v1/evaluate"
urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers))
"""
KILLS = """
import os, pathlib, sys
children = pathlib.Path(f"/proc/{os.getppid()}/task/{os.getppid()}/children").read_text().split()
(server,) = {*map(int, children)} - {os.getpid()}
os.kill(server, 9)
sys.exit(int(sys.argv[1]))
"""
WAITS = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text('begun'); time.sleep(600)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITS}"
posix = pytest.mark.skipif(os.name != "posix", reason="signals are as POSIX has them")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the command does with some arguments."""
    return subprocess.run(
        [*RUN, *arguments], check=False, capture_output=True, text=True, timeout=120, env={**ENVIRONMENT, **environment}
    )


def python(script: str, *arguments: str) -> list[str]:
    """A command that runs a script."""
    return ["--", sys.executable, "-c", script, *arguments]


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command while it runs."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*RUN, *arguments], stdout=pipe, stderr=pipe, text=True, env=ENVIRONMENT) as process:
        try:
            yield process
        finally:
            process.kill()


def server_is_gone(printed: str) -> bool:
    """Whether nothing listens any more where a server was."""
    port = int(printed.partition("http://127.0.0.1:")[2].partition(",")[0])
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def test_a_command_that_succeeds(tmp_path: Path) -> None:
    """It gets address and key, its output is its own, no session is saved, and the server goes."""
    save = tmp_path / "sessions" / "failed.jsonl.gz"
    done = run("--save", str(save), *python(CATALOG, "0"))
    assert (done.returncode, done.stdout) == (0, "case-management\n"), done.stderr
    assert "0 warnings, 0 infos" in done.stderr
    assert not save.exists()
    assert server_is_gone(done.stderr)


def test_a_command_that_fails(tmp_path: Path) -> None:
    """Its exit code is the run's, and what happened is saved: a file that `labs-mock inspect` shows."""
    save = tmp_path / "sessions" / "failed.jsonl.gz"
    done = run("--save", str(save), *python(CATALOG, "41"))
    assert done.returncode == 41
    assert "the command ended with exit code 41" in done.stderr
    assert f"labs-mock inspect {save}" in done.stderr
    assert "/api/v1/catalog" in gzip.decompress(save.read_bytes()).decode()
    assert server_is_gone(done.stderr)


def test_what_the_server_found_is_printed() -> None:
    """What is accepted silently stands in the output of the run; the exit code stays the command's, unless findings are to fail."""
    for options, code in (((), 0), (("--fail-on-findings",), 1)):
        done = run(*options, *python(MISSPELT))
        assert done.returncode == code, done.stderr
        assert "unknown_field (warning): 1 finding" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("command", "code"), [("no-such-command", 127), ("/", 126)])
def test_a_command_that_cannot_be_run(command: str, code: int) -> None:
    """It is named, with the exit code that a shell has for it."""
    done = run(command)
    assert done.returncode == code
    assert f"labs-mock: {command}: " in done.stderr
    assert server_is_gone(done.stderr)


def test_a_server_that_cannot_start(tmp_path: Path) -> None:
    """The command does not run, the reason is the server's, and the exit code 3."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/collection.yaml").write_text("nmae: x\n", encoding="utf-8")
    done = run("--scenarios", str(tmp_path), *python("print('ran')"))
    assert (done.returncode, done.stdout) == (3, "")
    assert "the server did not start" in done.stderr
    assert "nmae" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_port_that_is_taken() -> None:
    """It is named, and the command does not run."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(*python("print('ran')"), LABS_MOCK_PORT=str(port))
    assert (done.returncode, done.stdout) == (3, "")
    assert str(port) in done.stderr


@pytest.mark.parametrize(
    "problem", [("--save", "{file}/x/y"), ("--timeout", "0"), ("--scenarios", "no-such-folder"), ()]
)
def test_bad_usage(problem: tuple[str, ...], tmp_path: Path) -> None:
    """What cannot be used is refused with exit code 2 before anything starts, and so is a run of nothing."""
    (tmp_path / "file").touch()
    options = [part.format(file=tmp_path / "file") for part in problem]
    done = run(*options, *(python("print('ran')") if options else []))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


@pytest.mark.slow
def test_settings_of_the_environment_hold() -> None:
    """The server has them, and a token that it wants is used for its findings and its session."""
    done = run(*python(CATALOG, "0"), LABS_MOCK_API_KEY="lab_mine", LABS_MOCK_CONTROL_TOKEN="t")
    assert done.returncode == 0, done.stderr
    assert "0 warnings" in done.stderr
    for options, code in (((), 0), (("--fail-on-findings",), 1)):
        closed = run(*options, *python(CATALOG, "0"), LABS_MOCK_CONTROL="off")
        assert closed.returncode == code
        assert "labs-mock: no findings: Not found" in closed.stderr


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the command finds the server in /proc")
@pytest.mark.parametrize("code", [0, 5])
def test_a_server_that_has_ended(code: int) -> None:
    """A command that succeeded without a server has shown nothing: exit code 3. One that failed keeps its own."""
    done = run(*python(KILLS, str(code)))
    assert done.returncode == (code or 3), done.stderr
    assert "no answer from a mock server" in done.stderr


@pytest.mark.slow
@posix
@pytest.mark.parametrize("script", [WAITS, DEAF], ids=["waits", "deaf"])
def test_a_command_that_hangs(script: str, tmp_path: Path) -> None:
    """After the timeout it is terminated, and killed if that does not end it; with it goes what it started. Exit code 124."""
    begun, save = tmp_path / "begun", tmp_path / "session.jsonl.gz"
    shell = 'echo $$ > "$0.pid"; "$@" & wait'
    done = run(
        "--timeout",
        "2",
        "--save",
        str(save),
        "--",
        "sh",
        "-c",
        shell,
        str(begun),
        sys.executable,
        "-c",
        script,
        str(begun),
    )
    assert done.returncode == 124
    assert "had not ended after 2 s" in done.stderr
    assert save.exists()
    group = int((tmp_path / "begun.pid").read_text())
    assert eventually(lambda: not members(group))


def members(group: int) -> list[int]:
    """The processes of a group that still run."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat=,pid="], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [int(pid) for pgid, state, pid in rows if int(pgid) == group and not state.startswith("Z")]


@pytest.mark.slow
@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    """It goes to the command, whose exit code counts; the session is saved, and the server stopped."""
    begun, save = tmp_path / "begun", tmp_path / "session.jsonl.gz"
    with running("--save", str(save), *python(WAITS, str(begun))) as process:
        assert eventually(begun.exists)
        process.send_signal(number)
        _, printed = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert save.exists()
    assert server_is_gone(printed)
