import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from labs_mock.errors import StartError
from labs_mock.serving.sockets import bind
from tests.pages import ADDRESS, ROOT
from tests.support import KEY

SERVE = [sys.executable, "-m", "labs_mock", "serve"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("LABS_MOCK_")}


@contextmanager
def serving(*options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A real server process, and its first line."""
    command = [*SERVE, "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**ENVIRONMENT, **environment}
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def test_serve_says_where_it_is_once_it_answers() -> None:
    """`--json` prints one object when the socket answers, and `/_mock/health` is that very server."""
    with serving("--json") as (process, line):
        ready = json.loads(line)
        assert set(ready) == {"url", "api_key", "pid", "instance"}
        assert (ready["api_key"], ready["pid"]) == (KEY, process.pid)
        health = httpx.get(f"{ready['url']}/_mock/health").json()
        assert health["instance"] == ready["instance"]
        assert (health["scenarios"], health["seed"], health["clock"]) == (13, 0, "real")


def greeting(process: subprocess.Popen[str], first: str) -> str:
    """What `serve` prints for people, up to the call to try."""
    assert process.stdout is not None
    lines = [first]
    while not lines[-1].startswith("  try "):
        lines.append(process.stdout.readline())
    return "".join(lines)


def test_serve_speaks_to_people() -> None:
    """Without `--json` it says where it is, with which key, where the page is, and how to stop it, as the page shows."""
    with serving() as (process, line):
        text = greeting(process, line)
        found = re.match(
            r"labs-mock 0\.1\.0 at (http://127\.0\.0\.1:\d+) with 13 scenarios\. Stop it with Ctrl-C\.\n", text
        )
        assert found
        assert f"  API key  {KEY}\n  browse   {found[1]}/\n" in text
        assert text.replace(found[1], ADDRESS) in (ROOT / "docs/command-line.md").read_text(encoding="utf-8")
        assert httpx.get(f"{found[1]}/", follow_redirects=True).status_code == 200


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl on this machine")
@pytest.mark.slow
def test_the_call_to_try_works_as_it_is_shown(tmp_path: Path) -> None:
    """The last line is a command for a shell; its key is one that is valid, though it is not the first of the file."""
    subprocess.run([sys.executable, "-m", "labs_mock", "init", str(tmp_path)], check=True, capture_output=True)
    keys = [
        "{key: lab_old, organisation: a, expires: 2020-01-01T00:00:00Z}",
        "{key: lab_gone, organisation: a, revoked: true}",
    ]
    (tmp_path / "server.yaml").write_text(f"keys: [{', '.join(keys)}, {{key: lab_good, organisation: b}}]\n")
    for options in ([], ["--host", "::1"]):
        with serving(str(tmp_path), *options) as (process, line):
            command = greeting(process, line).rpartition("  try      ")[2]
            done = subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True, timeout=20)
        assert json.loads(done.stdout)["collections"][0]["slug"] == "support"


@pytest.mark.parametrize(("host", "announced"), [("0.0.0.0", r"127\.0\.0\.1"), ("::", r"\[::1\]")])
def test_a_server_that_listens_everywhere_names_an_address_that_works(host: str, announced: str) -> None:
    """Nobody can use http://0.0.0.0: the line has this machine's loopback, and for others an address of the machine."""
    with serving("--host", host) as (process, line):
        text = greeting(process, line)
        found = re.match(rf"labs-mock 0\.1\.0 at (http://{announced}:\d+) ", text)
        assert found
        urls = [found[1], *re.findall(r"from other machines  (http://\S+)", text)]
        for url in urls:
            assert httpx.get(f"{url}/docs").status_code == 200
        assert "//0.0.0.0" not in text
        assert "[::]" not in text


Request = tuple[str, str, object, str]


def request(method: str, path: str, body: object = None, key: str = KEY) -> Request:
    """A request with a key."""
    return method, path, body, key


def logged(*requests: Request, options: tuple[str, ...] = ("--log", "--clock", "frozen")) -> list[str]:
    """The lines that a server writes for some requests, in their order."""
    with serving("--json", *options) as (process, line), httpx.Client(base_url=json.loads(line)["url"]) as client:
        for method, path, body, key in requests:
            client.request(method, path, json=body, headers={"authorization": f"Bearer {key}"})
        process.terminate()
        _, errors = process.communicate(timeout=10)
    *lines, stopped = errors.splitlines()
    assert stopped == "labs-mock stopped"
    return lines


SCENARIO = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
TALK = {**SCENARIO, "messages": [{"role": "assistant", "content": "Do you have any other work, a second job?"}]}


def test_the_log_has_a_line_for_each_request() -> None:
    """Method, path, status, rewards, codes of findings, faults, and milliseconds of real time on a frozen clock, too."""
    items = [{"id": str(number), **TALK} for number in range(5)]
    lines = logged(
        request("GET", "/api/v1/catalog"),
        request("POST", "/api/v1/evaluate", TALK),
        request("POST", "/api/v1/evaluate", {**TALK, "mesages": 1, "scenari": 2}),
        request("POST", "/api/v1/batch/evaluate", {"items": items}),
        request("POST", "/api/v1/evaluate", TALK, "lab_wrong"),
        request("POST", "/_mock/faults", {"id": "down", "path": "/api/v1/catalog", "status": 503}),
        request("GET", "/api/v1/catalog"),
        request("GET", "/docs"),
        request("GET", "/nowhere"),
    )
    shown = [re.sub(r"  \d+\.\d ms$", "", re.sub(r"0\.\d{2,6}", "0.5", line)) for line in lines]
    assert shown == [
        "GET /api/v1/catalog 200",
        "POST /api/v1/evaluate 200  reward 0.5  findings unattributable_history",
        "POST /api/v1/evaluate 200  reward 0.5  findings unknown_field, unattributable_history",
        "POST /api/v1/batch/evaluate 200  reward 0.5, 0.5, 0.5, … (5)  findings unattributable_history",
        "POST /api/v1/evaluate 401",
        "POST /_mock/faults 200",
        "GET /api/v1/catalog 503  faults down",
        "GET /docs 200",
        "GET /nowhere 404",
    ]
    assert all(float(line.split()[-2]) > 0 for line in lines)


def test_the_log_shows_neither_keys_nor_control_characters() -> None:
    """A key in a path is unreadable, and what could move the cursor or hide text is an escape, so a line is a line."""
    lines = logged(
        request("PATCH", f"/_mock/keys/{KEY}", {"plan": "premium"}),
        request("GET", f"/api/v1/{KEY}"),
        request("GET", "/api/v1/%1b%5b31m%0a%e2%80%ae%0d"),
    )
    assert [line.partition("  ")[0] for line in lines] == [
        "PATCH /_mock/keys/lab_***** 200",
        "GET /api/v1/lab_***** 404",
        "GET /api/v1/\\x1b[31m\\n\\u202e\\r 404",
    ]


@pytest.mark.slow
def test_the_time_in_the_log_is_that_of_the_whole_answer() -> None:
    """With the delay that a fault made."""
    slow = request("POST", "/_mock/faults", {"path": "/api/v1/catalog", "delay": 0.3})
    line = logged(slow, request("GET", "/api/v1/catalog"), options=("--log",))[1]
    assert float(line.split()[-2]) >= 300


def test_without_the_option_nothing_is_logged() -> None:
    """Standard error says nothing of requests."""
    assert logged(request("GET", "/api/v1/catalog"), options=()) == []


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        (["--host", "0.0.0.0"], True), (["--host", "::"], True), ([], False), (["--host", "127.0.0.2"], False),
        (["--host", "0.0.0.0", "--control-token", "x"], False), (["--host", "0.0.0.0", "--no-control"], False),
    ],
)  # fmt: skip
def test_a_server_that_others_reach_says_whom_its_control_plane_answers(options: list[str], warned: bool) -> None:
    """Nobody but programs on this machine, unless there is a token, or no control plane at all."""
    with serving(*options, "--json") as (process, _):
        process.terminate()
        _, errors = process.communicate(timeout=10)
        assert ("/_mock answers only programs on this machine; with --control-token" in errors) == warned


