import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from labs_mock.errors import ScenarioError, SettingsError, StartError
from labs_mock.testing import ControlError, LabsMock
from tests.support import CLAIM
from tests.testing.conversation import CONVERSATION, post


@pytest.mark.parametrize("process", [False, True])
def test_a_mock_takes_settings_and_scenarios(process: bool, tmp_path: Path) -> None:
    """Settings are parameters, a folder is served, a token keeps others out."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases/collection.yaml").write_text("name: Cases\ndescription: Some cases.\n")
    (tmp_path / "cases/claim.yaml").write_text(json.dumps(CLAIM))
    with LabsMock(
        tmp_path, process=process, plan="standard", seed=7, control_token="secret", api_key="lab_mine"
    ) as mock:
        assert (mock.health().scenarios, mock.health().seed, mock.api_key) == (1, 7, "lab_mine")
        assert httpx.get(f"{mock.url}/_mock/clock").status_code == 401
        assert len(mock.keys()) == 1
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{mock.url}/_mock/health")
    mock.stop()


def test_a_server_that_cannot_start_reports_why(tmp_path: Path) -> None:
    """The server's own error is raised, and nothing is left running."""
    with pytest.raises(SettingsError, match="seed: expected a whole number"):
        LabsMock(seed="x").start()  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="seed: expected a whole number"):
        LabsMock(seed="x", process=True).start()  # type: ignore[arg-type]
    with pytest.raises(ScenarioError, match="no scenarios in this folder"):
        LabsMock(tmp_path).start()
    with pytest.raises(StartError, match="no scenarios in this folder"):
        LabsMock(tmp_path, process=True).start()
    with LabsMock() as mock, pytest.raises(StartError, match="cannot listen on"):
        LabsMock(port=int(mock.url.rpartition(":")[2]), process=True).start()
    with pytest.raises(ControlError, match="no answer from a mock server"):
        LabsMock(url=mock.url).start()


@pytest.mark.parametrize("mock", [LabsMock(), LabsMock(process=True), LabsMock(url="http://127.0.0.1:9")], ids=str)
def test_a_mock_that_has_not_started_raises_an_error(mock: LabsMock) -> None:
    """Whatever is used of it before `start()`, the message names the ways to start it."""
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
    """Wait until nothing responds there."""
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
    """A process that writes much to its standard error goes on."""
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")  # which logs every slow step
    monkeypatch.setenv("PYTHONVERBOSE", "1")  # and every import
    with LabsMock(process=True) as mock:
        assert post(mock, "evaluate", CONVERSATION).status_code == 200


def test_it_needs_neither_pytest_nor_a_client_library() -> None:
    """A plain script starts a mock and uses it with the standard library and what the server needs."""
    script = (
        "import sys\nfrom labs_mock.testing import LabsMock\n"
        "assert not {'starlette', 'uvicorn', 'pydantic'} & set(sys.modules)\n"
        "with LabsMock() as mock: mock.advance(1)\n"
        "assert not {'pytest', 'httpx', 'requests'} & set(sys.modules)\nprint('fine')"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ)
    assert run.stdout == "fine\n"
