import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from labs_mock.http.inspector.rendering import NAVIGATION, STATIC
from tests.support import CLAIM, KEY, Live, live, scenario, world

UI = "/_mock/ui"
PAGES = [one.path for one in NAVIGATION]
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e\u2066\x00\x1b[31m"


class Elements(HTMLParser):
    """All elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def policy(response: httpx.Response) -> dict[str, str]:
    """The policy of a response by its directives."""
    parts = response.headers["content-security-policy"].split("; ")
    return {name: rest for name, _, rest in (part.partition(" ") for part in parts)}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/docs",
        "/docs/start.js",
        "/docs/swagger-ui.css",
        "/docs/x",
        *PAGES,
        f"{UI}/static/inspector.css",
        f"{UI}/x",
    ],
)
def test_every_page_has_the_policy(server: Live, path: str) -> None:
    """Pages, their files and what is not there may load from this server alone, be in no frame, be kept nowhere and tell nobody."""
    response = server.client.get(path)
    assert policy(response) == POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/docs", *PAGES])
def test_no_page_has_a_script_or_a_style_within(server: Live, path: str) -> None:
    """Which the policy would not let run: every script is a file, and there is neither a style nor an event's attribute."""
    page = server.client.get(path)
    assert page.status_code == 200
    assert not re.search(r"<script[^>]*>\s*[^<\s]", page.text)
    for tag, attributes in Elements(page.text).found:
        assert tag not in ("style", "iframe", "object", "base")
        assert not {name for name in attributes if name == "style" or name.startswith("on")}
        for name in ("src", "href"):
            assert re.match(r"/|data:,$|#|\?|$", attributes.get(name) or ""), attributes


@pytest.mark.parametrize("path", PAGES)
def test_the_navigation_leads_to_every_page_and_marks_this_one(server: Live, path: str) -> None:
    """Each page links to all others and to `/docs`, and every file that it loads is there."""
    found = Elements(server.client.get(path).text).found
    links = [attributes for tag, attributes in found if tag == "a"]
    assert {one["href"] for one in links} >= {*PAGES, "/docs"}
    assert [one["href"] for one in links if "aria-current" in one] == [path]
    for loaded in [
        attributes.get("src") or attributes.get("href") for tag, attributes in found if tag in ("link", "script")
    ]:
        assert loaded == "data:," or server.client.get(loaded or "").status_code == 200


def test_nothing_of_the_pages_is_in_the_journal(server: Live) -> None:
    """Neither `/`, nor `/docs` with all that it loads, nor the inspector, nor what is not there; clients' requests are."""
    for path in ("/", "/docs", "/docs/openapi.json", "/docs/start.js", "/docs/nothing", *PAGES, f"{UI}/nothing"):
        server.client.get(path)
    server.client.post(UI)
    server.client.get("/openapi.json")
    assert [record.path for record in server.records()] == ["/openapi.json"]


def test_the_guard_of_the_control_plane_holds(server: Live) -> None:
    """Pages and their files are for programs on this machine that name it, and come through no proxy."""
    for path in (*PAGES, f"{UI}/static/inspector.css"):
        for headers in ({"host": "evil.example"}, {"x-forwarded-for": "127.0.0.1"}, {"forwarded": "for=127.0.0.1"}):
            assert server.client.get(path, headers=headers).status_code == 403, (path, headers)


def test_without_the_control_plane_there_is_no_inspector() -> None:
    """Then `/` leads to `/docs`."""
    with live(world(control=False)) as server:
        assert {server.client.get(path).status_code for path in PAGES} == {404}
        assert server.client.get("/").headers["location"] == "/docs"


@pytest.fixture(scope="module")
def hostile() -> Iterator[Live]:
    """A server of a scenario whose texts are markup, scripts and characters that turn the direction of writing."""
    named: Any = {**CLAIM["persona"]["identity"], "name": HOSTILE.replace("\x00", "").replace("\x1b", "")}
    changed = scenario(
        name=HOSTILE.replace("\x00", "").replace("\x1b", ""), persona={**CLAIM["persona"], "identity": named}
    )
    with live(world(changed)) as running:
        running.client.get("/nowhere", headers={"user-agent": "<b>me</b>"})
        running.client.post(
            "/api/v1/evaluate",
            json={
                "collection_slug": "case-management",
                "scenario_slug": "back-claim",
                "messages": [{"role": "assistant", "content": HOSTILE}],
                HOSTILE: HOSTILE,
            },
            headers={"authorization": f"Bearer {KEY}"},
        )
        path = f"/{HOSTILE[:60]}"
        added = running.client.post("/_mock/faults", json={"path": path, "status": 503, "message": HOSTILE})
        assert added.status_code == 200, added.text
        yield running


@pytest.mark.parametrize("path", PAGES)
def test_what_others_wrote_is_text(hostile: Live, path: str) -> None:
    """No markup of theirs is an element, and what is invisible or turns the direction of writing is an escape."""
    page = hostile.client.get(path)
    assert page.status_code == 200
    assert not [one for one in Elements(page.text).found if one[0] in ("img", "b") or "onerror" in one[1]]
    assert "alert(1)</script>" not in page.text
    assert not set("\u202e\u2066\x00\x1b") & set(page.text)
    assert KEY not in page.text


@pytest.mark.parametrize(
    ("path", "status"), [(f"{UI}/requests/7", 404), (f"{UI}/nothing<b>", 404), (f"{UI}?limit=x", 200)]
)
def test_what_is_not_there_is_a_page_for_browsers(server: Live, path: str, status: int) -> None:
    """With the message as text and a way back; programs get the envelope, and pages' own requests do, too (ERR-1)."""
    page = server.client.get(path, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.status_code == status
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert policy(page) == POLICY
    assert f'<a href="{UI}">' in page.text
    assert "<b>" not in page.text
    if status == 404:
        assert server.client.get(path).json()["message"] in page.text
    refused = server.client.get(path, headers={"accept": "text/html", "host": "evil.example"})
    assert (refused.status_code, "control_hosts" in refused.text) == (403, True)
    assert "<h1>403</h1>" in refused.text


def test_the_server_starts_without_the_inspector() -> None:
    """Jinja2 and the pages are imported with the first request to one, so that the server starts no later."""
    code = (
        "import sys, labs_mock.cli.commands.serve, labs_mock.serving.thread, labs_mock.http; "
        "print([name for name in sys.modules if name == 'jinja2' or name.startswith('labs_mock.http.inspector.')])"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "[]"


def test_files_outside_the_folder_are_not_served(server: Live) -> None:
    """Only what stands in the folder of static files is."""
    assert (STATIC.parent / "rendering.py").exists()
    for path in ("../rendering.py", "..%2frendering.py", "%2e%2e/rendering.py", "../templates/base.html"):
        assert server.client.get(f"{UI}/static/{path}").status_code == 404
