import json
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.cli import doctor_call
from labs_mock.cli.commands.doctor import is_loopback
from labs_mock.cli.diagnoses import NOTES, PROBLEMS, SCENARIO
from labs_mock.cli.doctor_call import DoctorCall
from labs_mock.cli.doctor_steps import STEPS, Missing, Visit
from labs_mock.contract.wording import NO_SUBSCRIPTION
from tests.certificates import certificates
from tests.cli.raw_server import SILENCE, RawServer, Responses, raw_server, response
from tests.cli.running import SCRIPT, run
from tests.cli.terminal import on_terminal
from tests.support import KEY, Live

SECRET = "lab_S3cret"
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.sampled_from(
        ["collections", "slug", "scenarios", "episode_id", "initial_observation", "observation", "content", "reward", "key_id", "rate_limits", "limit", "remaining", "expires_at"]), values, max_size=4),
    max_leaves=12,
)  # fmt: skip
CATALOG = {"collections": [{"slug": "a", "scenarios": [{"slug": "b"}]}]}
EPISODE = {"episode_id": "ep_1/../2", "initial_observation": {"content": "Hello."}}
TURN = {"observation": {"content": "Hm."}, "reward": 0.5}
GOOD: dict[str, Any] = {
    "/api/v1/key": {"key_id": "key_1"},
    "/api/v1/catalog": CATALOG,
    "/api/v1/episodes": EPISODE,
    "/api/v1/episodes/ep_1%2F..%2F2/turns": TURN,
    "/api/v1/evaluate": {"reward": 1},
}
"""What a server answers whose clients work, by path."""


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no proxy unless a test does."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def good(path: str) -> bytes:
    """The response of a server on which everything works, also to the target of a request to a proxy."""
    return response("200 OK", GOOD[re.sub("^http://[^/]*", "", path)])


def but(path: str, answer: bytes) -> Callable[[str], bytes]:
    """The same, with another response for a path."""
    return lambda asked: answer if asked == path else good(asked)


def doctor(url: str, *options: str, key: str = SECRET) -> tuple[int, str]:
    """The exit code, and what was printed after the plan; the key is never printed, nor anything that steers a terminal."""
    result = run("doctor", url, "--api-key", key, *options)
    assert key not in result.output
    assert result.output.replace("\n", "").isprintable()
    assert result.stderr == ""
    return result.exit_code, result.stdout.partition("\n\n")[2]


def lines_of(name: str) -> tuple[str, str]:
    """A diagnosis as patterns: what is so, and what to do."""
    row = next(row for row in (*PROBLEMS, *NOTES) if row.name == name)
    says, remedy = (
        re.sub(r"\\\{\w+\\\}", ".*", re.escape(text.replace("{{", "{").replace("}}", "}"))) for text in row[2:]
    )
    return says, remedy


def assert_diagnosed(printed: str, name: str) -> None:
    """That the first thing that does not work, or the note, is that one, in the words of the table."""
    says, remedy = lines_of(name)
    kind = "note: " if name in [row.name for row in NOTES] else r"\w+: does not work\. "
    assert re.search(rf"^{kind}{says}\n  {remedy}$", printed, re.MULTILINE), printed


# What works


def test_the_calls_that_are_printed_are_made_and_no_others(server: Live) -> None:
    """Against a server on which all works: five calls, in the order of the plan, each once, and exit code 0."""
    result = run("doctor", server.url, "--api-key", KEY)
    planned = re.findall(r"^  (GET|POST) +(/\S+)", result.stdout, re.MULTILINE)
    made = [(record.method, re.sub("/ep_[^/]+/", "/{id}/", record.path)) for record in server.records()]
    assert (result.exit_code, made) == (0, planned)
    assert len(planned) == 5
    assert [line.partition(":")[0] for line in result.stdout.splitlines() if ": works. " in line] == [*STEPS]
    assert result.stdout.endswith("\nEverything works.\n")
    assert len(server.stored_episodes()) == 1
    assert not [record for record in server.records() if record.findings]


