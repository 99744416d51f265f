"""What a person does with the inspector, from one end to the other: with a mouse, and with the keyboard alone."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.http.datasets import POLLED, get, one_of_each
from tests.http.inspector.browser import serious, visiting
from tests.support import Live, live

pytestmark = pytest.mark.slow
UI = "/_mock/ui"
MOST_STEPS = 200  # of a key from one place to another
THERE, ELSEWHERE = "there", "elsewhere"
FOCUS = """place => {
    const element = document.activeElement;
    if (element === document.body) return 'elsewhere'; // between the end of the page and its start
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const seen = box.width > 0 && box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
    const marked = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    if (!seen || !marked) return `the focus is not seen: ${element.outerHTML.slice(0, 200)}`;
    return element === place ? 'there' : 'elsewhere';
}"""


class Mouse(NamedTuple):
    """Somebody who points at what there is, and types."""

    page: Page

    def press(self, place: Locator) -> None:
        """Follow a link, or press a button."""
        place.click()

    def write(self, place: Locator, text: str) -> None:
        """Type into a field, in place of what is in it."""
        place.click(click_count=3)
        self.page.keyboard.type(text)

    def choose(self, place: Locator, value: str) -> None:
        """Choose a value of a list."""
        place.select_option(value)

    def look_at(self, place: Locator) -> None:
        """Give a place the focus."""
        place.focus()


class Keyboard(NamedTuple):
    """Somebody who has no mouse, and sees where the focus is."""

    page: Page

    def press(self, place: Locator) -> None:
        """Follow a link, or press a button."""
        self.look_at(place)
        self.page.keyboard.press("Enter")

    def write(self, place: Locator, text: str) -> None:
        """Type into a field, in place of what is in it."""
        self.look_at(place)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def choose(self, place: Locator, value: str) -> None:
        """Choose a value of a list with the arrows."""
        self.look_at(place)
        self.page.keyboard.press("Home")
        for _ in range(MOST_STEPS):
            if place.input_value() == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{value} cannot be chosen by the keyboard")

    def look_at(self, place: Locator) -> None:
        """Press Tab until a place has the focus, which is seen all the way."""
        place.wait_for()
        handle = place.element_handle()
        for _ in range(MOST_STEPS):
            found = handle.evaluate(FOCUS)
            if found == THERE:
                return
            assert found == ELSEWHERE, found
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{place} cannot be reached by the keyboard")


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Live]:
    """A server with datasets in each status."""
    with live(one_of_each()) as running:
        yield running


@pytest.mark.parametrize("person", [Mouse, Keyboard])
def test_the_story_is_played(browser: Browser, server: Live, person: type[Mouse | Keyboard]) -> None:
    """An episode's chat and curve appear as it is played; the clock, a dataset, a fault and the next request; a scenario is played."""
    with visiting(browser, server.url) as visit:
        someone = person(visit.page)
        visit.open(UI)
        watch_an_episode(someone, server)
        advance_the_clock(someone, server)
        force_a_dataset(someone, server)
        add_a_fault(someone, server)
        requests = len(server.records())
        play_a_scenario(someone)
        assert len(server.records()) == requests


def follow(someone: Mouse | Keyboard, name: str) -> None:
    """Follow a link of the navigation, and look at the page."""
    someone.press(someone.page.get_by_label("Pages", exact=True).get_by_role("link", name=name, exact=True))
    expect(someone.page.get_by_role("heading", level=1)).to_have_text(name)
    check(someone)


def check(someone: Mouse | Keyboard) -> None:
    """What axe finds depends on the page alone, and is looked for once."""
    found = serious(someone.page) if isinstance(someone, Mouse) else []
    assert not found, f"{someone.page.url}:\n" + "\n".join(found)


