import pytest

from tests.plugin.project import ASYNCIO, Project

CLIENTS = """
import asyncio
import functools
import time
from asyncio import sleep as nap
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import httpx


def retry(attempts, wait=1, sleep=time.sleep):
    '''Waits twice as long each time, as libraries do.'''
    def decorate(function):
        @functools.wraps(function)
        def call(*arguments):
            for attempt in range(attempts):
                try:
                    return function(*arguments)
                except httpx.HTTPStatusError:
                    sleep(wait * 2**attempt)
            raise RuntimeError("no answer")
        return call
    return decorate


@retry(5)
def evaluate(client, body):
    return client.post("/evaluate", json=body).raise_for_status().json()["reward"]


def until_reset(client):
    while (response := client.get("/catalog")).status_code == 429:
        sleep(int(response.headers["X-RateLimit-Reset"]) - time.time())


async def until_reset_in_loop(client):
    while (response := await client.get("/api/v1/catalog")).status_code == 429:
        await nap(max(0.001, int(response.headers["X-RateLimit-Reset"]) - time.time()))


async def many(client, requests):
    # 64 at once
    gate = asyncio.Semaphore(64)

    async def one():
        async with gate:
            await until_reset_in_loop(client)

    started = time.time()
    await asyncio.gather(*[one() for _ in range(requests)])
    return time.time() - started


def in_threads(client):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(until_reset, [client] * 130))
"""

TESTS = """
import clients
import pytest
from talk import SAID

pytestmark = pytest.mark.labs_mock(plan="standard")


def test_until_reset(labs_mock, labs_mock_client, labs_mock_time):
    for _ in range(200):
        clients.until_reset(labs_mock_client)
    assert labs_mock.now == "2026-01-01T00:03:00Z"
    assert labs_mock_time.sleeps == [60, 60, 60]


def test_threads(labs_mock, labs_mock_client, labs_mock_time):
    clients.in_threads(labs_mock_client)
    assert labs_mock.now == "2026-01-01T00:02:00Z"


@pytest.mark.labs_mock(faults=[{"path": "*/evaluate", "first": 3, "status": 503}])
def test_retries_of_a_library(labs_mock, labs_mock_client, labs_mock_time):
    assert clients.evaluate(labs_mock_client, SAID) > 0
    assert labs_mock_time.sleeps == [1, 2, 4]
    assert labs_mock.now == "2026-01-01T00:00:07Z"
"""

ASYNC_TESTS = """
import asyncio
import time

import clients
import httpx
import pytest

pytestmark = [pytest.mark.labs_mock(plan="standard"){mark}]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.parametrize("socket", [True, False], ids=["socket", "application"])
async def test_many(labs_mock, labs_mock_app, labs_mock_time, socket):
    transport = None if socket else httpx.ASGITransport(labs_mock_app)
    url, headers = labs_mock.url if socket else "http://127.0.0.1", {{"authorization": f"Bearer {{labs_mock.api_key}}"}}
    async with httpx.AsyncClient(transport=transport, base_url=url, headers=headers, trust_env=False) as client:
        assert 60 <= await clients.many(client, 70) < 61


async def test_64_at_once(labs_mock, labs_mock_time):
    await asyncio.gather(*[asyncio.sleep(60) for _ in range(64)])
    assert labs_mock.now == "2026-01-01T00:01:00Z"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 0.05)
    assert labs_mock.now == "2026-01-01T00:01:00Z"


async def test_real_again():
    started = time.monotonic()
    await asyncio.sleep(0.05)
    assert time.monotonic() - started >= 0.05
    assert time.time() > 1_767_225_600 + 1
"""

PLAIN = """
import asyncio

import clients
import httpx
import pytest


@pytest.mark.labs_mock(plan="standard")
def test_many(labs_mock, labs_mock_time):
    async def run():
        headers = {"authorization": f"Bearer {labs_mock.api_key}"}
        async with httpx.AsyncClient(base_url=labs_mock.url, headers=headers, trust_env=False) as client:
            assert 180 <= await clients.many(client, 200) < 181

    asyncio.run(run())
"""

WORKERS = """
import time
from datetime import datetime, timezone

import pytest


@pytest.mark.parametrize("minutes", range(4))
def test_it(labs_mock, labs_mock_time, minutes):
    for _ in range(minutes):
        time.sleep(60)
    assert labs_mock.now == f"2026-01-01T00:0{minutes}:00Z"
    assert datetime.now(timezone.utc) == datetime.fromisoformat(labs_mock.now)
"""

