"""The pages in a real browser; `check_page` says what each must be."""

import pytest
from playwright.sync_api import Browser

from labs_mock.contract.operations import OPERATIONS
from labs_mock.http.inspector.rendering import NAVIGATION
from tests.http.inspector.browser import check_page, serious, visiting
from tests.support import Live, live, world

pytestmark = pytest.mark.slow
TALK = {"collection_slug": "case-management", "scenario_slug": "back-claim"}
CLAIM_PAGE = "/_mock/ui/scenarios/case-management/back-claim"
PAGES = [*(one.path for one in NAVIGATION), "/_mock/ui/requests/1", CLAIM_PAGE, f"{CLAIM_PAGE}/play"]


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


@pytest.mark.parametrize("path", PAGES)
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


def test_what_is_wrong_in_a_form_is_shown_at_its_field(browser: Browser, server: Live) -> None:
    """By keyboard alone: a fault with a mistake, which is told at its field, then right; the next request shows it; removed."""
    with visiting(browser, server.url, 400) as visit:
        visit.open("/_mock/ui/faults")
        value = visit.page.get_by_label("its value")
        value.focus()
        visit.page.keyboard.type("200")
        visit.page.keyboard.press("Enter")
        visit.page.locator("#value[aria-invalid=true]:focus").wait_for()
        assert "400" in visit.page.locator("#wrong-value").inner_text()
        visit.page.keyboard.press("Control+a")
        visit.page.keyboard.type("503")
        visit.page.keyboard.press("Enter")
        visit.page.get_by_role("button", name="Remove fault-1").wait_for()
        assert server.post("/evaluate", {}).status_code == 503
        visit.open("/_mock/ui/requests/1")
        visit.page.get_by_role("link", name="fault-1").press("Enter")
        visit.page.wait_for_url("**/_mock/ui/faults**")  # loaded: the script of the forms is there
        visit.page.get_by_role("button", name="Remove fault-1").press("Enter")
        visit.page.get_by_text("The plan is empty").wait_for()
        assert server.post("/evaluate", {}).status_code == 400


def test_the_clock_is_advanced_from_the_page(browser: Browser, server: Live) -> None:
    """By so many seconds, and a number that is none is a message beside the form."""
    with visiting(browser, server.url, 400) as visit:
        visit.open("/_mock/ui")
        before = server.now()
        visit.page.get_by_label("Advance by seconds").fill("90")
        with visit.page.expect_navigation():
            visit.page.get_by_role("button", name="Advance").click()
        assert server.now() == before + 90
        visit.page.get_by_text("2026-01-01 00:01:30").first.wait_for()
        visit.page.get_by_label("Advance by seconds").fill("soon")
        visit.page.get_by_role("button", name="Advance").click()
        visit.page.get_by_role("alert").get_by_text("seconds").wait_for()


def test_code_is_copied(browser: Browser, server: Live) -> None:
    """The button shows the code and puts it on the clipboard, or selects it where the browser refuses that."""
    server.client.get("/api/v1/catalog")
    with visiting(browser, server.url) as visit:
        visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        visit.open("/_mock/ui/requests/1")
        visit.page.get_by_role("button", name="Copy as curl").click()
        visit.page.get_by_text("Copied.").wait_for()
        code = visit.page.locator("#code").inner_text()
        assert code.startswith("curl -sSg -X GET")
        assert visit.page.evaluate("navigator.clipboard.readText()") == code


def test_the_documentation_works_under_the_policy(browser: Browser, used: Live) -> None:
    """Swagger UI starts from a file, shows every operation and sends a request, and nothing that it does is refused."""
    with visiting(browser, used.url, 401) as visit:
        visit.open("/docs")
        for operation in OPERATIONS:
            visit.page.get_by_text(operation.summary).first.wait_for()
        assert "Unable to render" not in visit.page.content()
        visit.page.locator(".opblock-get").first.click()
        visit.page.get_by_role("button", name="Try it out").click()
        visit.page.get_by_role("button", name="Execute").click()
        visit.page.locator(".live-responses-table").get_by_text("401").first.wait_for()


def test_who_logs_in_comes_to_the_page_that_was_wanted(browser: Browser) -> None:
    """A wrong token is told at its field; with the right one the wanted page opens, and after the logout it is the login again."""
    with live(world(control_token="open sesame")) as server:
        check_page(browser, server.url, "/_mock/ui/login")
        with visiting(browser, server.url, 401) as visit:
            visit.open("/_mock/ui/faults")
            visit.page.get_by_label("control_token").fill("sesame")
            visit.page.keyboard.press("Enter")
            visit.page.get_by_role("alert").get_by_text("token").wait_for()
            visit.page.get_by_label("control_token").fill("open sesame")
            visit.page.keyboard.press("Enter")
            visit.page.get_by_role("heading", name="Add a fault").wait_for()
            assert visit.page.evaluate("document.cookie") == ""
            visit.page.get_by_role("button", name="Log out").click()
            visit.page.get_by_label("control_token").wait_for()
            visit.open("/_mock/ui")
            assert visit.page.url.startswith(f"{server.url}/_mock/ui/login")


def test_a_scenario_is_played_by_keyboard(browser: Browser, server: Live) -> None:
    """Speak, call a tool with an input that is none and then one that is, say nothing, take it back: reply and reward each time."""
    with visiting(browser, server.url) as visit:
        visit.open(f"{CLAIM_PAGE}/play")
        keys = visit.page.keyboard
        visit.page.get_by_label("You are the operator").focus()
        keys.type("Tell me <b>what happened</b>.")
        keys.press("Tab")
        keys.type("order_imaging")
        keys.press("Tab")
        keys.type("nonsense")
        keys.press("Tab")
        keys.press("Enter")
        visit.page.locator("#wrong-input").get_by_text("expected JSON").wait_for()
        keys.press("Control+a")
        keys.type('{"region": "lumbar spine"}')
        keys.press("Tab")
        keys.press("Enter")
        visit.page.get_by_role("status").get_by_text("Turn 1: reward 0.").wait_for()
        visit.page.get_by_text("Tell me <b>what happened</b>.").wait_for()
        visit.page.get_by_text("They say it is a strain.").first.wait_for()
        found = serious(visit.page)
        assert not found, "\n".join(found)
        visit.page.get_by_role("button", name="Say nothing").press("Enter")
        visit.page.get_by_role("status").get_by_text("Turn 2: reward 0.").wait_for()
        visit.page.get_by_role("button", name="Take the last turn back").press("Enter")
        visit.page.get_by_role("status").get_by_text("Turn 1: reward 0.").wait_for()
    assert server.records() == []
