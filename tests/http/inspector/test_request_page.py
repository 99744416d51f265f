import json
import re
import shutil
import subprocess
import sys
from html import unescape
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from labs_mock.http.inspector.rendering import NAVIGATION
from labs_mock.state.arrival import Arrival
from labs_mock.state.commit import Commit
from labs_mock.state.record import Record
from tests.http.inspector.test_overview_page import SAID, TALK, text_of
from tests.support import KEY, Live, live, result_of, world

UI = "/_mock/ui/requests"
BIDI = "\u202e\u2066"
SENT = [
    ("POST", "/evaluate", json.dumps({**TALK, "messages": SAID}).encode()),
    (
        "POST",
        "/evaluate",
        json.dumps({**TALK, "messages": [{"role": "assistant", "content": 'it\'s "$HOME" `x` \\ \n é😀'}]}).encode(),
    ),
    ("POST", "/evaluate", b'{"a": "\x00", "\xff\xfe": 1}'),
    ("POST", "/evaluate", "{\u202e\u00e9 '\"' $(date) !!".encode()),
    ("POST", "/evaluate", b'{"x": "' + b"y" * 150_000 + b'"}'),
    ("POST", "/batch/evaluate", json.dumps({"items": [{"id": "1", **TALK, "messages": SAID}]}).encode()),
    ("GET", "/catalog", b""),
    ("GET", "/nothing/{a,b}[1-3]/%C3%A9%20'x'?q=[1-3]&r={a,b}&s=%20'\"$x", b""),
    ("HEAD", "/catalog", b""),
    ("DELETE", "/catalog", b""),
]
"""Requests with whatever a shell, a language or a URL might take for something else."""


def compared(record: Record) -> tuple[Any, ...]:
    """What must be the same when a request is sent again."""
    return record.method, record.path, record.query, record.body("request"), record.key, record.status


def send_all(server: Live) -> list[Record]:
    """Send the requests above, one with a wrong key and one with none; their records."""
    for method, path, body in SENT:
        headers = {"authorization": f"Bearer {KEY}"} | ({"content-type": "application/json"} if body else {})
        server.client.request(method, f"/api/v1{path}", content=body, headers=headers)
    server.client.get("/api/v1/catalog")
    return server.records()


def codes(server: Live, records: list[Record], form: str) -> list[str]:
    """The code of each."""
    found = [server.client.get(f"{UI}/{record.number}/code/{form}") for record in records]
    assert {one.status_code for one in found} == {200}
    assert {one.headers["content-type"] for one in found} == {"text/plain; charset=utf-8"}
    assert not [one for one in found if KEY in one.text]
    return [one.text for one in found]


