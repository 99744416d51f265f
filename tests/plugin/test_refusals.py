from textwrap import dedent, indent
from typing import NamedTuple

import pytest

from tests.plugin.project import Project

CONFTEST = """
import threading

import httpx
import pytest
from talk import BY_HAND, MESSAGES, SAID, SCENARIO

TURN = {"messages": MESSAGES[1:]}
UNKNOWN = {**SAID, "scenario_slug": "unknown"}
FAILED = "e61f0d38-5b7c-4a92-8d4e-93a2c7b1f056"  # two shipped datasets
CHECK_INS = "3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d"
MINE = "9c1d7a52-0b3e-4f68-a1d4-5e2f90b7c861"


def dataset(**stage):
    return {"id": MINE, "name": "Mine", "lifecycle": [stage]}


class Caller:
    def __init__(self, mock, key):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.http = httpx.Client(base_url=f"{mock.url}/api/v1", headers=headers, trust_env=False)

    def evaluate(self, body=SAID):
        return self.http.post("/evaluate", json=body).status_code

    def start(self):
        return self.http.post("/episodes", json=SCENARIO).json()["episode_id"]

    def turn(self, episode):
        return self.http.post(f"/episodes/{episode}/turns", json={"id": episode, **TURN}).status_code

    def export(self, name):
        return self.http.get(f"/training-datasets/{name}/export").status_code


@pytest.fixture
def caller(labs_mock):
    made = []

    def caller(key=labs_mock.api_key):
        made.append(Caller(labs_mock, key))
        return made[-1]

    yield caller
    for one in made:
        one.http.close()


def break_down(*_):
    raise RuntimeError("a mistake in the mock")
"""
HEAD = """
import asyncio
import threading

import httpx
import pytest
from conftest import *
from labs_mock.testing import ControlError, LabsMock
"""


class Row(NamedTuple):
    """The body of a test; arguments of its marker; and the line that fails it, empty for what is asked for."""

    body: str
    marker: str = ""
    line: str = ""
    module: str = ""


EVALUATE, TURNS = "POST /api/v1/evaluate -> ", "POST /api/v1/episodes/*/turns -> "
EXPORT = "GET /api/v1/training-datasets/*/export -> "