def watch_an_episode(someone: Mouse | Keyboard, server: Live) -> None:
    """Its row, its chat and its curve come by themselves, and take the focus from nothing."""
    page = someone.page
    follow(someone, "Episodes")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    episode = server.episode(score_turns=True)
    someone.press(page.get_by_role("link", name=episode))
    expect(page.get_by_role("heading", name=episode)).to_be_visible()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    place = page.get_by_role("link", name="#1").first
    someone.look_at(place)
    focused = page.evaluate("document.activeElement.outerHTML")
    curve = page.get_by_role("img", name="Reward after each turn")
    for turn, text in enumerate(("Tell me what happened.", "Thank you."), 1):
        assert server.turn(episode, text).status_code == 200
        expect(page.get_by_text(text, exact=True)).to_be_visible()
        expect(curve.locator("circle.served")).to_have_count(turn)
        assert page.evaluate("document.activeElement.outerHTML") == focused
    expect(curve).to_have_accessible_name(
        f"Reward after each turn: {rewards(server)[0]} after turn 1, {rewards(server)[1]} after turn 2"
    )
    check(someone)


def rewards(server: Live) -> list[str]:
    """The served rewards, as pages write them."""
    return [
        f"{reward:.4f}".rstrip("0") for record in server.records() for reward in record.rewards if reward is not None
    ]


def advance_the_clock(someone: Mouse | Keyboard, server: Live) -> None:
    """By so many seconds; the page shows the time that it is then."""
    page, before = someone.page, server.now()
    follow(someone, "Overview")
    someone.write(page.get_by_label("Advance by seconds"), "90")
    with page.expect_navigation():
        someone.press(page.get_by_role("button", name="Advance"))
    expect(page.get_by_role("banner").get_by_text("2026-01-01 00:01:30")).to_be_visible()
    expect(page.get_by_role("button", name="Advance")).to_be_focused()
    assert server.now() == before + 90


def force_a_dataset(someone: Mouse | Keyboard, server: Live) -> None:
    """What is forced is on the page, and what clients get (DS-3)."""
    page = someone.page
    follow(someone, "Datasets")
    someone.press(page.locator(f"a[href$='{POLLED}']"))
    expect(page.get_by_role("heading", name="Force a status")).to_be_visible()
    check(someone)
    someone.choose(page.get_by_label("status", exact=True), "failed")
    someone.write(page.get_by_label("error, beside failed"), "The disk is full")
    someone.press(page.get_by_role("button", name="Force"))
    expect(page.get_by_text("forced until the next change or reset")).to_be_visible()
    assert get(server, POLLED, "status").json()["error"] == "The disk is full"


def add_a_fault(someone: Mouse | Keyboard, server: Live) -> None:
    """It is in the plan, and the next request, which comes by itself, shows it."""
    page = someone.page
    follow(someone, "Faults")
    someone.write(page.get_by_label("its value"), "503")
    someone.write(page.get_by_label("path", exact=True), "/api/v1/catalog")
    someone.press(page.get_by_role("button", name="Add"))
    expect(page.get_by_role("button", name="Remove fault-1")).to_be_visible()
    check(someone)
    follow(someone, "Requests")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert server.client.get("/api/v1/catalog").status_code == 503
    row = page.locator("main tbody tr").first
    expect(row).to_contain_text("fault-1")
    someone.press(row.get_by_role("link").first)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Request #")
    expect(page.get_by_role("link", name="fault-1")).to_be_visible()
    check(someone)


def play_a_scenario(someone: Mouse | Keyboard) -> None:
    """Reply, reward and rules behind each turn."""
    page = someone.page
    follow(someone, "Scenarios")
    someone.press(page.get_by_role("link", name="Play back-claim"))
    expect(page.get_by_label("You are the operator")).to_be_visible()
    for turn, text in enumerate(("Tell me what happened.", "Are you worried?"), 1):
        someone.write(page.get_by_label("You are the operator"), text)
        someone.press(page.get_by_role("button", name="Send"))
        expect(page.get_by_role("status")).to_contain_text(f"Turn {turn}: reward 0.")
        expect(page.get_by_role("heading", name=f"Turn {turn}")).to_be_visible()
    check(someone)
