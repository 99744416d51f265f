import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from labs_mock.errors import ScenarioError, SettingsError, StartError
from labs_mock.state.journal import Journal
from labs_mock.state.reward_log import Rewards
from labs_mock.testing import ControlError, LabsMock, UndecidableError
from labs_mock.testing.judging import warnings_in
from tests.state.test_journal import noise
from tests.support import CLAIM, KEY, live, world

SAID = {
    "collection_slug": "case-management",
    "scenario_slug": "lower-back-claim",
    "messages": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Tell me what happened."}],
}
BY_HAND = "0a9d5c7e-3e21-4b6f-b8f0-62d4e1a7c938"


@pytest.fixture(scope="module", params=["thread", "process", "running"])
def shared(request: pytest.FixtureRequest) -> Iterator[LabsMock]:
    """A mock in each of the three ways."""
    with LabsMock(process=request.param == "process") as mock:
        if request.param == "running":
            with LabsMock(url=f"{mock.url}/") as met:
                yield met
        else:
            yield mock


@pytest.fixture
def mock(shared: LabsMock) -> LabsMock:
    """The same, as new."""
    shared.reset()
    return shared


def post(mock: LabsMock, path: str, body: Any, key: str | None = None) -> httpx.Response:
    """A request of a client."""
    headers = {"authorization": f"Bearer {key or mock.api_key}"}
    return httpx.post(f"{mock.url}/api/v1/{path}", json=body, headers=headers, timeout=10)


def test_a_mock_is_ready_and_says_which_it_is(mock: LabsMock) -> None:
    """It answers at once, on a frozen clock, and its instance is the one of its health."""
    assert post(mock, "evaluate", SAID).status_code == 200
    assert mock.url.startswith("http://127.0.0.1:")
    assert mock.api_key == KEY
    assert mock.health()["instance"] == mock.instance
    assert mock.now == "2026-01-01T00:00:00Z"


def test_the_clock_is_in_hand(mock: LabsMock) -> None:
    """Advance it, set it, let it run, bring it back."""
    mock.advance(90)
    assert mock.now == "2026-01-01T00:01:30Z"
    mock.set_clock("2027-01-01T00:00:00Z", "x60")
    assert mock.now.startswith("2027-01-01T00:00:0")
    with pytest.raises(ControlError, match="the clock does not go back"):
        mock.set_clock("2020-01-01T00:00:00Z")
    mock.reset("clock")
    assert mock.now == "2026-01-01T00:00:00Z"


def test_faults_keys_and_datasets_are_in_hand(mock: LabsMock) -> None:
    """What the control plane offers has a method each."""
    name = mock.add_fault(path="/api/v1/evaluate", first=1, status=503)
    assert [post(mock, "evaluate", SAID).status_code for _ in range(2)] == [503, 200]
    assert [(fault["id"], fault["applied"]) for fault in mock.faults()] == [(name, 1)]
    mock.remove_faults(name)
    assert mock.faults() == []
    mock.add_key("lab_other", "acme", plan="standard")
    assert post(mock, "evaluate", SAID, "lab_other").headers["x-ratelimit-limit"] == "60"
    assert mock.change_key("lab_other", revoked=True)["revoked"] is True
    assert post(mock, "evaluate", SAID, "lab_other").status_code == 401
    assert len(mock.keys()) == 2
    assert mock.set_dataset(BY_HAND, "failed", error="No disk")["error"] == "No disk"
    assert {one["status"] for one in mock.datasets() if one["id"] == BY_HAND} == {"failed"}


def test_episodes_and_rewards_can_be_looked_into(mock: LabsMock) -> None:
    """Why a reward is what it is, what an episode holds, and an end on the client's behalf."""
    reward = post(mock, "evaluate", SAID).json()["reward"]
    explained = mock.explain(SAID["collection_slug"], SAID["scenario_slug"], SAID["messages"])  # type: ignore[arg-type]
    assert explained["reward"] == reward
    assert explained["rules"]
    name = post(mock, "episodes", {**SAID, "score_turns": True}).json()["episode_id"]
    assert mock.episode(name)["turn"] == 0
    assert mock.terminate(name)["terminal_reason"] == "client_terminated"
    assert mock.rewards_served == [reward]


