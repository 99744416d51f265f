"""Several processes that serve one socket, over a real Redis."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from labs_mock.errors import StartError
from labs_mock.testing import ControlError, LabsMock
from tests.http.test_concurrency import SHIPPED
from tests.serving.test_server import ENVIRONMENT, SERVE, eventually, run, serving
from tests.serving.test_stopping import STOPPED
from tests.state.redis_server import MISSING, redis_is_installed, redis_process, redis_server
from tests.support import KEY

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not redis_is_installed(), reason=MISSING)]

WHERE = {"collection_slug": SHIPPED.scenarios[0].collection, "scenario_slug": SHIPPED.scenarios[0].slug}
HEADERS = {"authorization": f"Bearer {KEY}"}
MESSAGES = {"messages": [{"role": "assistant", "content": "Tell me what happened."}]}
_names = count()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a Redis."""
    with redis_server() as address:
        yield address


@pytest.fixture
def state(url: str) -> list[str]:
    """Options of a server in a namespace of its own."""
    return ["--state", url, "--state-name", f"workers-{next(_names)}", "--json"]


def children(pid: int) -> set[int]:
    """The processes that a process has started, and which run."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return {child for child in map(int, listed.split()) if runs(child)}


def runs(pid: int) -> bool:
    """Whether a process runs: it may have ended without anybody who asks for its exit code."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def post(base: str, path: str, body: dict[str, Any]) -> httpx.Response:
    """A request over a connection of its own, which any worker may take."""
    return httpx.post(f"{base}/api/v1/{path}", json=body, headers=HEADERS, timeout=30)


def test_all_workers_are_one_server(state: list[str]) -> None:
    """They start together and say so once, have one instance, and end with the first signal."""
    with serving(*state, "--workers", "3") as (process, line):
        started = json.loads(line)
        assert started["pid"] == process.pid
        workers = children(process.pid)
        assert len(workers) == 3
        health = [httpx.get(f"{started['url']}/_mock/health").json() for _ in range(20)]
        assert {one["instance"] for one in health} == {started["instance"]}
        assert {one["scenarios"] for one in health} == {len(SHIPPED.scenarios)}
        assert httpx.get(f"{started['url']}/_mock/ready").json() == {"status": "ready"}
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, STOPPED)
        assert not any(map(runs, workers))


def test_ctrl_c_ends_all_of_them(state: list[str]) -> None:
    """A terminal sends it to the group of the supervisor, which hands it on."""
    with serving(*state, "--workers", "2") as (process, line):
        workers = children(process.pid)
        with httpx.Client(base_url=json.loads(line)["url"]) as client:
            assert client.get("/_mock/health").status_code == 200
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, STOPPED)
        assert not any(map(runs, workers))


def test_a_worker_that_dies_is_replaced(state: list[str]) -> None:
    """An episode goes on at workers that had no part in its beginning (EP-15)."""
    with serving(*state, "--workers", "2") as (process, line):
        base = json.loads(line)["url"]
        episode = post(base, "episodes", WHERE).json()["episode_id"]
        assert post(base, f"episodes/{episode}/turns", MESSAGES).json()["turn"] == 1
        before = children(process.pid)
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        assert eventually(lambda: len(children(process.pid) - before) == 2)
        assert post(base, f"episodes/{episode}/turns", MESSAGES).json()["turn"] == 2
        process.terminate()
        assert "a worker ended by SIGKILL, and is replaced" in process.communicate(timeout=30)[1]


def test_workers_that_cannot_live_end_the_server(state: list[str]) -> None:
    """A place whose workers end three times within 5 s of their start is given up, and with it the server: exit code 3."""
    with serving(*state, "--workers", "2") as (process, _):
        seen: set[int] = set()
        while process.poll() is None:
            for worker in children(process.pid) - seen:
                seen.add(worker)
                os.kill(worker, signal.SIGKILL)
            time.sleep(0.02)
        assert process.returncode == 3
        assert process.stderr is not None
        assert "a worker ended 3 times within 5 s of its start, at last by SIGKILL" in process.stderr.read()
        assert eventually(lambda: not any(map(runs, seen)))


def test_no_worker_outlives_its_supervisor(state: list[str]) -> None:
    """Even if that is killed: they see that it is gone, and let the socket go."""
    with serving(*state, "--workers", "2") as (process, line):
        workers = children(process.pid)
        assert len(workers) == 2
        process.kill()
        process.wait(30)
        assert eventually(lambda: not any(map(runs, workers)))
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{json.loads(line)['url']}/_mock/health")


