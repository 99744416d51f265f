import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import pytest

from labs_mock.contract.findings import KINDS, RUN_KINDS
from labs_mock.contract.requests import Evaluate
from labs_mock.state.bounds import Bounds
from tests.cli.running import run
from tests.http.control.test_findings import conversation, sends_a_lost_turn_again, submits_no_last_turn
from tests.support import Live, live, world

ODD = {**conversation(), "mesages": []}
FIELDS = sorted(Evaluate.model_fields)


@pytest.fixture
def server() -> Iterator[Live]:
    """A server to which nobody has sent anything."""
    with live(world()) as served:
        yield served


def test_each_kind_is_explained_once(server: Live) -> None:
    """With its cause and what to change; requests that are alike share a line, and warnings come first."""
    submits_no_last_turn(server)
    for _ in range(12):
        server.post("/evaluate", ODD)
    server.post("/evaluate", {**ODD, "surprise": 1})
    result = run("findings", server.url)
    episode = server.stored_episodes()[0].id
    assert result.output.splitlines() == [
        "unknown_field (warning): 14 findings",
        KINDS["unknown_field"].cause,
        KINDS["unknown_field"].cure,
        "  requests 3, 4, 5, 6, 7, 8, 9, 10 and 5 more: POST /api/v1/evaluate -> 200 at mesages: did you mean 'messages'?",
        f"  request 15: POST /api/v1/evaluate -> 200 at surprise: expected one of: {', '.join(FIELDS)}",
        "",
        "episode_unfinished (info): 1 finding",
        RUN_KINDS["episode_unfinished"].cause,
        RUN_KINDS["episode_unfinished"].cure,
        f"  requests 1 and 2: POST /api/v1/episodes/{episode}/turns -> 200 at {episode}: after 1 turn",
        "",
        f"{server.url}: 14 warnings, 1 info",
    ]
    assert result.exit_code == 1


def test_infos_are_no_failure(server: Live) -> None:
    """A server without warnings ends it with 0, in every format."""
    submits_no_last_turn(server)
    for form in ("text", "json", "junit"):
        assert run("findings", server.url, "--format", form).exit_code == 0
    server.reset()
    assert run("findings", server.url).output == f"{server.url}: 0 warnings, 0 infos\n"


def test_json_has_what_is_listed_and_what_to_change(server: Live) -> None:
    """Findings with requests, cause and cure, those over the run apart from those of a request with the same code."""
    server.client.post("/_mock/faults", json={"path": "*/turns", "nth": 2, "reset": 10}).raise_for_status()
    sends_a_lost_turn_again(server)
    result = run("findings", f"{server.url}/", "--format", "json")
    report = json.loads(result.output)
    assert (report["url"], report["passed"], report["counts"]) == (server.url, False, {"warning": 1, "info": 0})
    (finding,) = report["findings"]
    assert (finding["code"], finding["over_run"], finding["requests"]) == ("duplicate_turn", True, [3, 4])
    assert (finding["cause"], finding["cure"]) == RUN_KINDS["duplicate_turn"][1:]
    assert [(one["number"], one["delivery"]) for one in report["requests"]] == [(3, ["reset after 10 bytes"]), (4, [])]
    assert result.exit_code == 1


def test_junit_has_a_case_for_each_kind(server: Live) -> None:
    """It has failed where there is a warning; an info is in the output of a case that passes."""
    submits_no_last_turn(server)
    server.post("/evaluate", ODD)
    result = run("findings", server.url, "--format", "junit")
    suite = ElementTree.fromstring(result.output.encode())[0]
    cases = {case.get("name"): case for case in suite}
    assert len(cases) == len(suite) == len(KINDS) + len(RUN_KINDS) + 1
    assert (suite.get("tests"), suite.get("failures")) == (str(len(suite)), "1")
    failure = cases["unknown_field"].find("failure")
    assert failure is not None
    assert failure.get("message") == "unknown_field (warning): 1 finding"
    assert "request 3: POST /api/v1/evaluate -> 200 at mesages" in str(failure.text)
    assert "requests 1 and 2" in str(cases["episode_unfinished"].findtext("system-out"))
    assert [len(cases[name]) for name in ("duplicate_turn", "duplicate_turn over the run", "dropped requests")] == [
        0
    ] * 3


def test_findings_of_dropped_requests_count() -> None:
    """A warning on a request that the journal has no more is one all the same."""
    with live(world(bounds=Bounds(records=1))) as server:
        for body in (ODD, conversation()):
            server.post("/evaluate", body)
        result = run("findings", server.url)
        assert result.output == (
            f"1 warning on requests that the journal has dropped\n\n{server.url}: 1 warning, 0 infos\n"
        )
        assert result.exit_code == 1
        (failure,) = ElementTree.fromstring(run("findings", server.url, "--format", "junit").output).iter("failure")
        assert failure.get("message") == "1 warning on requests that the journal has dropped"


def test_the_token_is_that_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an option or in the environment, as is the address; without it the server refuses, which is bad usage."""
    with live(world(control_token="a-secret")) as server:
        refused = run("findings", server.url)
        assert refused.exit_code == 2
        assert re.search(
            r"does not list its findings: .* --control-token or in LABS_MOCK_CONTROL_TOKEN", refused.output
        )
        assert run("findings", server.url, "--control-token", "a-secret").exit_code == 0
        monkeypatch.setenv("LABS_MOCK_CONTROL_TOKEN", "a-secret")
        monkeypatch.setenv("LABS_URL", server.url)
        assert run("findings").exit_code == 0


@pytest.mark.parametrize("url", ["https://127.0.0.1", "127.0.0.1:8765", "http://", "http://127.0.0.1:x", "http://[::1"])
def test_what_is_no_address_is_bad_usage(url: str) -> None:
    """With what one looks like."""
    result = run("findings", url)
    assert result.exit_code == 2
    assert "expected an address such as http://127.0.0.1:8765" in result.output


def test_a_server_that_does_not_respond_is_reported() -> None:
    """With the exit code 3, whether what listens is something else or nothing listens."""

    def respond() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n<html>")

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as pool:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        pool.submit(respond)
        other = run("findings", url)
    for result in (other, run("findings", url)):
        assert result.exit_code == 3
        assert result.output.startswith(f"labs-mock: no answer from a mock server at {url}: ")