ROWS = {
    # A fault of that status
    "fault_error": Row("assert c.evaluate() == 503", 'faults=[{"path": "*/evaluate", "status": 503}]'),
    "fault_added": Row("m.add_fault(path='*/evaluate', status=401); assert c.evaluate() == 401"),
    "fault_removed": Row("m.add_fault(path='*/evaluate', status=400); assert c.evaluate() == 400; m.remove_faults()"),
    "fault_of_another_kind": Row(
        "assert c.evaluate(UNKNOWN) == 404",
        'faults=[{"path": "*/evaluate", "content_type": "text/html"}]',
        f"{EVALUATE}404 (content type text/html): Scenario not found: *",
    ),
    "fault_of_another_request": Row(
        "assert [c.evaluate(), c.evaluate(UNKNOWN)] == [503, 404]",
        'faults=[{"path": "*/evaluate", "nth": 1, "status": 503}]',
        f"{EVALUATE}404: Scenario not found: *",
    ),
    **{
        f"broken_by_{kind}": Row(
            "with pytest.raises(httpx.TransportError):\n    c.evaluate()",
            f'faults=[{{"path": "*/evaluate", "{kind}": {value}}}]',
        )
        for kind, value in (("close", "True"), ("reset", '"head"'), ("cut", "20"))
    },
    "garbage": Row("assert c.evaluate() == 200", 'faults=[{"path": "*/evaluate", "garbage": True}]'),
    "broken_by_nothing": Row(
        "def cut(*_):\n    yield b'{}\\n'\n    break_down()\n"
        "monkeypatch.setattr('labs_mock.state.caches.joined', cut)\n"
        "with pytest.raises(httpx.TransportError):\n    c.export(BY_HAND)",
        line=f"{EXPORT}200 (broken by an error of the mock after 3 bytes)",
    ),
    # expect
    "expected": Row("with m.expect(status=404, path='*/evaluate'):\n    c.evaluate(UNKNOWN)"),
    "expected_anywhere": Row("with m.expect(status=404):\n    c.evaluate(UNKNOWN)\n    c.turn('ep_x')"),
    "expected_method": Row("with m.expect(status=405, method='put'):\n    c.http.put('/evaluate')"),
    "expected_in_a_thread": Row(
        "go, done = threading.Event(), threading.Event()\n"
        "def later():\n    go.wait()\n    c.evaluate(UNKNOWN)\n    done.set()\n"
        "threading.Thread(target=later).start()\n"
        "with m.expect(status=404):\n    go.set()\n    assert done.wait(30)"
    ),
    "expected_and_raised": Row(
        "with pytest.raises(httpx.HTTPStatusError), m.expect(status=404):\n"
        "    c.http.post('/evaluate', json=UNKNOWN).raise_for_status()"
    ),
    "expected_after_forgetting": Row(
        "c.evaluate()\nc.evaluate()\nwith m.expect(status=404):\n    m.forget_requests()\n    c.evaluate(UNKNOWN)"
    ),
    "expected_in_each_other": Row(
        "with m.expect(status=404), m.expect(status=400):\n    c.evaluate(UNKNOWN)\n    c.evaluate({})"
    ),
    "expected_a_moment_later": Row(
        "c.evaluate(UNKNOWN)\nwith m.expect(status=404):\n    c.turn('ep_x')",
        line=f"{EVALUATE}404: Scenario not found: *",
    ),
    "expected_a_moment_before": Row(
        "with m.expect(status=404):\n    c.turn('ep_x')\nc.evaluate(UNKNOWN)",
        line=f"{EVALUATE}404: Scenario not found: *",
    ),
    "expected_of_another_status": Row(
        "with m.expect(status=404):\n    c.turn('ep_x')\n    c.evaluate({})",
        line=f"{EVALUATE}400: *: is required*",
    ),
    "expected_of_another_path": Row(
        "with m.expect(status=404, path='*/turns'):\n    c.turn('ep_x')\n    c.evaluate(UNKNOWN)",
        line=f"{EVALUATE}404: Scenario not found: *",
    ),
    "expected_of_another_method": Row(
        "with m.expect(status=405, method='PUT'):\n    c.http.put('/evaluate')\n    c.http.get('/evaluate')",
        line="GET /api/v1/evaluate -> 405: Method not allowed; use POST",
    ),
    "expected_before_forgetting": Row(
        "with m.expect(status=404):\n    c.turn('ep_x')\nm.forget_requests()\nc.turn('ep_x')",
        line=f"{TURNS}404: Episode not found",
    ),
    "expected_and_never_used": Row(
        "with m.expect(status=404, path='*/evaluate'):\n    c.evaluate()",
        line="E *AssertionError: expect: no request to [*]/evaluate was answered 404 while the block was open",
    ),
    "expected_and_never_raised": Row(
        "with pytest.raises(ValueError), m.expect(status=503):\n    raise ValueError",
        line="E *AssertionError: expect: no request was answered 503 while the block was open",
    ),
    "expected_without_with": Row(
        "m.expect(status=404)\nc.evaluate(UNKNOWN)", line=f"{EVALUATE}404: Scenario not found: *"
    ),
    # The test's own plan; the plan of the ini file is standard
    "own_plan": Row("assert {c.evaluate() for _ in range(61)} == {200, 429}", 'plan="standard"'),
    "own_plan_of_the_module": Row(
        "assert {c.evaluate() for _ in range(61)} == {200, 429}",
        module="pytestmark = pytest.mark.labs_mock(plan='standard')",
    ),
    "plan_of_an_added_key": Row(
        "m.add_key('lab_added', 'acme', requests_per_minute=1)\nc = caller('lab_added')\n"
        "assert [c.evaluate(), c.evaluate()] == [200, 429]"
    ),
    "plan_of_a_changed_key": Row(
        "m.change_key(m.api_key, requests_per_minute=1)\nassert [c.evaluate(), c.evaluate()] == [200, 429]"
    ),
    "plan_of_the_ini_file": Row(
        "assert {c.evaluate() for _ in range(61)} == {200, 429}", line=f"{EVALUATE}429: Rate limit exceeded"
    ),
    "plan_of_another_key": Row(
        "m.add_key('lab_added', 'acme', requests_per_minute=1)\nassert {c.evaluate() for _ in range(61)} == {200, 429}",
        line=f"{EVALUATE}429: Rate limit exceeded",
    ),
    "plan_that_has_not_changed": Row(
        "m.change_key(m.api_key, score_access='full')\nassert {c.evaluate() for _ in range(61)} == {200, 429}",
        line=f"{EVALUATE}429: Rate limit exceeded",
    ),
    # Its datasets
    "own_dataset": Row(
        "assert c.export(MINE) == 500",
        'datasets=[{"id": MINE, "name": "Mine", "lifecycle": [{"status": "failed", "error": "No"}]}]',
    ),
    "own_dataset_cancelled": Row("m.add_dataset(dataset(status='cancelled'))\nassert c.export(MINE.upper()) == 409"),
    "own_dataset_pending": Row("m.set_dataset(BY_HAND, 'pending')\nassert c.export(BY_HAND) == 202"),
    "own_status": Row("m.set_dataset(BY_HAND, 'cancelled')\nassert c.export(BY_HAND) == 409"),
    "shipped_dataset_not_ready": Row("assert c.export(CHECK_INS) == 202"),
    "shipped_dataset": Row("assert [c.export(FAILED) for _ in range(3)] == [202, 202, 500]", line=f"{EXPORT}500: *"),
    "status_of_another_dataset": Row(
        "m.set_dataset(BY_HAND, 'failed', error='No')\nwhile c.export(FAILED) == 202: pass",
        line=f"{EXPORT}500: *",
    ),
    "own_dataset_and_a_mistake": Row(
        "m.set_dataset(BY_HAND, 'failed', error='No')\n"
        "monkeypatch.setattr('labs_mock.state.memory.store.MemoryStore.poll_dataset', break_down)\n"
        "assert c.export(BY_HAND) == 500",
        line=f"{EXPORT}500: Internal error of the mock server, *",
    ),
    # An earlier write to that key, episode or clock
    "key_revoked": Row("m.change_key(m.api_key, revoked=True)\nassert c.evaluate() == 401"),
    "key_expired": Row(
        "m.add_key('lab_added', 'acme', expires='2026-01-02T00:00:00Z')\nm.advance(86400)\n"
        "assert caller('lab_added').evaluate() == 401"
    ),
    "key_forgotten": Row(
        "m.add_key('lab_added', 'acme')\nm.reset('keys')\nassert caller('lab_added').evaluate() == 401"
    ),
    "key_without_subscription": Row("m.change_key(m.api_key, subscriptions=['coaching'])\nassert c.evaluate() == 403"),
    "key_of_others": Row("m.add_key('lab_added', 'acme')\nassert caller('lab_added').turn(c.start()) == 404"),
    "key_wrong": Row("assert caller('lab_wrong').evaluate() == 401", line=f"{EVALUATE}401: Invalid or missing API key"),
    "key_missing": Row("assert caller(None).evaluate() == 401", line=f"{EVALUATE}401: Invalid or missing API key"),
    "key_of_another_write": Row(
        "m.add_key('lab_added', 'acme', revoked=True)\nassert caller('lab_wrong').evaluate() == 401",
        line=f"{EVALUATE}401: Invalid or missing API key",
    ),
    "key_written_later": Row(
        "assert caller('lab_added').evaluate() == 401\nm.add_key('lab_added', 'acme', revoked=True)",
        line=f"{EVALUATE}401: Invalid or missing API key",
    ),
    "key_valid_and_badly_sent": Row(
        "m.add_key('lab_added', 'acme')\nassert caller(' lab_added').evaluate() == 401",
        line=f"{EVALUATE}401: Invalid or missing API key",
    ),
    "key_written_and_a_bad_body": Row(
        "m.change_key(m.api_key, name='mine')\nassert c.evaluate({}) == 400", line=f"{EVALUATE}400: *: is required*"
    ),
    "subscription_of_the_folder": Row(
        "assert c.evaluate() == 403",
        "scenarios='restricted', plan='enterprise'",
        f"{EVALUATE}403: No active subscription for collection",
    ),
    "episode_ended": Row("episode = c.start()\nm.terminate(episode)\nassert c.turn(episode) == 400"),
    "episode_ended_by_another_client": Row(
        "episode = c.start()\nm.terminate(c.start())\nwhile c.turn(episode) == 200: pass",
        'findings="ignore"',
        f"{TURNS}400: Episode already complete",
    ),
    "episode_ended_and_a_bad_body": Row(
        "episode = c.start()\nm.terminate(episode)\nassert c.http.post(f'/episodes/{episode}/turns', json={}).status_code == 400",
        line=f"{TURNS}400: messages: is required*",
    ),
    "episode_forgotten": Row("episode = c.start()\nm.reset('episodes')\nassert c.turn(episode) == 404"),
    "episode_expired": Row("episode = c.start()\nm.advance(86400)\nassert c.turn(episode) == 404"),
    "episode_expired_by_a_date": Row(
        "episode = c.start()\nm.set_clock('2027-01-01T00:00:00Z')\nassert c.turn(episode) == 404"
    ),
    "episode_that_never_was": Row(
        "c.start()\nm.advance(86400)\nassert c.turn('ep_x') == 404", line=f"{TURNS}404: Episode not found"
    ),
    "clock_moved_and_an_unknown_scenario": Row(
        "m.advance(86400)\nassert c.evaluate(UNKNOWN) == 404", line=f"{EVALUATE}404: Scenario not found: *"
    ),
    # Whose requests, and which
    "key_of_the_settings": Row("assert caller('lab_local').evaluate(UNKNOWN) == 404"),
    "key_that_the_test_added": Row(
        "m.add_key('lab_added', 'acme')\nassert caller('lab_added').evaluate(UNKNOWN) == 404",
        line=f"{EVALUATE}404: Scenario not found: *",
    ),
    "control_plane": Row("with pytest.raises(ControlError):\n    m.add_fault(status=200)"),
    "path_without_the_prefix": Row(
        "assert httpx.post(f'{m.url}/v1/evaluate', json=SAID).status_code == 404",
        line="POST /v1/evaluate -> 404: Not found: no such path",
    ),
    "without_a_socket": Row(
        "async def refused():\n"
        "    async with httpx.AsyncClient(transport=httpx.ASGITransport(labs_mock_app), base_url=m.url) as http:\n"
        "        return (await http.post('/api/v1/evaluate')).status_code\n"
        "assert asyncio.run(refused()) == 401",
        line=f"{EVALUATE}401: Invalid or missing API key",
    ),
    "without_a_socket_and_expected": Row(
        "async def refused():\n"
        "    async with httpx.AsyncClient(transport=httpx.ASGITransport(labs_mock_app), base_url=m.url) as http:\n"
        "        return (await http.post('/api/v1/evaluate')).status_code\n"
        "with m.expect(status=401):\n    assert asyncio.run(refused()) == 401",
    ),
    "client_that_leaves": Row(
        "with c.http.stream('GET', '/training-datasets/b81e4c07-92d3-4f6a-8b15-0c7d9e2f6a31/export'):\n    pass"
    ),
    "forgotten": Row("c.evaluate(UNKNOWN)\nm.forget_requests()"),
    "ignored": Row("c.evaluate(UNKNOWN)", 'refusals="ignore"'),
    "warned": Row("c.evaluate(UNKNOWN)", 'refusals="warn"'),
    "own_failure_first": Row("c.evaluate(UNKNOWN)\nassert 1 == 2", line="E * assert 1 == 2"),
}
"""What a test does with the test's key and a handle on the mock; whether it passes, or by which line it fails."""

