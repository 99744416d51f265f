import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from labs_mock.errors import LabsMockError
from labs_mock.testing.drills.client_process import ClientProcess
from labs_mock.testing.drills.drilled_function import DrilledFunction

REAL = {"base": 0.0, "origin": 0.0, "rate": 1.0}
FUNCTIONS = """
import os, subprocess, sys, time, threading

class Array:
    def __init__(self, value):
        self.value = value
    def tolist(self):
        return self.value
    item = tolist

class Scalar:
    item = lambda self: 0.5

def echo(conversations):
    return conversations[0]
def nothing(conversations): ...
def number(conversations):
    return 1
def array(conversations):
    return Array([0.5, None])
def scalars(conversations):
    return (Scalar() for _ in range(2))
def text(conversations):
    return "0.5"
def nested(conversations):
    return [[0.5]]
def mapping(conversations):
    return {"reward": 0.5}
def fails(conversations):
    raise ValueError("no\\nstack trace")
def leaves(conversations):
    sys.exit(3)
def dies(conversations):
    os.write(2, b"last words\\n")
    os._exit(3)
def killed(conversations):
    os.kill(os.getpid(), 9)
def prints(conversations):
    print("{}")
    os.write(1, b"{}")
    return [0.5]
def environment(conversations, key, url):
    return [float([os.environ["LABS_URL"], os.environ["LABS_API_KEY"], os.environ["LABS_KEY"]] == [url, key, key])]
def leaves_a_thread(conversations):
    threading.Thread(target=threading.Event().wait).start()
    return [0.5]
def leaves_a_process(conversations):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    open(conversations[0], "w").write(str(child.pid))
    time.sleep(60)
async def sleeps(conversations):
    import asyncio
    await asyncio.sleep(0)
    return [0.5]
def awaitable(conversations):
    return sleeps(conversations)
class Client:
    @classmethod
    def rewards(cls, conversations):
        return [0.25]
"""


@pytest.fixture(autouse=True)
def _functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "functions", raising=False)


def called(name: str, conversations: Any = (), deadline: float = 20.0) -> dict[str, Any] | None:
    """What a function does in a process of its own."""
    function = DrilledFunction.find(f"functions:{name}")
    with ClientProcess(function, "http://127.0.0.1:1", "lab_a") as client:
        client.get_ready()
        return client.call([conversations], REAL, deadline)


ANSWERS = {
    "nothing": {"returned": None},
    "number": {"returned": 1},
    "array": {"returned": [0.5, None]},
    "scalars": {"returned": [0.5, 0.5]},
    "text": {"unusable": "str"},
    "nested": {"unusable": "list with a list"},
    "mapping": {"unusable": "dict"},
    "fails": {"raised": "ValueError: no"},
    "leaves": {"raised": "SystemExit: 3"},
    "dies": {"ended": "last words"},
    "prints": {"returned": [0.5]},
    "environment": {"returned": [1.0]},
    "leaves_a_thread": {"returned": [0.5]},
    "sleeps": {"returned": [0.5]},
    "awaitable": {"returned": [0.5]},
    "Client.rewards": {"returned": [0.25]},
}


@pytest.mark.parametrize(("name", "expected"), ANSWERS.items())
def test_a_process_reports_what_the_function_does(name: str, expected: dict[str, Any]) -> None:
    """Whatever it returns, raises, prints or leaves behind; sync or async."""
    assert called(name) == expected


def test_a_process_that_is_killed_has_its_exit_code() -> None:
    """It has no last words."""
    assert called("killed") == {"ended": "exit code -9"}


def test_values_arrive_as_they_are() -> None:
    """Also NaN, which is no JSON."""
    answer = called("echo", [[0.1, None, float("nan")]])
    assert str(answer) == "{'returned': [0.1, None, nan]}"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")
def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """Also its children."""
    assert called("leaves_a_process", [str(tmp_path / "child")], deadline=2.0) is None
    child = int((tmp_path / "child").read_text())
    for _ in range(200):
        if not is_running(child):
            return
        time.sleep(0.02)
    pytest.fail("the child still runs")


def is_running(process: int) -> bool:
    """Whether a process is there and is none that only waits to be collected."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "import os\nif 'LABS_URL' in os.environ: raise OSError('only here')\n",
            "cannot import changed: OSError: only here",
        ),
        ("import os\nif 'LABS_URL' in os.environ: os._exit(4)\n", "changed:score: exit code 4"),
    ],
)
def test_a_module_that_cannot_be_imported_there_is_reported(tmp_path: Path, text: str, expected: str) -> None:
    """Though this process could import it."""
    (tmp_path / "changed.py").write_text(f"{text}\ndef score(conversations): ...\n")
    sys.modules.pop("changed", None)
    function = DrilledFunction.find("changed:score")
    with ClientProcess(function, "http://127.0.0.1:1", "lab_a") as client, pytest.raises(LabsMockError, match=expected):
        client.get_ready()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_ends_when_the_drill_is_gone(tmp_path: Path) -> None:
    """However that ends."""
    script = f"""
import sys, threading
sys.path.insert(0, {str(tmp_path)!r})
from labs_mock.testing.drills.client_process import ClientProcess
from labs_mock.testing.drills.drilled_function import DrilledFunction
with ClientProcess(DrilledFunction.find("functions:leaves_a_thread"), "http://127.0.0.1:1", "lab_a") as client:
    client.get_ready()
    print(client._process.pid, flush=True)
    client.call([[]], {REAL!r}, 60)
    threading.Event().wait(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as drill:
        assert drill.stdout is not None
        timer = threading.Timer(30, drill.kill)
        timer.start()
        client = int(drill.stdout.readline())
        timer.cancel()
        os.kill(drill.pid, 9)
    for _ in range(200):
        if not is_running(client):
            return
        time.sleep(0.02)
    pytest.fail("the client still runs")