def test_a_server_that_does_what_clients_need_works() -> None:
    """Fields that no client needs may be absent, and an id is part of one path only, whatever is in it."""
    with raw_server(good) as server:
        assert doctor(server.url + "/")[0] == 0
        assert server.calls[3] == "POST /api/v1/episodes/ep_1%2F..%2F2/turns"


@given(body=st.dictionaries(st.sampled_from(["collections", "episode_id", "initial_observation", "observation", "reward", "key_id", "rate_limits", "expires_at"]), JSONS))  # fmt: skip
def test_any_answer_is_read(body: dict[str, Any]) -> None:
    """Whatever JSON comes back, each step either has what it needs or says what is missing; a reward is in [0, 1]."""
    for name, step in STEPS.items():
        visit = Visit("a", "b", "c", "d")
        missing = words = ""
        try:
            words = step.read(visit, body)
        except Missing as error:
            missing = str(error)
        assert bool(words) != missing.startswith(("`", SCENARIO))
        if words:
            assert name not in ("turn", "evaluation") or 0 <= body["reward"] <= 1
        json.dumps(step.body(visit))


# What is wrong


@contextmanager
def nobody() -> Iterator[str]:
    """An address at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


REFUSED = {"message": "No \x1b[31m" + SECRET, "data": {"request_id": "req_1"}}
ANSWERS: dict[str, list[Responses]] = {
    "wants-tls": [b"\x15\x03\x03\x00\x02\x02\x46", response("400 Bad Request", b"<h1>The plain HTTP request was sent to HTTPS port</h1>")],
    "cut": [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"],
    "closed": [b""],
    "no-http": [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 two hundred\r\n\r\n"],
    "key": [response("401 Unauthorized", REFUSED), but("/api/v1/evaluate", response("401 Unauthorized"))],
    "subscription": [but("/api/v1/episodes", response("403 Forbidden", {"message": NO_SUBSCRIPTION}))],
    "forbidden": [response("403 Forbidden", b"<html>WAF")],
    "proxy-login": [response("407 Proxy Authentication Required")],
    "path": [response("404 Not Found", REFUSED), response("405 Method Not Allowed"), but("/api/v1/catalog", response("404 Not Found", b"<html>"))],
    "gone": [but("/api/v1/episodes", response("404 Not Found", REFUSED)), but("/api/v1/episodes/ep_1%2F..%2F2/turns", response("404 Not Found"))],
    "rate-limit": [response("429 Too Many Requests", REFUSED)],
    "refused-request": [response("400 Bad Request", REFUSED), but("/api/v1/evaluate", response("422 Unprocessable", REFUSED))],
    "unavailable": [response(f"{status} No", REFUSED) for status in (502, 503, 504)],
    "broken": [response("500 Internal Server Error"), response("521 Down", b"\xff\xfe")],
    "status": [response("201 Created", {}), response("204 No Content")],
    "page": [response("200 OK", b" <!doctype html><title>Log in</title>"), response("200 OK", b"Welcome", "Content-Type: text/html")],
    "no-json": [response("200 OK", b"pong"), response("200 OK", [1]), response("200 OK", b'{"reward": NaN}'), response("200 OK")],
    "empty-catalog": [but("/api/v1/catalog", response("200 OK", {"collections": []}))],
    "shape": [
        but("/api/v1/catalog", response("200 OK", {"scenarios": []})),
        but("/api/v1/episodes", response("200 OK", {"episode_id": 7})),
        but("/api/v1/evaluate", response("200 OK", {"reward": 1.5})),
        but("/api/v1/evaluate", response("200 OK", {"reward": True})),
    ],
}  # fmt: skip
"""Answers by what is wrong with them."""


@pytest.mark.parametrize(
    ("name", "answer"), [pytest.param(name, one, id=f"{name}-{number}") for name, answers in ANSWERS.items() for number, one in enumerate(answers)]
)  # fmt: skip
def test_what_is_wrong_is_named(name: str, answer: Responses) -> None:
    """Each failure has its words and what to do; the exit code is 1, or 3 where no response came; what needs more is not tried."""
    with raw_server(answer) as server:
        code, printed = doctor(server.url)
        assert_diagnosed(printed, name)
        responded = name not in ("cut", "closed", "no-http") and "HTTP" in str(
            answer if callable(answer) else answer[:4]
        )
        assert code == (1 if callable(answer) or responded else 3)
        assert len(server.requests) + printed.count(": not tried\n") == 5
        assert "Does not work: " in printed.splitlines()[-1]


def test_every_diagnosis_is_shown_by_a_test() -> None:
    """Every row of the tables is named by a test of this file, and its words are in those of a call."""
    source = Path(__file__).read_text()
    words = DoctorCall("http://a", "GET", "/api/v1/key").words
    for row in (*PROBLEMS, *NOTES):
        assert source.count(f'"{row.name}"') > 0, row.name
        assert (row.says + row.remedy).format_map(words)
    assert len({row.name for row in (*PROBLEMS, *NOTES)}) == len(PROBLEMS) + len(NOTES)


def test_nothing_listens() -> None:
    """A refused connection is exit code 3."""
    with nobody() as url:
        code, printed = doctor(url)
    assert code == 3
    assert_diagnosed(printed, "refused")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("unknown-host", socket.gaierror(-2, "Name or service not known")),
        ("unreachable", OSError(101, "Network is unreachable")),
    ],
)
def test_no_way_leads_there(name: str, error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks up and connects fails."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    code, printed = doctor("https://labs.example", "--yes")
    assert code == 3
    assert_diagnosed(printed, name)


def test_a_server_that_never_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that stays silent, or stops within a body, is given up."""
    monkeypatch.setattr(doctor_call, "TIMEOUT", 0.2)
    with raw_server(SILENCE) as server:
        code, printed = doctor(server.url)
    assert code == 3
    assert_diagnosed(printed, "timeout")