def test_scenarios_can_be_added(mock: LabsMock) -> None:
    """As an object or as YAML, checked like a file."""
    mock.add_scenario(CLAIM, "claim", "mine")
    body = {"collection_slug": "mine", "scenario_slug": "claim"}
    assert post(mock, "episodes", body).json()["initial_observation"]["content"] == CLAIM["persona"]["opening"]
    with pytest.raises(ControlError, match=r"test\.yaml:1:1: 'nme'|unknown key 'nme'"):
        mock.add_scenario("nme: x\n")


def test_assertions_on_requests_fail_well(mock: LabsMock) -> None:
    """They give what was found; when they fail they show what comes nearest, and never a key."""
    post(mock, "evaluate", SAID)
    post(mock, "evaluate", {**SAID, "surprise": KEY})
    assert len(mock.assert_requested("post", "/api/v1/*", times=2)) == 2
    (found,) = mock.assert_requested("POST", "/api/v1/evaluate", json={"surprise": KEY})
    assert (found.status, found.organisation, found.json["surprise"]) == (200, "local", "lab_*****")
    with pytest.raises(AssertionError) as failed:
        mock.assert_requested("POST", f"/{KEY}", json={KEY: f"Bearer {KEY}"})
    assert str(failed.value).startswith("expected POST /lab_***** at least once")
    assert KEY not in str(failed.value)
    with pytest.raises(AssertionError) as failed:
        mock.assert_requested("GET", "/api/v1/evaluat", times=1, json={"messages": []})
    assert str(failed.value).splitlines()[:4] == [
        "expected GET /api/v1/evaluat once, and it was made 0 times",
        '  with a body that has {"messages": []}',
        "nearest misses:",
        f"  POST /api/v1/evaluate -> 200 {str(failed.value).splitlines()[3].partition('200 ')[2]}",
    ]
    assert KEY not in str(failed.value)
    with pytest.raises(AssertionError, match=r"findings of severity warning: 1\n.*unknown_field at surprise"):
        mock.assert_no_findings()
    mock.forget_requests()
    mock.assert_no_findings()
    assert mock.requests == []


def test_every_reward_is_there_when_its_request_has_gone() -> None:
    """The journal keeps fewer requests than there are rewards; once the log itself has lost some, it says so."""
    bounded = world()
    bounded.journal, bounded.rewards = Journal(2), Rewards(4)
    with live(bounded) as server, LabsMock(url=server.url) as mock:
        made = [post(mock, "evaluate", {**SAID, "scenario_slug": "back-claim"}).json()["reward"] for _ in range(4)]
        assert (len(mock.requests), mock.rewards_served) == (2, made)
        post(mock, "evaluate", {**SAID, "scenario_slug": "back-claim"})
        with pytest.raises(UndecidableError, match="undecidable: the oldest reward was dropped; `find_rewards` has"):
            _ = mock.rewards_served
        assert mock.find_rewards()["requests"] == [2, 3, 4, 5]


def test_an_assertion_on_what_was_dropped_neither_holds_nor_denies() -> None:
    """It says what was dropped: the body of a request, or requests; and what went with findings is not forgotten."""
    bounded = world()
    bounded.journal = Journal(3, 100_000)
    with live(bounded) as server, LabsMock(url=server.url) as mock:
        for number in range(3):
            post(mock, "evaluate", {"number": number, "noise": noise(40_000).hex()})
        mock.assert_requested("POST", "/api/v1/evaluate", json={"number": 2})
        mock.assert_requested("POST", "/api/v1/evaluate", times=3)
        with pytest.raises(UndecidableError, match=r"^undecidable: the body of request 1 was dropped\nexpected POST "):
            mock.assert_requested("POST", "/api/v1/evaluate", json={"number": 0})
        with pytest.raises(AssertionError, match="findings of severity warning: 6") as failed:
            mock.assert_no_findings()
        assert "dropped" not in str(failed.value)
        for _ in range(4):
            post(mock, "compare", {})
        with pytest.raises(UndecidableError, match=r"^undecidable: the oldest 4 requests were dropped\n"):
            mock.assert_requested("POST", "/api/v1/evaluate")
        with pytest.raises(AssertionError, match="warning: 6\n  and 6 in requests that the journal has dropped"):
            mock.assert_no_findings()
        assert warnings_in(bounded) == ["6 in requests that the journal has dropped"]


def test_a_mock_works_in_async_code() -> None:
    """As an async context manager, beside an async client."""

    async def use() -> int:
        async with LabsMock() as mock, httpx.AsyncClient(base_url=mock.url) as client:
            answer = await client.get("/api/v1/catalog", headers={"authorization": f"Bearer {mock.api_key}"})
            return answer.status_code

    assert asyncio.run(use()) == 200


