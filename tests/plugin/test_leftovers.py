import sys
import threading

import pytest

from labs_mock.state.arrival import Arrival
from labs_mock.state.bounds import Bounds
from labs_mock.state.commit import Commit
from labs_mock.state.record import Record
from labs_mock.testing.request_report import summary, warnings_in
from tests.plugin.project import Project
from tests.support import result_of, world

EMPTY = Record(0.0, "GET", "/", "", None, None, (), "", 0, b"", 200, b"", 0, (), (), (), 0, 0, None, None)

THREADS = """
import threading
import time

import httpx
import pytest

LEFT = []


class Caller(threading.Thread):
    def __init__(self, call):
        super().__init__(daemon=True)
        self.call, self.seen = call, []
        LEFT.append(self)
        self.start()

    def run(self):
        while True:
            try:
                self.seen.append(self.call())
            except Exception as error:
                self.seen.append(type(error))
                time.sleep(0.001)


def wait_for(caller, more):
    enough = len(caller.seen) + more
    for _ in range(1_000):
        if len(caller.seen) >= enough:
            return
        time.sleep(0.01)
    raise AssertionError("the thread has stopped")
"""

WITH_A_KEY = """
from threads import LEFT, Caller, httpx, pytest, wait_for


@pytest.mark.parametrize("client", ["kept", "new"])
def test_leaves_a_thread(labs_mock, client):
    url, headers = f"{labs_mock.url}/api/v1/catalog", {"authorization": f"Bearer {labs_mock.api_key}"}
    get = httpx.Client(trust_env=False).get if client == "kept" else httpx.get
    caller = Caller(lambda: get(url, headers=headers).status_code)
    wait_for(caller, 5)
    assert set(caller.seen) == {200}


@pytest.mark.parametrize("again", [1, 2])
def test_comes_after_it(labs_mock, labs_mock_client, again):
    before = [len(caller.seen) for caller in LEFT]
    for caller in LEFT:
        wait_for(caller, 20)
    assert labs_mock_client.get("/catalog").status_code == 200
    assert [set(caller.seen[start + 1:]) for caller, start in zip(LEFT, before, strict=True)] == [{401}, {401}]
    assert [one.path for one in labs_mock.requests] == ["/api/v1/catalog"]
"""

WITH_THE_MOCK = """
from threads import LEFT, Caller, wait_for


def test_leaves_a_thread(labs_mock):
    wait_for(Caller(lambda: labs_mock.advance(60)), 5)


def test_comes_after_it(labs_mock):
    wait_for(LEFT[0], 20)
    assert labs_mock.now == "2026-01-01T00:00:00Z"
"""

STREAMS = """
import socket
from contextlib import suppress

import pytest

PENSION_TALKS = "b81e4c07-92d3-4f6a-8b15-0c7d9e2f6a31"  # 10,000 rows
LEFT = []


def ask(mock, path):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that the server cannot be done already
    connection.settimeout(10)
    connection.connect(("127.0.0.1", int(mock.url.rpartition(":")[2])))
    connection.sendall(f"GET {path} HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer {mock.api_key}\\r\\n\\r\\n".encode())
    LEFT.append(connection)
    return connection


def test_leaves_an_export(labs_mock):
    assert ask(labs_mock, f"/api/v1/training-datasets/{PENSION_TALKS}/export").recv(100).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.labs_mock(faults=[{"path": "*/catalog", "delay": 5, "before": "body"}])  # for ever, on a frozen clock
def test_leaves_an_answer_that_waits(labs_mock):
    assert ask(labs_mock, "/api/v1/catalog").recv(100).startswith(b"HTTP/1.1 200 OK")


def rest(connection):
    received = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            received += part
    return received


def test_comes_after_them(labs_mock):
    export, waiting = map(rest, LEFT)
    assert not export.endswith(b"\\r\\n0\\r\\n\\r\\n")
    assert b"collections" not in waiting
    assert labs_mock.requests == []
"""


WORLDS = """
import gc
import weakref

from labs_mock.pytest_plugin.open_world import OPEN_WORLD
from talk import SAID

LEFT = []


def test_has_a_world(labs_mock_app, labs_mock_client, request):
    labs_mock_client.post("/evaluate", json=SAID)
    LEFT.append(weakref.ref(request.node.stash[OPEN_WORLD].world))


def test_comes_after_it(labs_mock):
    gc.collect()
    assert [world() for world in LEFT] == [None]
"""


@pytest.mark.slow
def test_a_thread_that_goes_on_does_not_disturb_the_next_test(project: Project) -> None:
    """Its key is rejected, on a kept connection or a new one, and the next journal has no request of it."""
    project.write("threads.py", THREADS)
    project.write("test_threads.py", WITH_A_KEY)
    project.run().assert_outcomes(passed=4)


def test_a_thread_that_goes_on_with_labs_mock_does_not_either(project: Project) -> None:
    """What it does to its server has no effect on the world of the next test."""
    project.write("threads.py", THREADS)
    project.write("test_threads.py", WITH_THE_MOCK)
    project.run().assert_outcomes(passed=2)


@pytest.mark.slow
def test_a_response_that_was_left_half_read_is_broken_off(project: Project) -> None:
    """When its test ends, an export as well as a response that waits for the clock."""
    project.write("test_streams.py", STREAMS)
    project.run().assert_outcomes(passed=3)


@pytest.mark.slow
def test_a_world_ends_with_its_test(project: Project) -> None:
    """A session of many tests has the journal of one at a time in memory."""
    project.write("test_worlds.py", WORLDS)
    project.run().assert_outcomes(passed=2)


def test_a_journal_that_grows_can_be_reported() -> None:
    """A thread that still sends requests when its test ends does not make the report fail."""

    def grow() -> None:
        while not enough.is_set():
            result_of(served.store.commit(Commit(epoch, served.token(), EMPTY)))

    served, enough, interval = world(bounds=Bounds(records=1_000)), threading.Event(), sys.getswitchinterval()
    epoch = result_of(served.store.arrive(Arrival("GET", "/", "", b"", None, api=False, valid=False))).epoch
    thread = threading.Thread(target=grow)
    sys.setswitchinterval(1e-6)
    try:
        thread.start()
        for _ in range(300):
            assert result_of(warnings_in(served)) == []
            assert result_of(summary(served)).startswith("requests: ")
    finally:
        enough.set()
        thread.join()
        sys.setswitchinterval(interval)