def test_the_end_of_standard_input_ends_all_of_them(state: list[str]) -> None:
    """As it does for one process."""
    command = [*SERVE, "--port", "0", *state, "--workers", "2", "--until-eof"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=ENVIRONMENT) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            workers = children(process.pid)
            process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0
    assert not any(map(runs, workers))


def test_another_server_says_what_differs(state: list[str]) -> None:
    """It does not start, with exit code 3; an equal one on another port is the same server."""
    with ExitStack() as servers:
        bases = [
            json.loads(line)["url"]
            for _, line in [
                servers.enter_context(serving(*state, "--seed", "1", *more)) for more in ([], ["--workers", "2"])
            ]
        ]
        episode = post(bases[0], "episodes", WHERE).json()["episode_id"]
        turns = [post(bases[turn % 2], f"episodes/{episode}/turns", MESSAGES).json()["turn"] for turn in (1, 2, 3)]
        assert turns == [1, 2, 3]
        ended = run("--port", "0", *state, "--workers", "2")
        assert (ended.returncode, ended.stdout) == (3, "")
        assert "its seed is 1, this server's is 0" in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_a_reset_for_all_servers_says_so(state: list[str]) -> None:
    """One that may not know that it shares its state is refused; workers of one server are no others."""
    headers = {"content-type": "application/json"}
    with serving(*state, "--workers", "2") as (_, line):
        with serving(*state) as (other, second):
            for base in (json.loads(line)["url"], json.loads(second)["url"]):
                for body in ("", "{}", '{"shared": false}'):
                    refused = httpx.post(f"{base}/_mock/reset", headers=headers, content=body)
                    assert refused.status_code == 400
                    assert "1 other server has this state" in refused.json()["message"]
                assert httpx.post(f"{base}/_mock/reset", json={"shared": True}).status_code == 200
            other.terminate()
            other.wait(30)
        assert httpx.post(f"{json.loads(line)['url']}/_mock/reset", headers=headers).status_code == 200


def test_health_never_asks_the_store() -> None:
    """While that is silent a server is alive and not ready."""
    with redis_process() as redis, serving("--state", redis.url, "--workers", "2", "--json") as (_, line):
        base = json.loads(line)["url"]
        redis.send(signal.SIGSTOP)
        assert httpx.get(f"{base}/_mock/health", timeout=30).status_code == 200
        assert httpx.get(f"{base}/_mock/ready", timeout=30).status_code == 503
        redis.send(signal.SIGCONT)
        assert eventually(lambda: httpx.get(f"{base}/_mock/ready", timeout=30).status_code == 200)


def test_the_password_is_nowhere() -> None:
    """Neither in a list of processes, nor in what a server writes, nor in its journal; a wrong one is not repeated either."""
    password = "a-long-password"
    with redis_server("--requirepass", password) as url:
        options = ["--state", url, "--json"]
        with serving(*options, "--workers", "2", "--log", LABS_MOCK_STATE_PASSWORD=password) as (process, line):
            base = json.loads(line)["url"]
            post(base, "evaluate", {**WHERE, "messages": [{"role": "assistant", "content": f"It is {password}."}]})
            assert post(base, password, {}).status_code == 404
            for one in (process.pid, *children(process.pid)):
                assert password.encode() not in Path(f"/proc/{one}/cmdline").read_bytes()
            journal = httpx.get(f"{base}/_mock/requests").text
            assert "It is *" in journal
            assert password not in journal
            process.terminate()
            assert password not in line + "".join(process.communicate(timeout=30))
        for environment in ({"LABS_MOCK_STATE_PASSWORD": "another-password"}, {}):
            ended = run("--port", "0", *options, "--workers", "2", **environment)
            assert (ended.returncode, ended.stderr.count("\n")) == (3, 1)
            assert f"state: {url}: it " in ended.stderr
            assert "LABS_MOCK_STATE_PASSWORD" in ended.stderr
            assert "another-password" not in ended.stderr


