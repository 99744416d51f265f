"""The state of tests in a real Redis."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from redis import Redis

from tests.plugin.project import Project
from tests.plugin.test_isolation import CONFTEST, TESTS
from tests.state.redis_server import MISSING, redis_is_installed, redis_server

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not redis_is_installed(), reason=MISSING)]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a Redis."""
    with redis_server() as address:
        yield address


@pytest.fixture
def redis(server: str) -> Iterator[Redis]:
    """A client of it, which finds it empty and leaves it so: whatever runs in a test drops what it had."""
    with Redis.from_url(server) as client:
        client.config_resetstat()
        client.flushall()
        yield client
        assert client.keys() == []


def scripts_run(redis: Redis) -> int:
    """How many scripts were run since the start of the test."""
    found = redis.info("commandstats")
    assert isinstance(found, dict)
    return int(found.get("cmdstat_evalsha", {}).get("calls", 0))


def test_no_test_sees_what_another_one_did(project: Project, server: str, redis: Redis) -> None:
    """Each has a namespace of its own, also with workers of pytest-xdist."""
    project.write("conftest.py", CONFTEST)
    project.write("test_isolated.py", TESTS)
    project.run("-p", "xdist", "-n", "2", f"--labs-mock-state={server}").assert_outcomes(passed=14)
    assert scripts_run(redis) > 14 * 10


WHERE = """
import pytest
from redis import Redis

SAID = {"collection_slug": "cases", "scenario_slug": "claim"}
SAID["messages"] = [{"role": role, "content": "Hm."} for role in ("user", "assistant")]


def check(number, mock, client):
    client.post("/evaluate", json=SAID)
    assert len(mock.requests) == 1
    names = [key.decode() for key in Redis.from_url("@SERVER").keys("*}:meta")]
    assert len(names) == number
    assert all(name.startswith("{labs-mock-pytest-") for name in names)


def test_plain(labs_mock, labs_mock_client):
    check(2, labs_mock, labs_mock_client)


@pytest.mark.labs_mock(state="")
def test_memory(labs_mock, labs_mock_client):
    check(1, labs_mock, labs_mock_client)


@pytest.mark.labs_mock(state="@SERVER")
def test_redis(labs_mock, labs_mock_client):
    check(2, labs_mock, labs_mock_client)


@pytest.mark.labs_mock(state="unix:///nothing/here?db=0")
def test_nothing(labs_mock):
    pass


@pytest.mark.labs_mock(state="redis://:lab-secret@localhost/0")
def test_password(labs_mock):
    pass
"""


def test_where_the_state_is_stands_where_options_do(project: Project, server: str, redis: Redis) -> None:
    """In the ini file or in a marker; the other tests have it on the command line. The session's world and a test's have a namespace each.

    An address that is not one, or where no store is, is one line.
    """
    assert redis.keys() == []
    project.write_scenarios("folder", "cases")
    project.configure("labs_mock_scenarios = folder", f"labs_mock_state = {server}")
    project.write("test_where.py", WHERE.replace("@SERVER", server))
    result = project.run()
    result.assert_outcomes(passed=3, errors=2)
    result.stdout.fnmatch_lines(
        ["*labs-mock: state: unix:///nothing/here*db=0: it does not answer (No such file or directory)"]
    )
    result.stdout.fnmatch_lines(["*labs-mock: state: expected an address without *LABS_MOCK_STATE_PASSWORD*"])
    result.stdout.no_fnmatch_line("*Traceback*")


BESIDE = """
import time
from pathlib import Path

from talk import SAID


def test_beside(labs_mock, labs_mock_client):
    answers = [labs_mock_client.post("/evaluate", json=SAID) for _ in range(3)]
    Path("@OWN").touch()
    end = time.monotonic() + 150
    while not Path("@OTHER").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    labs_mock.reset()  # which would be refused if another server had this state
    answers += [labs_mock_client.post("/evaluate", json=SAID) for _ in range(3)]
    assert len({answer.json()["request_id"] for answer in answers}) == 3  # those of the attempts 1 to 3, twice
    assert len(labs_mock.requests) == 3
"""