@pytest.mark.parametrize("process", [False, True])
def test_a_mock_takes_settings_and_scenarios(process: bool, tmp_path: Path) -> None:
    """Settings go by their names, a folder is served, a token keeps others out."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases/collection.yaml").write_text("name: Cases\ndescription: Some cases.\n")
    (tmp_path / "cases/claim.yaml").write_text(json.dumps(CLAIM))
    with LabsMock(
        tmp_path, process=process, plan="standard", seed=7, control_token="secret", api_key="lab_mine"
    ) as mock:
        assert (mock.health()["scenarios"], mock.health()["seed"], mock.api_key) == (1, 7, "lab_mine")
        assert httpx.get(f"{mock.url}/_mock/clock").status_code == 401
        assert len(mock.keys()) == 1
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{mock.url}/_mock/health")
    mock.stop()


def test_what_cannot_start_says_why(tmp_path: Path) -> None:
    """The server's own error comes to light, and nothing is left running."""
    with pytest.raises(SettingsError, match="seed: expected a whole number"):
        LabsMock(seed="x").start()
    with pytest.raises(SettingsError, match="seed: expected a whole number"):
        LabsMock(seed="x", process=True).start()
    for process in (False, True):
        with pytest.raises(SettingsError, match=r"^prot: unknown setting; did you mean port\?$"):
            LabsMock(prot=1, process=process).start()
    with pytest.raises(ScenarioError, match="no scenarios in this folder"):
        LabsMock(tmp_path).start()
    with pytest.raises(StartError, match="no scenarios in this folder"):
        LabsMock(tmp_path, process=True).start()
    with LabsMock() as mock, pytest.raises(StartError, match="cannot listen on"):
        LabsMock(port=int(mock.url.rpartition(":")[2]), process=True).start()
    with pytest.raises(ControlError, match="no answer from a mock server"):
        LabsMock(url=mock.url).start()


@pytest.mark.parametrize("mock", [LabsMock(), LabsMock(process=True), LabsMock(url="http://127.0.0.1:9")], ids=str)
def test_a_mock_that_has_not_started_says_so(mock: LabsMock) -> None:
    """Whatever is wanted of it before `start()`, the message says how to start it."""
    for use in (lambda: mock.now, lambda: mock.requests, mock.reset, lambda: mock.add_fault(status=503)):
        with pytest.raises(ControlError, match=r"^not started: use it as `with LabsMock\(\) as mock:`"):
            use()


SCRIPT = """
import sys, time
from labs_mock.testing import LabsMock
with LabsMock(process=True) as mock:
    print(mock.url, flush=True)
    time.sleep(60)
"""


def wait_until_gone(url: str) -> None:
    """Wait until nothing answers there."""
    for _ in range(100):
        try:
            httpx.get(f"{url}/_mock/health")
        except httpx.TransportError:
            return
        time.sleep(0.05)
    raise AssertionError("the server is still there")


def test_ctrl_c_stops_the_server_too() -> None:
    """A script that is interrupted leaves no server behind."""
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as script:
        assert script.stdout is not None
        url = script.stdout.readline().decode().strip()
        assert httpx.get(f"{url}/_mock/health").status_code == 200
        script.send_signal(signal.SIGINT)
        script.communicate(timeout=20)
    wait_until_gone(url)


def test_a_script_that_is_killed_leaves_no_server_behind() -> None:
    """Its server ends with its standard input, which the system closes whatever happens."""
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE) as script:
        assert script.stdout is not None
        url = script.stdout.readline().decode().strip()
        assert httpx.get(f"{url}/_mock/health").status_code == 200
        script.kill()
    wait_until_gone(url)


def test_a_log_that_nobody_reads_stops_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has much to say on its standard error goes on."""
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")  # which logs every slow step
    monkeypatch.setenv("PYTHONVERBOSE", "1")  # and every import
    with LabsMock(process=True) as mock:
        assert post(mock, "evaluate", SAID).status_code == 200


def test_it_needs_neither_pytest_nor_a_client_library() -> None:
    """A plain script starts and asks a mock with the standard library and what the server needs."""
    script = (
        "import sys\nfrom labs_mock.testing import LabsMock\n"
        "assert not {'starlette', 'uvicorn', 'pydantic'} & set(sys.modules)\n"
        "with LabsMock() as mock: mock.advance(1)\n"
        "assert not {'pytest', 'httpx', 'requests'} & set(sys.modules)\nprint('fine')"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ)
    assert run.stdout == "fine\n"