def test_all_workers_serve_files_that_change(state: list[str], tmp_path: Path) -> None:
    """The supervisor alone looks at them; no worker responds with the old ones once one has responded with the new ones."""
    subprocess.run([sys.executable, "-m", "labs_mock", "init", str(tmp_path)], check=True, capture_output=True)
    file = tmp_path / "support/late-parcel.yaml"
    with serving(str(tmp_path), *state, "--workers", "3", "--reload") as (process, line):
        base = json.loads(line)["url"]

        def name() -> str:
            catalog = httpx.get(f"{base}/api/v1/catalog", headers=HEADERS, timeout=30).json()
            (found,) = [scenario["slug"] for one in catalog["collections"] for scenario in one["scenarios"]]
            return str(found)

        assert name() == "late-parcel"
        file.rename(file.with_name("early-parcel.yaml"))
        assert eventually(lambda: name() == "early-parcel")
        assert {name() for _ in range(30)} == {"early-parcel"}
        before = children(process.pid)
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        assert eventually(lambda: len(children(process.pid) - before) == 3)
        assert {name() for _ in range(10)} == {"early-parcel"}


def labs_mock(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What a command prints, and its exit code."""
    command = [sys.executable, "-m", "labs_mock", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False)


def test_a_mock_has_a_namespace_of_its_own(url: str) -> None:
    """Two mocks in one Redis do not see each other, and leave nothing."""
    with Redis.from_url(url) as redis:
        before = set(redis.scan_iter("*"))
        with LabsMock(process=True, state=url, workers=2) as one, LabsMock(process=True, state=url) as other:
            post(one.url, "evaluate", {**WHERE, **MESSAGES})
            assert (len(one.requests), len(other.requests)) == (1, 0)
            assert len({key.partition(b"}")[0] for key in set(redis.scan_iter("*")) - before}) == 2
        assert {key for key in set(redis.scan_iter("*")) - before if key.startswith(b"{labs-mock-")} == set()


def test_a_mock_in_a_thread_has_one_too(url: str) -> None:
    """With a name it shares that, also with a process, and leaves it; a reset of a namespace that others have says so."""
    with Redis.from_url(url) as redis:
        before = set(redis.scan_iter("*"))
        with LabsMock(state=url) as one, LabsMock(state=url) as other:
            post(one.url, "evaluate", {**WHERE, **MESSAGES})
            assert (len(one.requests), len(other.requests)) == (1, 0)
            one.reset()
        assert set(redis.scan_iter("*")) - before == set()
        with (
            LabsMock(state=url, state_name="shared") as one,
            LabsMock(state=url, state_name="shared", process=True) as other,
        ):
            episode = post(one.url, "episodes", WHERE).json()["episode_id"]
            assert post(other.url, f"episodes/{episode}/turns", MESSAGES).json()["turn"] == 1
            for mock in (one, other):
                with pytest.raises(ControlError, match=r'1 other server has this state.*"shared": true'):
                    mock.reset()
            other.reset(shared=True)
            assert one.requests == []
        with LabsMock(state=url, state_name="shared") as one:
            one.reset()
        assert {key.partition(b"}")[0] for key in set(redis.scan_iter("*")) - before} == {b"{shared"}


def test_a_mock_in_a_thread_says_why_it_cannot_start(url: str) -> None:
    """As the command does: no store, another server's namespace; and nothing goes on."""
    threads = threading.active_count()
    with pytest.raises(StartError, match=r"state: redis://127\.0\.0\.1:1/0: .* does not answer"):
        LabsMock(state="redis://127.0.0.1:1/0").start()
    with (
        LabsMock(state=url, state_name="differs"),
        pytest.raises(StartError, match="its seed is 0, this server's is 7"),
    ):
        LabsMock(state=url, state_name="differs", seed=7).start()
    assert eventually(lambda: threading.active_count() == threads)


def test_namespaces_are_listed_and_dropped(url: str, state: list[str]) -> None:
    """One that a server uses stays; what is unknown is named."""
    name = state[3]
    with serving(*state):
        assert f"{name}  in use\n" in labs_mock("state", "list", "--state", url).stdout
        refused = labs_mock("state", "drop", name, "--state", url)
        assert (refused.returncode, f"uses the namespace '{name}'" in refused.stderr) == (2, True)
    with Redis.from_url(url) as redis:
        redis.delete(f"{{{name}}}:lease")  # as 15 s after it was killed
        assert f"{name}  not in use; goes in 7 days\n" in labs_mock("state", "list", "--state", url).stdout
        assert labs_mock("state", "drop", name, "--state", url).stdout == f"dropped {name}\n"
        assert not redis.keys(f"{{{name}}}*")