def test_an_endless_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some megabytes are enough to see that it is none of the API."""
    monkeypatch.setattr(doctor_call, "MOST", 1_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n"
    with raw_server(head + b"[" * 100_000) as server:
        assert_diagnosed(doctor(server.url)[1], "no-json")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_a_redirect_gets_no_key(status: str) -> None:
    """It is shown with its place, and nobody follows it."""
    with raw_server(good) as other:
        place = f"Location: {other.url}/login"
        with raw_server(response(status, b"", place)) as server:
            code, printed = doctor(server.url)
        assert other.requests == []
    assert (code, f"{other.url}/login" in printed) == (1, True)
    assert_diagnosed(printed, "redirect")


def test_faults_and_keys_of_a_mock_are_named(server: Live) -> None:
    """Against a mock: a wrong key, a URL with /api/v1 behind it, a quota of two, a fault of each kind that clients meet."""
    assert_diagnosed(doctor(server.url)[1], "key")
    assert_diagnosed(doctor(f"{server.url}/api/v1", key=KEY)[1], "path")
    keys: dict[str, tuple[dict[str, Any], str]] = {
        "key": (
            {"expires": "2020-01-01T00:00:00Z"},
            "Does not work: key. Not tried: catalog, episode, turn, evaluation.",
        ),
        "empty-catalog": ({"subscriptions": []}, "Does not work: catalog. Not tried: episode, turn, evaluation."),
        "rate-limit": ({"requests_per_minute": 2}, "Does not work: episode, evaluation. Not tried: turn."),
    }
    for name, (terms, summary) in keys.items():
        key = f"{SECRET}-{name}"
        made = server.client.post("/_mock/keys", json={"key": key, "organisation": "acme", **terms})
        assert made.status_code == 200, made.text
        code, printed = doctor(server.url, key=key)
        assert (code, printed.splitlines()[-1]) == (1, summary)
        assert_diagnosed(printed, name)
    faults: dict[str, dict[str, Any]] = {"unavailable": {"status": 503}, "broken": {"status": 500}, "closed": {"reset": "head"}, "cut": {"cut": 20}, "no-json": {"nan_reward": 1}}  # fmt: skip
    for name, kind in faults.items():
        fault = {"path": "/api/v1/evaluate", **kind}
        made = server.client.post("/_mock/faults", json=fault)
        assert made.status_code == 200, made.text
        code, printed = doctor(server.url, key=KEY)
        assert (code, printed.splitlines()[-1]) == (1, "Does not work: evaluation.")
        assert_diagnosed(printed, name)
        server.remove_faults()


# TLS


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RawServer, Path]]:
    """A server with TLS on which everything works, and the folder with its certificates."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl is installed")
    folder = tmp_path_factory.mktemp("certificates")
    certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    with raw_server(good, context) as server:
        yield server, folder