@pytest.mark.slow
def test_a_killed_server_leaves_its_port_free() -> None:
    """After SIGKILL another server takes the same port at once."""
    with serving("--json") as (process, line):
        port = json.loads(line)["url"].rpartition(":")[2]
        process.kill()
        process.wait(10)
    command = [*SERVE, "--port", port, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as again:
        assert again.stdout is not None
        assert json.loads(again.stdout.readline())["url"].endswith(port)
        again.kill()


def test_settings_come_from_options_environment_and_file(tmp_path: Path) -> None:
    """An option wins over the environment, and that over server.yaml."""
    subprocess.run([sys.executable, "-m", "labs_mock", "init", str(tmp_path)], check=True, capture_output=True)
    server = tmp_path / "server.yaml"
    server.write_text("seed: 1\nclock: frozen\nkeys:\n  - {key: lab_team, organisation: acme}\n")
    with serving(str(tmp_path), "--json", "--seed", "3", LABS_MOCK_SEED="2", LABS_MOCK_CLOCK="x60") as (_, line):
        ready = json.loads(line)
        health = httpx.get(f"{ready['url']}/_mock/health").json()
        assert (health["seed"], health["clock"], ready["api_key"]) == (3, "x60", "lab_team")
    with serving("--json", LABS_MOCK_SCENARIOS=str(tmp_path)) as (_, line):
        health = httpx.get(f"{json.loads(line)['url']}/_mock/health").json()
        assert (health["seed"], health["clock"], health["scenarios"]) == (1, "frozen", 1)


def run(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A server that should not start."""
    return subprocess.run(
        [*SERVE, *options], capture_output=True, text=True, env={**ENVIRONMENT, **environment}, timeout=20, check=False
    )


@pytest.mark.parametrize(
    ("options", "environment", "message"),
    [
        (["--port", "abc"], {}, "--port: expected a whole number from 0 to 65535"),
        (["--plan", "gold"], {}, "--plan: expected one of: standard, premium, enterprise"),
        (["--clock", "slow"], {}, "--clock: 'slow' is not a clock; give real, frozen, frozen:<ISO time> or x<number>"),
        ([], {"LABS_MOCK_PORT": "abc"}, "LABS_MOCK_PORT: expected a whole number from 0 to 65535"),
        (
            [],
            {"LABS_MOCK_CONTROL": "perhaps"},
            "LABS_MOCK_CONTROL: expected one of: true, 1, yes, on, false, 0, no, off",
        ),
        (
            [],
            {"LABS_MOCK_API_KEY": "secret"},
            "LABS_MOCK_API_KEY: expected lab_ followed by letters, digits, '_' or '-'",
        ),
        (
            ["--workers", "4"],
            {},
            "workers: several processes need a store that they share; write --workers 4 --state redis://localhost:6379/0, or --workers 1",
        ),
        (
            ["--state", "redis://:secret@localhost:6379/0"],
            {},
            (
                "--state: expected an address without a password, since lists of processes show it; "
                "put it into the variable LABS_MOCK_STATE_PASSWORD"
            ),
        ),
        ([], {"LABS_MOCK_SCENARIOS": "missing"}, "LABS_MOCK_SCENARIOS: no such folder: missing"),
        ([], {"LABS_MOCK_PROT": "8765"}, "LABS_MOCK_PROT: unknown variable; did you mean LABS_MOCK_PORT?"),
    ],
)
def test_bad_settings_are_named(options: list[str], environment: dict[str, str], message: str) -> None:
    """Bad configuration ends with code 2 and one line that names its source and says what to give."""
    ended = run(*options, **environment)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"labs-mock: {message}\n")


def test_a_bad_setting_of_the_file_is_named_with_its_line(tmp_path: Path) -> None:
    """`server.yaml` is the source of what stands in it."""
    subprocess.run([sys.executable, "-m", "labs_mock", "init", str(tmp_path)], check=True, capture_output=True)
    (tmp_path / "server.yaml").write_text("seed: 1\nport: 70000\n")
    ended = run(str(tmp_path))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("labs-mock: server.yaml:2:7: port: expected a whole number from 0 to 65535\n")


def test_a_folder_with_one_bad_file_does_not_start(tmp_path: Path) -> None:
    """The mistake is shown with its place, and nothing is served."""
    subprocess.run([sys.executable, "-m", "labs_mock", "init", str(tmp_path)], check=True, capture_output=True)
    scenario = tmp_path / "support" / "late-parcel.yaml"
    scenario.write_text(scenario.read_text().replace("shape: conversation", "shape: conversion"))
    ended = run(str(tmp_path))
    assert ended.returncode == 2
    assert "support/late-parcel.yaml:5:8" in ended.stderr
    assert "did you mean 'conversation'?" in ended.stderr


def test_a_taken_port_is_code_3() -> None:
    """A port that somebody has cannot be started on; the message names it (StartError)."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--port", str(port))
        with pytest.raises(StartError, match=str(port)):
            bind("127.0.0.1", port)
    assert ended.returncode == 3
    assert f"cannot listen on 127.0.0.1 port {port}" in ended.stderr


def test_an_unknown_host_is_a_start_error() -> None:
    """A host that is no address of this machine is refused in words."""
    with pytest.raises(StartError, match=r"cannot listen on 203\.0\.113\.1"):
        bind("203.0.113.1", 0)


def test_the_multiplied_clock_runs_fast() -> None:
    """Under `x3600` an hour passes in a second, as the quota's reset time shows."""
    with serving("--json", "--clock", "x3600") as (_, line):
        url = json.loads(line)["url"]

        def reset() -> int:
            body = {"collection_slug": "x", "scenario_slug": "x"}
            answer = httpx.post(f"{url}/api/v1/episodes", json=body, headers={"authorization": f"Bearer {KEY}"})
            return int(answer.headers["x-ratelimit-reset"])

        before = reset()
        time.sleep(0.2)
        assert reset() - before >= 600


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether something comes true within half a minute."""
    for _ in range(600):
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_scenarios_are_loaded_again_when_files_change(tmp_path: Path) -> None:
    """`--reload` serves what the files say; while one is bad the old set stays in force, and standard error says why."""
    subprocess.run([sys.executable, "-m", "labs_mock", "init", str(tmp_path)], check=True, capture_output=True)
    file = tmp_path / "support/late-parcel.yaml"
    text = file.read_text()
    with serving(str(tmp_path), "--json", "--reload") as (process, line):
        url = json.loads(line)["url"]

        def names() -> list[str]:
            catalog = httpx.get(f"{url}/api/v1/catalog", headers={"authorization": f"Bearer {KEY}"}).json()
            return [scenario["slug"] for one in catalog["collections"] for scenario in one["scenarios"]]

        assert names() == ["late-parcel"]
        time.sleep(0.3)  # until the folder is watched
        (tmp_path / "support/lost-parcel.yaml").write_text(text)
        assert eventually(lambda: names() == ["late-parcel", "lost-parcel"])
        file.write_text(text.replace("persona:", "personna:"))
        assert process.stderr is not None
        assert any("unknown key 'personna'" in line for line in iter(process.stderr.readline, ""))
        assert names() == ["late-parcel", "lost-parcel"]
        file.unlink()
        assert eventually(lambda: names() == ["lost-parcel"])


@pytest.mark.slow
def test_a_folder_that_is_made_anew_is_still_watched(tmp_path: Path) -> None:
    """A folder that is removed and written again, replaced by another one, or a link that is turned, is loaded again."""
    folder, other, link = tmp_path / "folder", tmp_path / ".tox/other", tmp_path / "link"
    for one in (folder, other):
        subprocess.run([sys.executable, "-m", "labs_mock", "init", str(one)], check=True, capture_output=True)
    text = (folder / "support/late-parcel.yaml").read_text()
    link.symlink_to(folder)
    with serving(str(link), "--json", "--reload") as (process, line):
        url = json.loads(line)["url"]

        def served(slug: str) -> bool:
            catalog = httpx.get(f"{url}/api/v1/catalog", headers={"authorization": f"Bearer {KEY}"}).json()
            return slug in [scenario["slug"] for one in catalog["collections"] for scenario in one["scenarios"]]

        time.sleep(0.3)  # until the folder is watched
        for slug in ("first", "second"):
            shutil.rmtree(folder)
            shutil.copytree(other, folder)
            (folder / f"support/{slug}.yaml").write_text(text)
            assert eventually(lambda slug=slug: served(slug))  # type: ignore[misc]
        shutil.rmtree(folder)
        time.sleep(1)  # in which there is no folder
        shutil.copytree(other, folder)
        assert eventually(lambda: not served("second"))
        (folder / "support/third.yaml").write_text(text)
        assert eventually(lambda: served("third"))
        folder.rename(tmp_path / "before")
        shutil.copytree(other, folder)
        assert eventually(lambda: not served("third"))
        link.unlink()
        link.symlink_to(other)
        time.sleep(1.5)  # until the other folder is watched
        (other / "support/fourth.yaml").write_text(text)
        assert eventually(lambda: served("fourth"))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
        assert "Traceback" not in errors
