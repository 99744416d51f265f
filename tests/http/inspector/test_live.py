"""Pages that stay current, in a real browser."""

import re
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.http.inspector.browser import DEADLINE, NARROW, Visit, visiting
from tests.support import KEY, Live, live, world

pytestmark = pytest.mark.slow
UI = "/_mock/ui"
MARK = re.compile("^(Live|Paused|Disconnected)$")


def request(server: Live) -> None:
    """A request that the journal has."""
    server.client.get("/api/v1/catalog", headers={"authorization": f"Bearer {KEY}"}).raise_for_status()


def opened(visit: Visit, path: str) -> Page:
    """A page that follows what happens."""
    visit.open(path)
    expect(visit.page.get_by_text("Live", exact=True)).to_be_visible()
    return visit.page


def wait_for(condition: Callable[[], bool]) -> None:
    """Until something is so."""
    end = time.monotonic() + DEADLINE / 1_000
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def followers(server: Live) -> int:
    """How many pages follow what happens on a server whose store is in memory."""
    return len(server.world.store._followers)  # type: ignore[attr-defined]


def test_the_overview_stays_current(browser: Browser, server: Live) -> None:
    """A request shows without a reload; what is typed, the focus, the selection and the places of scroll bars stay."""
    with visiting(browser, server.url) as visit:
        visit.page.set_viewport_size({"width": NARROW, "height": 900})
        page = opened(visit, UI)
        expect(page.get_by_text("0 in the journal")).to_be_visible()
        page.evaluate("document.documentElement.dataset.loaded = 'once'")
        field = page.get_by_label("Advance by seconds")
        field.fill("1234")
        page.evaluate("document.activeElement.setSelectionRange(1, 3)")
        page.evaluate("scrollTo(0, 300)")
        request(server)
        expect(page.get_by_text("1 in the journal")).to_be_attached()
        assert page.evaluate(
            "[document.activeElement.id, document.activeElement.value, document.activeElement.selectionStart, scrollY,"
            " document.documentElement.dataset.loaded]"
        ) == ["seconds", "1234", 1, 300, "once"]


def test_rows_come_without_moving_what_has_the_focus(browser: Browser, server: Live) -> None:
    """A new row stands above the others; the link that had the focus still has it, and still leads where it led."""
    request(server)
    with visiting(browser, server.url) as visit:
        page = opened(visit, f"{UI}/requests")
        rows = page.locator("main tbody tr")
        expect(rows).to_have_count(1)
        rows.locator("a").first.focus()
        target = page.evaluate("document.activeElement.href")
        for count in (2, 3):
            request(server)
            expect(rows).to_have_count(count)
        assert page.evaluate("document.activeElement.href") == target
        assert rows.last.locator("a").first.evaluate("link => link === document.activeElement")


def test_it_is_paused_and_goes_on_by_keyboard(browser: Browser, server: Live) -> None:
    """A page that is paused follows nothing, on the next page too; when it goes on, it shows what it has missed."""
    if type(server.world.store).__name__ != "MemoryStore":
        pytest.skip("another store")
    with visiting(browser, server.url) as visit:
        page = opened(visit, UI)
        wait_for(lambda: followers(server) == 1)
        button = page.get_by_text(MARK)
        button.focus()
        page.keyboard.press("Enter")
        expect(button).to_have_text("Paused")
        wait_for(lambda: followers(server) == 0)
        visit.open(f"{UI}/requests")
        expect(button).to_have_text("Paused")
        request(server)
        assert followers(server) == 0
        button.focus()
        page.keyboard.press("Space")
        expect(button).to_have_text("Live")
        expect(page.locator("main tbody tr")).to_have_count(1)


def test_a_page_shows_that_the_server_is_gone(browser: Browser) -> None:
    """And what it showed last."""
    with ExitStack() as running:
        server = running.enter_context(live(world()))
        with visiting(browser, server.url) as visit:
            page = opened(visit, UI)
            running.close()
            expect(page.get_by_text(MARK)).to_have_text("Disconnected")
            expect(page.get_by_text("0 in the journal")).to_be_visible()
            page.get_by_text(MARK).click()
            expect(page.get_by_text(MARK)).to_have_text("Disconnected")
            visit.problems[:] = [one for one in visit.problems if not one.startswith("console: error: Failed to load")]


def test_a_reset_shows(browser: Browser, server: Live) -> None:
    """The page is as that of a server on which nothing has happened, and goes on from there."""
    request(server)
    with visiting(browser, server.url) as visit:
        page = opened(visit, UI)
        expect(page.get_by_text("1 in the journal")).to_be_visible()
        server.client.post("/_mock/reset", json={})
        expect(page.get_by_text("0 in the journal")).to_be_visible()
        request(server)
        expect(page.get_by_text("1 in the journal")).to_be_visible()