def test_certificates_are_checked(tls: tuple[RawServer, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """One that nobody trusts, one of another host, and one whose authority is named in SSL_CERT_FILE, as the words say."""
    server, folder = tls
    for host, authority in (("localhost", "other"), ("127.0.0.1", "ca")):
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / f"{authority}.pem"))
        code, printed = doctor(f"https://{host}:{server.port}")
        assert code == 3
        assert_diagnosed(printed, "certificate")
    assert server.requests == []
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    assert doctor(f"https://localhost:{server.port}")[0] == 0


def test_http_and_https_are_told_apart(tls: tuple[RawServer, Path], server: Live) -> None:
    """A URL with the other one of the two names what to write instead."""
    code, printed = doctor(tls[0].url)
    assert (code, "write https://" in printed.lower()) == (3, True)
    code, printed = doctor(server.url.replace("http:", "https:"))
    assert code == 3
    assert_diagnosed(printed, "no-tls")


# Proxies, and what is worth a word


def test_a_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the environment that does not answer, and one that does; its password is not shown."""
    with nobody() as url, raw_server(good) as server:
        monkeypatch.setenv("HTTP_PROXY", url.replace("//", "//user:pa55word@"))
        code, printed = doctor(server.url)
        assert (code, "pa55word" in printed, url.removeprefix("http://") in printed) == (3, False, True)
        assert_diagnosed(printed, "proxy")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert doctor(server.url)[0] == 0
        monkeypatch.delenv("NO_PROXY")
        monkeypatch.setenv("HTTP_PROXY", server.url)
        code, printed = doctor("http://labs.invalid", "--yes")
        assert (code, server.calls[-5]) == (0, "GET http://labs.invalid/api/v1/key")
        assert_diagnosed(printed, "proxied")
        assert printed.count("note: ") == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-40 * 86_400, "40 days behind"), (-7_300, "2 hours behind"), (60 + 181, "3 minutes ahead of"), (10**9, "11,574 days ahead of")],
)  # fmt: skip
def test_a_clock_that_is_far_off_is_noted(seconds: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By X-RateLimit-Reset, once; everything works all the same."""
    monkeypatch.setattr(doctor_call, "computer_time", lambda: 2e9)
    reset = f"X-RateLimit-Reset: {2 * 10**9 + seconds}"
    with raw_server(lambda path: response("200 OK", GOOD[path], reset)) as server:
        code, printed = doctor(server.url)
    assert (code, printed.count(f"{words} the clock of this machine"), printed.count("note: ")) == (0, 1, 1)
    assert_diagnosed(printed, "clock")