TEST = """
{module}

@pytest.mark.labs_mock({marker})
def test_{name}(labs_mock, labs_mock_app, caller, monkeypatch):
    m, c = labs_mock, caller()
{body}
"""
RESTRICTED = """
keys:
  - {key: lab_first, organisation: acme, subscriptions: [others]}
"""


@pytest.mark.slow
def test_every_refusal_needs_somebody_who_asked_for_it(project: Project) -> None:
    """Each row with its counterparts, with a real client (RL-1, RL-2, AUTH-1, AUTH-2, EP-13, DS-3, GEN-3)."""
    project.configure("labs_mock_plan = standard")
    project.write("conftest.py", CONFTEST)
    project.write_scenarios("restricted", "case-management")
    project.write_scenarios("restricted", "others")
    project.write("restricted/server.yaml", RESTRICTED)
    for name, row in ROWS.items():
        body = indent(dedent(row.body), "    ")
        text = TEST.format(module=row.module, marker=row.marker, name=name, body=body)
        project.write(f"test_{name}.py", HEAD + text)
    result = project.run("--tb=short")
    failing = {name: row.line for name, row in ROWS.items() if row.line}
    outcomes = result.parseoutcomes()
    failed = {line.split("::test_")[1].split(" ")[0] for line in result.outlines if line.startswith("FAILED ")}
    assert failed == set(failing)
    assert outcomes["passed"] == len(ROWS) - len(failing)
    for name, line in failing.items():
        section = result.stdout.str().split(f" test_{name} _")[1].split("\n____")[0]
        pytest.LineMatcher(section.splitlines()).fnmatch_lines([line])


