"""What a person does with the inspector, from one end to the other, with the keyboard alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.http.datasets import POLLED, one_of_each
from tests.http.inspector.browser import Visit, visiting
from tests.support import KEY, Live, live

pytestmark = pytest.mark.slow
UI = "/_mock/ui"
MOST_STEPS = 200  # of the Tab key from one place to another


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Live]:
    """A server with datasets in each status."""
    with live(one_of_each()) as running:
        yield running


def go_to(visit: Visit, place: Locator) -> None:
    """Press Tab until a place has the focus."""
    place.wait_for()
    for _ in range(MOST_STEPS):
        if place.evaluate("place => place === document.activeElement"):
            return
        visit.page.keyboard.press("Tab")
    raise AssertionError(f"{place} cannot be reached by the keyboard")


def follow(visit: Visit, name: str) -> None:
    """Follow a link with the keyboard."""
    go_to(visit, visit.page.get_by_role("link", name=name, exact=True).first)
    visit.page.keyboard.press("Enter")


def fill(visit: Visit, label: str, text: str) -> None:
    """Type into a field, in place of what is in it."""
    go_to(visit, visit.page.get_by_label(label, exact=True))
    visit.page.keyboard.press("Control+a")
    visit.page.keyboard.type(text)


def test_the_story_is_played_by_keyboard(browser: Browser, server: Live) -> None:
    """An episode's chat and curve appear as it is played; the clock, a dataset, a fault and the next request; a scenario is played."""
    with visiting(browser, server.url) as visit:
        page = visit.page
        visit.open(f"{UI}/episodes")
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        episode = server.episode(score_turns=True)
        follow(visit, episode)
        expect(page.get_by_role("heading", name=episode)).to_be_visible()
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        server.turn(episode, "Tell me what happened.")
        expect(page.get_by_text("Tell me what happened.")).to_be_visible()
        expect(page.get_by_role("img", name="Reward after each turn")).to_be_visible()

        follow(visit, "Overview")
        before = server.now()
        fill(visit, "Advance by seconds", "90")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert server.now() == before + 90

        visit.open(f"{UI}/datasets/{POLLED}")
        go_to(visit, page.get_by_label("status", exact=True))
        page.keyboard.type("failed")
        fill(visit, "error, beside failed", "The disk is full")
        page.keyboard.press("Enter")
        expect(page.get_by_text("forced until the next change or reset")).to_be_visible()
        status = f"/api/v1/training-datasets/{POLLED}/status"
        assert (
            server.client.get(status, headers={"authorization": f"Bearer {KEY}"}).json()["error"] == "The disk is full"
        )

        follow(visit, "Faults")
        fill(visit, "its value", "503")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Remove fault-1")).to_be_visible()
        assert server.turn(episode, "Thank you.").status_code == 503
        follow(visit, "Requests")
        expect(page.locator("tbody tr").first).to_contain_text("fault-1")

        follow(visit, "Scenarios")
        follow(visit, "Play back-claim")
        fill(visit, "You are the operator", "Tell me what happened.")
        go_to(visit, page.get_by_role("button", name="Send"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Turn 1: reward 0.")