@pytest.mark.parametrize("reset", ["2000000000", "2000000060", "1999999900", "soon", "", "1e9"])
def test_a_clock_that_is_right_is_not(reset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of this minute, some seconds beside it, and what is no number, which `conformance` judges."""
    monkeypatch.setattr(doctor_call, "computer_time", lambda: 2e9)
    with raw_server(lambda path: response("200 OK", GOOD[path], f"X-RateLimit-Reset: {reset}")) as server:
        assert "note: " not in doctor(server.url)[1]


def test_slowness_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer for which a client with the usual timeout would not have waited; it works all the same."""
    monkeypatch.setattr(doctor_call, "stopwatch", lambda: lambda: 5_100.0)
    with raw_server(good) as server:
        code, printed = doctor(server.url)
    assert (code, "It took 5.1 s." in printed) == (0, True)
    assert_diagnosed(printed, "slow")


# Asking


@pytest.mark.parametrize(
    ("url", "loopback"),
    [("http://127.0.0.1:8765", True), ("http://127.3.2.1", True), ("http://[::1]:1", True), ("http://localhost", True), ("http://LOCALHOST:1", True),
     ("https://labs.example", False), ("http://10.0.0.1", False), ("http://0.0.0.0", False), ("http://localhost.example", False), ("http://127.0.0.1.nip.io", False)],
)  # fmt: skip
def test_only_loopback_is_this_machine(url: str, loopback: bool) -> None:
    """All else is asked about."""
    assert is_loopback(url) == loopback


def test_another_machine_is_left_alone_unless_somebody_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal and without --yes nothing is called, and the exit code is 2."""
    with raw_server(good) as server:
        monkeypatch.setenv("http_proxy", server.url)
        result = run("doctor", "http://labs.invalid", "--api-key", SECRET, stdin="y\n")
        assert (result.exit_code, server.requests) == (2, [])
        assert (
            result.stderr
            == "labs-mock: labs.invalid is another machine, and nobody is here to ask; --yes makes the calls\n"
        )
        assert "POST /api/v1/evaluate" in result.stdout
        assert "everybody on the way can read the key" in result.stdout
        assert doctor("http://labs.invalid", "--yes")[0] == 0


@pytest.mark.parametrize(("answer", "code", "calls"), [("y\n", 0, 5), ("n\n", 2, 0), ("\n", 2, 0), ("\x04", 2, 0)])
def test_a_person_is_asked(answer: str, code: int, calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the calls are listed and a question follows; without a yes nothing is called."""
    with raw_server(good) as server:
        monkeypatch.setenv("http_proxy", server.url)
        with on_terminal("doctor", "http://labs.invalid", "--api-key", SECRET) as terminal:
            terminal.wait_for("Make these calls? [y/N]:")
            assert server.requests == []
            terminal.enter(answer)
            assert terminal.end() == code
        assert len(server.requests) == calls
        assert "Traceback" not in terminal.shown


# Usage


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8765", "ftp://labs.example", "http://", "http://:80", "http://a:0", "http://a:b", "http://a:70000", "http://a b", "http://a/?key=lab_x", "http://a/#x",
     "http://user:lab_S3cret@a", "http://a..b", "http://[::1", "http://a\x1b[31m", "file:///etc/passwd"],
)  # fmt: skip
def test_only_an_address_is_one(url: str) -> None:
    """Anything else is bad usage, which shows no password of it."""
    result = run("doctor", url, "--api-key", "lab_x")
    assert (result.exit_code, "S3cret" in result.output) == (2, False)
    assert "Calls to" not in result.output


@pytest.mark.parametrize(
    "key", ["lab_S3cret ", " lab_S3cret", "lab_S3cret\n", "lab_S3\tcret", "lab_S3cretü", "lab S3cret"]
)
def test_a_key_that_is_none_is_not_sent(key: str) -> None:
    """White space, as `$(cat key)` may leave it, and what a header cannot have are named before anything is called."""
    with raw_server(good) as server:
        result = run("doctor", server.url, "--api-key", key)
        assert (result.exit_code, "S3cret" in result.output, server.requests) == (2, False, [])
    assert "white space" in result.stderr


def test_url_and_key_are_taken_from_the_environment(server: Live) -> None:
    """`LABS_URL` and `LABS_API_KEY`, as `conformance` has them, in a process of its own; nothing heavy is imported."""
    assert SCRIPT
    environment = {**os.environ, "LABS_URL": server.url, "LABS_API_KEY": KEY, "PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run([SCRIPT, "doctor"], env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.splitlines()[-1], KEY in done.stdout) == (0, "Everything works.", False)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "labs_mock.cli.doctor_steps" in imported
    assert (
        imported
        & {
            "httpx",
            "pytest",
            "hypothesis",
            "starlette",
            "uvicorn",
            "rich",
            "labs_mock.engine.player",
            "labs_mock.state",
        }
        == set()
    )
    assert run("doctor", server.url).exit_code == 2