MOMENTS = """
import unittest

import pytest
from conftest import *


@pytest.fixture
def refused_before(caller):
    caller().evaluate(UNKNOWN)


@pytest.fixture
def refused_after(caller):
    yield
    caller().evaluate(UNKNOWN)


def test_before(refused_before):
    pass


def test_after(refused_after):
    pass


def test_skipped(caller):
    caller().evaluate(UNKNOWN)
    pytest.skip("after a refusal")


@pytest.mark.xfail(strict=True, reason="it has a refusal")
def test_expected_to_fail(caller):
    caller().evaluate(UNKNOWN)


def test_skipped_in_a_block(labs_mock):
    with labs_mock.expect(status=404):
        pytest.skip("before a refusal")


@pytest.mark.usefixtures("labs_mock_env")
class TestOfUnittest(unittest.TestCase):
    def test_of_unittest(self):
        httpx.post(f"{os.environ['LABS_URL']}/api/v1/evaluate")

    def test_that_fails_by_itself(self):
        httpx.post(f"{os.environ['LABS_URL']}/api/v1/evaluate")
        self.fail("of its own")


@pytest.mark.labs_mock(findings="error")
def test_many(labs_mock, caller):
    for number in range(30):
        caller().turn(f"ep_{number}")
        caller().evaluate({**UNKNOWN, "mesages": []})
    caller().http.get(f"/nothing/{labs_mock.api_key}")
"""