def check_sent_again(server: Live, records: list[Record]) -> None:
    """The newest requests are the same as those, byte for byte, and had the same responses."""
    again = server.records()[-len(records) :]
    assert [compared(one) for one in again] == [compared(one) for one in records]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key where the code looks for it, and no other server."""
    monkeypatch.setenv("LABS_API_KEY", KEY)
    monkeypatch.delenv("LABS_URL", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.mark.usefixtures("environment")
@pytest.mark.skipif(not shutil.which("curl"), reason="no curl on this machine")
def test_the_command_for_a_shell_sends_it_again(server: Live) -> None:
    """Each command sends the same request, whatever is in its path and body."""
    records = send_all(server)
    for command in codes(server, records, "curl"):
        subprocess.run(["/bin/sh"], input=command.encode(), check=True, capture_output=True, timeout=60)
    check_sent_again(server, records)


@pytest.mark.usefixtures("environment")
def test_the_httpx_code_sends_it_again(server: Live, tmp_path: Path) -> None:
    """Each program sends the same request and prints the response."""
    records = send_all(server)
    program = tmp_path / "again.py"
    program.write_text("\n".join(codes(server, records, "httpx")), encoding="utf-8")
    run = subprocess.run([sys.executable, str(program)], check=True, capture_output=True, timeout=60, text=True)
    assert run.stdout.startswith("200 {")
    check_sent_again(server, records)


@pytest.mark.usefixtures("environment")
def test_the_pytest_code_sends_it_again(server: Live, tmp_path: Path) -> None:
    """Each module has a test that passes on a server in the same state, and fails on one that responds otherwise."""
    records = send_all(server)
    for record, code in zip(records, codes(server, records, "pytest"), strict=True):
        (tmp_path / f"test_{record.number:02}.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    run = subprocess.run(command, check=False, capture_output=True, timeout=120, text=True, cwd=tmp_path)
    assert f"{len(records)} passed" in run.stdout
    check_sent_again(server, records)
    server.client.post("/_mock/faults", json={"status": 503})
    run = subprocess.run(
        [*command[:-1], str(tmp_path / "test_01.py")], check=False, capture_output=True, timeout=120, text=True
    )
    assert "1 failed" in run.stdout


def test_what_was_not_kept_whole_cannot_be_sent_again(server: Live) -> None:
    """The page says why, its buttons are off, and there is no code; likewise for a request with a key in it."""
    server.post("/evaluate", {**TALK, "messages": [{"role": "assistant", "content": f"my key is {KEY}"}]})
    with live(world(max_body=1_024)) as small:
        small.post("/evaluate", {"x": "y" * 2_000})
        for running, reason in ((server, "There is a key in it"), (small, "Its body was not kept whole")):
            page = running.client.get(f"{UI}/1").text
            assert reason in page
            assert page.count("<button disabled>") == 3
            assert "data-copy" not in page
            for form in ("curl", "httpx", "pytest"):
                refused = running.client.get(f"{UI}/1/code/{form}")
                assert refused.status_code == 400
                assert reason in refused.json()["message"]


def test_code_names_no_host_that_is_none() -> None:
    """With a token any `Host` is accepted; what is no name of one does not come into code."""
    with live(world(control_token="sesame")) as server:
        server.client.get("/api/v1/catalog")
        headers = {"authorization": "Bearer sesame", "host": "x$(touch y)"}
        assert "touch" not in server.client.get(f"{UI}/1/code/curl", headers=headers).text
        named = server.client.get(f"{UI}/1/code/curl", headers={**headers, "host": "devbox:8765"})
        assert '"${LABS_URL:-http://devbox:8765}"' in named.text


def numbers(page: str) -> list[int]:
    """The numbers of the requests in a list."""
    return [int(number) for number in re.findall(r'<th scope="row"><a href="/_mock/ui/requests/(\d+)">', page)]


def pages(server: Live, path: str) -> list[list[int]]:
    """The numbers on a page of a list, and on all behind it."""
    found = []
    while path:
        text = server.client.get(path).text
        found.append(numbers(text))
        older = re.search(r'<a href="([^"]+)" rel="next">', text)
        path = unescape(older[1]) if older else ""
    return found


def test_the_list_has_every_request_once(server: Live) -> None:
    """Newest first, at most 100 on a page, with and without a filter, which the links to other pages keep."""
    for number in range(260):
        server.client.get("/api/v1/catalog" if number % 2 else "/elsewhere")
    found = pages(server, UI)
    assert list(chain(*found)) == list(range(260, 0, -1))
    assert [len(one) for one in found] == [100, 100, 60]
    filtered = pages(server, f"{UI}?path=/api/v1/*&status=401")
    assert list(chain(*filtered)) == list(range(260, 0, -2))
    assert pages(server, f"{UI}?status=418") == [[]]
    assert "No request passes these filters." in server.client.get(f"{UI}?status=418").text


def test_filters_find_findings_and_faults(server: Live) -> None:
    """By code, by severity and by the fault that was triggered."""
    server.client.post("/_mock/faults", json={"id": "down", "path": "/api/v1/catalog", "status": 503})
    server.post("/evaluate", {**TALK, "messages": SAID, "mesages": 1})
    server.client.get("/api/v1/catalog")
    server.post("/evaluate", {**TALK, "messages": [{"role": "user", "content": "Hello."}, *SAID]})
    assert numbers(server.client.get(f"{UI}?finding=unknown_field").text) == [1]
    assert numbers(server.client.get(f"{UI}?severity=warning&organisation=local").text)[-1] == 1
    assert numbers(server.client.get(f"{UI}?fault=down").text) == [2]


def test_one_request_is_shown_with_what_belongs_to_it(server: Live) -> None:
    """Request and response as indented JSON, findings alone and with others, faults, the episode, and the neighbours."""
    server.client.post("/_mock/faults", json={"id": "slow", "path": "/api/v1/evaluate", "delay": 0, "before": "head"})
    for _ in range(3):
        server.post("/evaluate", {**TALK, "mesages": 1})
    page = server.client.get(f"{UI}/2").text
    words = text_of(page)
    assert "POST /api/v1/evaluate" in words
    assert "retried_on_400 warning" in words
    assert unescape(words).count('"scenario_slug": "back-claim"') == 1
    assert 'href="/_mock/ui/faults#fault-slow"' in page
    assert f'<a href="{UI}/1" rel="prev">#1</a>' in page
    assert f'<a href="{UI}/3" rel="next">#3</a>' in page
    assert json.loads(server.client.get(f"{UI}/2/request").text) == {**TALK, "mesages": 1}
    assert server.client.get(f"{UI}/2/request").headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("path", ["0", "2", "x", "-1", "1e9", "9" * 30, "1/body", "1/code/perl", "²"])
def test_what_is_not_there_is_a_404(server: Live, path: str) -> None:
    """Numbers that no request has, and parts that it has not."""
    server.client.get("/api/v1/catalog")
    assert server.client.get(f"{UI}/{path}").status_code == 404


def test_hostile_texts_are_texts_and_pages_stay_small(server: Live) -> None:
    """Markup, scripts, bidi controls, 10,000 characters and null bytes are text; with hundreds of them a page has 100 KB at most."""
    text = f"<script>alert(1)</script>'\"&{BIDI}\u0000" * 400
    body = {**TALK, "messages": [{"role": "assistant", "content": text[:10_000]}], text[:200]: text}
    for _ in range(120):
        server.client.post(
            "/api/v1/evaluate?" + '<&"' * 300,
            json=body,
            headers={"authorization": f"Bearer {KEY}", "user-agent": "<b>" * 60},
        )
        server.client.get("/elsewhere/" + '<b>&"%E2%80%AE' * 100)
    for path in (UI, f"{UI}?finding=unknown_field", f"{UI}/1", f"{UI}/2", "/_mock/ui"):
        page = server.client.get(path)
        assert page.status_code == 200
        assert len(page.content) <= 100_000, path
        assert "<script>alert" not in page.text
        assert "<b>" not in page.text
        assert not set(f"{BIDI}\0") & set(page.text)
    assert KEY not in server.client.get(f"{UI}/1/request").text


def test_ten_thousand_requests_make_small_pages(server: Live) -> None:
    """With a full journal and many episodes every page has at most 200 rows and 100 KB, and the list is paged through without a gap."""
    items = [{"id": str(number), **TALK, "messages": SAID} for number in range(3)]
    server.post("/batch/evaluate", {"items": items, "mesages": 1})
    server.post("/evaluate", {**TALK, "mesages": 1})
    server.episode()
    store, records, (episode,) = server.world.store, server.records(), server.stored_episodes()
    epoch = result_of(store.arrive(Arrival("GET", "/", "", b"", None, False, False))).epoch
    for number in range(len(records), 10_000):
        created = None if number % 20 else episode._replace(id=f"ep_{number}", origin=f"{number}")
        result_of(store.commit(Commit(epoch, f"{number}", records[number % 2], (), created, None)))
    for path in (f"{UI}/10000", *(one.path for one in NAVIGATION)):
        page = server.client.get(path)
        assert page.status_code == 200, path
        assert len(page.content) <= 100_000, path
        assert page.text.count("<tr") <= 201, path
    assert list(chain(*pages(server, f"{UI}?before=10001"))) == list(range(10_000, 0, -1))