FAILURES = """
import asyncio
import threading
import time

import pytest
from labs_mock.testing import followed_time


def test_too_long(labs_mock_client, labs_mock_time):
    headers = labs_mock_client.get("/catalog").headers
    time.sleep(int(headers["X-RateLimit-Reset"]))


def test_in_a_task(labs_mock_time):
    async def wait():
        await asyncio.sleep(90_000)

    asyncio.run(wait())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_in_a_thread(labs_mock_time):
    thread = threading.Thread(target=time.sleep, args=[90_000])
    thread.start()
    thread.join()


def test_for_ever(labs_mock_time, monkeypatch):
    monkeypatch.setattr(followed_time, "MOST", 20)
    while True:
        try:
            time.sleep(1)
        except Exception:
            pass


def test_own_failure_comes_first(labs_mock_time):
    try:
        time.sleep(90_000)
    except BaseException:
        raise LookupError("the test's own") from None


def test_as_before(labs_mock):
    assert repr(time.sleep) == "<built-in function sleep>"
    assert time.time() > 1_767_225_600 + 1
    assert labs_mock.now == "2026-01-01T00:00:00Z"
"""


def test_clients_that_wait_take_no_time(project: Project) -> None:
    """Until the reset, in threads, as libraries wait between retries: on a minute's quota, without a second of sleep (RL-2)."""
    project.write("clients.py", CLIENTS)
    project.write("test_waiting.py", TESTS)
    project.run("-W", "error").assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("mode", "marks"),
    [
        pytest.param(
            "strict", [", pytest.mark.asyncio", ", pytest.mark.anyio"], marks=pytest.mark.slow, id="strict and anyio"
        ),
        pytest.param("auto", [""], id="auto"),
    ],
)
@pytest.mark.slow
def test_async_clients_neither(project: Project, mode: str, marks: list[str]) -> None:
    """Of each way to run async tests, over the socket and without; timers stay real, and the next test has its own time."""
    project.write("clients.py", CLIENTS)
    project.write("test_plain.py", PLAIN)
    for number, mark in enumerate(marks):
        project.write(f"test_{number}.py", ASYNC_TESTS.format(mark=mark))
    project.run(*ASYNCIO, f"--asyncio-mode={mode}", "-W", "error").assert_outcomes(passed=1 + 4 * len(marks))


@pytest.mark.slow
def test_workers_do_not_disturb_each_other(project: Project) -> None:
    """With pytest-xdist each has a server and a time of its own."""
    project.write("test_it.py", WORKERS)
    project.run("-n", "2").assert_outcomes(passed=4)


def test_a_sleep_that_is_hardly_meant_fails_the_test(project: Project) -> None:
    """With the line that slept, also where an error is lost; and afterwards everything is as before."""
    project.write("test_failures.py", FAILURES)
    result = project.run("-W", "error")
    result.assert_outcomes(passed=1, failed=5)
    long = ["`X-RateLimit-Reset` is the unix time in seconds *"]
    result.stdout.fnmatch_lines([
        "_* test_too_long _*",
        "labs-mock: test_failures.py:12 in test_too_long: a sleep of 1,767,225,660 s, which is more than a day.",
        *long,
        "_* test_in_a_task _*",
        "labs-mock: test_failures.py:17 in wait: a sleep of 90,000 s, which is more than a day.",
        *long,
        "_* test_in_a_thread _*",
        "labs-mock: *threading.py:* in run: a sleep of 90,000 s, which is more than a day.",
        *long,
        "_* test_for_ever _*",
        "labs-mock: test_failures.py:33 in test_for_ever: sleep number 20 of this test.",
        "_* test_own_failure_comes_first _*",
        "E * LookupError: the test's own",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("*labs_mock/testing/*")


def test_without_time_machine_it_says_what_to_install(project: Project) -> None:
    """The other fixtures do without."""
    project.write("conftest.py", "import sys\nsys.modules['time_machine'] = None\n")
    project.write("test_it.py", "def test_it(labs_mock_time): pass\ndef test_other(labs_mock_app): pass\n")
    result = project.run("-p", "no:time_machine")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["labs_mock_time needs time-machine: pip install 'labs-mock[[]pytest[]]', or in a checkout *"]
    )