@pytest.mark.slow
def test_a_test_is_judged_when_its_function_has_ended(project: Project) -> None:
    """With the requests of fixtures before it; not if it has failed or was skipped. Long lists are cut, and keys masked."""
    project.write("conftest.py", CONFTEST)
    project.write("test_moments.py", MOMENTS.replace("import unittest\n", "import os\nimport unittest\n"))
    result = project.run("--tb=short")
    result.assert_outcomes(passed=1, failed=4, skipped=2, xfailed=1)
    result.stdout.fnmatch_lines([
        "_* test_before _*",
        "labs-mock refused requests, *",
        f"{EVALUATE}404: *",
        "_* TestOfUnittest.test_of_unittest _*",
        "labs-mock refused requests, *",
        f"{EVALUATE}401: *",
        "_* TestOfUnittest.test_that_fails_by_itself _*",
        "E *AssertionError: of its own",
        "_* test_many _*",
        "labs-mock refused requests, *",
        "POST /api/v1/episodes/ep_0/turns -> 404: Episode not found",
        '  meant? then write: with labs_mock.expect(status=404, path="/api/v1/episodes/[*]/turns"):',
        f"{EVALUATE}404: Scenario not found: * (30 times)",
        '  meant? then write: with labs_mock.expect(status=404, path="/api/v1/evaluate"):',
        "POST /api/v1/episodes/ep_8/turns -> 404: Episode not found",
        '  meant? then write: *',
        "and 22 more",
        '(refusals="warn" or "ignore" in the marker labs_mock lets them pass)',
        "labs-mock has findings, *",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("*lab_of_a_test_*")
