"""The pages in a real browser; `check_page` says what each must be."""

import pytest
from playwright.sync_api import Browser

from labs_mock.contract.operations import OPERATIONS
from labs_mock.http.inspector.rendering import NAVIGATION
from tests.http.inspector.browser import check_page, serious, visiting
from tests.support import Live

pytestmark = pytest.mark.slow
TALK = {"collection_slug": "case-management", "scenario_slug": "back-claim"}


@pytest.fixture(scope="module")
def used(shared_server: Live) -> Live:
    """A server on which something has happened, of every kind that a page shows."""
    shared_server.reset()
    said = [{"role": "assistant", "content": "Tell me what happened."}]
    shared_server.post("/evaluate", {**TALK, "messages": said, "mesages": 1})
    shared_server.turn(shared_server.episode(score_turns=True), "Tell me what happened.")
    shared_server.client.post("/_mock/faults", json={"id": "down", "path": "/api/v1/catalog", "status": 503})
    shared_server.client.get("/api/v1/catalog")
    return shared_server


@pytest.mark.parametrize("path", [one.path for one in NAVIGATION])
def test_every_page_is_for_everybody(browser: Browser, used: Live, path: str) -> None:
    """In both themes, at 320 px, without motion, without a message on the console or a request elsewhere, and axe is content."""
    check_page(browser, used.url, path)


def test_the_harness_sees_what_is_wrong(browser: Browser, used: Live) -> None:
    """A style within a page is refused and reported, and so are what axe finds and a request to another origin."""
    with pytest.raises(AssertionError, match="request to another origin: http://other"):
        _do_wrong(browser, used)


def _do_wrong(browser: Browser, used: Live) -> None:
    with visiting(browser, used.url) as visit:
        visit.open("/_mock/ui")
        with visit.page.expect_console_message(lambda message: "Content Security Policy" in message.text):
            visit.page.evaluate("document.querySelector('h1').innerHTML = '<b style=\"color: red\">x</b>'")
        visit.page.evaluate("document.documentElement.removeAttribute('lang')")
        found = serious(visit.page)
        if any("html-has-lang" in one for one in found) and any("Content Security" in one for one in visit.problems):
            with visit.page.expect_request("http://other.example/"):
                visit.page.evaluate("location = 'http://other.example/'")


def test_the_documentation_works_under_the_policy(browser: Browser, used: Live) -> None:
    """Swagger UI starts from a file, shows every operation and sends a request, and nothing that it does is refused."""
    with visiting(browser, used.url) as visit:
        visit.open("/docs")
        for operation in OPERATIONS:
            visit.page.get_by_text(operation.summary).first.wait_for()
        assert "Unable to render" not in visit.page.content()
        visit.page.locator(".opblock-get").first.click()
        visit.page.get_by_role("button", name="Try it out").click()
        visit.page.get_by_role("button", name="Execute").click()
        visit.page.locator(".live-responses-table").get_by_text("401").first.wait_for()
        visit.problems[:] = [one for one in visit.problems if "401" not in one]  # Chromium reports the status, too