def test_two_sessions_on_one_redis_do_not_meet(
    project: Project, server: str, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Though they have the same tests, and are in the middle of them at the same time."""
    assert redis.keys() == []
    marks, sessions = tmp_path_factory.mktemp("marks"), []
    for own, other in ("ab", "ba"):
        text = BESIDE.replace("@OWN", str(marks / own)).replace("@OTHER", str(marks / other))
        project.write(f"test_{own}.py", text)
        command = [sys.executable, "-m", "pytest", f"test_{own}.py", f"--labs-mock-state={server}"]
        sessions.append(subprocess.Popen(command, cwd=project.path, stdout=subprocess.PIPE, text=True))
    outputs = [session.communicate(timeout=300)[0] for session in sessions]
    assert [session.returncode for session in sessions] == [0, 0], "\n".join(outputs)
    assert ["1 passed" in output for output in outputs] == [True, True]


INTERRUPTED = """
from redis import Redis
from talk import SAID


def test_interrupted(labs_mock, labs_mock_client):
    labs_mock_client.post('/evaluate', json=SAID)
    redis = Redis.from_url("@SERVER")
    assert [0 < redis.ttl(key) <= 3600 for key in redis.keys("*}:meta")] == [True, True]  # if nobody could drop them
    raise KeyboardInterrupt
"""


def test_nothing_is_left_of_a_session_that_is_interrupted(project: Project, server: str, redis: Redis) -> None:
    """What is left of one that was killed goes an hour later."""
    project.write("test_interrupted.py", INTERRUPTED.replace("@SERVER", server))
    assert project.run(f"--labs-mock-state={server}").ret == pytest.ExitCode.INTERRUPTED
    assert redis.keys() == []


FIXTURES = """
import time

import pytest
from talk import SAID


def test_application(labs_mock_app):
    pass


@pytest.mark.labs_mock(state="")
def test_application_in_memory(labs_mock_app):
    assert labs_mock_app is not None


def test_time(labs_mock, labs_mock_client, labs_mock_time):
    before = labs_mock.now
    time.sleep(30)
    assert labs_mock_time.sleeps == [30]
    assert before[:-3] + "30Z" == labs_mock.now
    labs_mock.advance(3600)
    assert time.gmtime()[3:6] == (1, 0, 30)


@pytest.mark.labs_mock(faults=[{"path": "*/evaluate", "nth": 1, "status": 503}])
def test_faults(labs_mock, labs_mock_client):
    assert [labs_mock_client.post("/evaluate", json=SAID).status_code for _ in range(2)] == [503, 200]


@pytest.mark.labs_mock(faults=[{"path": "*/evaluate", "nth": 7, "status": 503}])
def test_unused_fault(labs_mock, labs_mock_client):
    labs_mock_client.post("/evaluate", json=SAID)


def test_refusal(labs_mock, labs_mock_client):
    assert labs_mock_client.get("/nothing").status_code == 404


def test_ended_episode(labs_mock, labs_mock_client):
    with labs_mock.expect(status=401):
        labs_mock_client.get("/catalog", headers={"authorization": "Bearer lab_nobody"})
    labs_mock.set_dataset("0a9d5c7e-3e21-4b6f-b8f0-62d4e1a7c938", "failed", error="No")
    assert labs_mock_client.get("/training-datasets/0a9d5c7e-3e21-4b6f-b8f0-62d4e1a7c938/export").status_code == 500
"""


def test_what_a_test_is_judged_by_is_the_same(project: Project, server: str, redis: Redis) -> None:
    """Refusals, faults, time; the application for another loop is refused, with what to write instead."""
    assert redis.keys() == []
    project.write("test_fixtures.py", FIXTURES)
    result = project.run(f"--labs-mock-state={server}")
    result.assert_outcomes(passed=4, failed=2, errors=1)
    result.stdout.fnmatch_lines([
        '*labs_mock_app: connections to the state in Redis are in the loop of the server, not of the test; use a client of*',
        '*labs-mock never applied a fault of this test:',
        '*{"path": "*/evaluate", "nth": 7, "status": 503}: 1 request matched it, and none triggered it',
        '*labs-mock refused requests, which the test did not expect:',
        '*GET /api/v1/nothing -> 404*',
    ])  # fmt: skip


ENDING = """
from redis import Redis
from talk import SAID


def test_ending(labs_mock, labs_mock_client):
    Redis.from_url("@SERVER").shutdown(nosave=True, now=True)
    labs_mock_client.post("/evaluate", json=SAID)


def test_in_memory():
    pass
"""


def test_a_store_that_ends_fails_the_test_alone(project: Project) -> None:
    """With the reason in a line; the session goes on and ends."""
    with redis_server() as address:
        project.write("test_ending.py", ENDING.replace("@SERVER", address))
        result = project.run(f"--labs-mock-state={address}")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*labs-mock: The store of this server's state does not answer*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
