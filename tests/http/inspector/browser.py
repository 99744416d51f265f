"""A real browser for the tests of pages: what it is told to open, what it complains of, and what a page must be for everybody."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
Theme = Literal["light", "dark"]
WIDE, NARROW = 1280, 320  # CSS pixels
FAILED = "console: error: Failed to load resource: the server responded with a status of"
DEADLINE = 30_000  # milliseconds for anything that a test waits for
ALL_RULES: dict[str, Any] = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa"]}
OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # only they depend on a theme
THEMES: dict[Theme, dict[str, Any]] = {"light": ALL_RULES, "dark": OF_COLOURS}
MOVING = """() => [...document.querySelectorAll('*')].flatMap(element => {
    const style = getComputedStyle(element);
    const times = `${style.transitionDuration}, ${style.animationDuration}`.split(', ');
    return times.some(time => parseFloat(time) > 0) ? [element.outerHTML.slice(0, 200)] : [];
})"""


class Visit(NamedTuple):
    """An open page of a server, and what went wrong on it so far: messages on the console, errors, requests to another origin."""

    page: Page
    url: str
    problems: list[str]

    def open(self, path: str) -> None:
        """Load a page, with all that it loads."""
        response = self.page.goto(self.url + path, wait_until="load")
        assert response is not None
        assert response.ok, f"{path}: {response.status}"


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium, which finds no other host than this machine."""
    arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments, timeout=4 * DEADLINE)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visiting(browser: Browser, url: str, *refusals: int) -> Iterator[Visit]:
    """A window without a history, for somebody who wants nothing to move. At its end nothing may have gone wrong in it.

    `refusals` are statuses that are wanted: Chromium reports each on the console, and nobody knows when.
    """
    with browser.new_context(reduced_motion="reduce", viewport={"width": WIDE, "height": 900}) as context:
        context.set_default_timeout(DEADLINE)
        page, problems = context.new_page(), list[str]()
        page.on("console", lambda message: problems.append(f"console: {message.type}: {message.text}"))
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("request", lambda request: problems.extend(_elsewhere(request.url, url)))
        yield Visit(page, url, problems)
        wanted = tuple(f"{FAILED} {status} (" for status in refusals)
        others = [problem for problem in problems if not problem.startswith(wanted)]
        assert not others, "\n".join(others)


def _elsewhere(requested: str, url: str) -> list[str]:
    same = requested.startswith((f"{url}/", "data:"))
    return [] if same else [f"request to another origin: {requested}"]


def check_page(browser: Browser, url: str, path: str) -> None:
    """A page is for everybody: in both themes axe finds nothing serious, it fits a narrow window, and nothing moves."""
    with visiting(browser, url) as visit:
        visit.open(path)
        for theme, rules in THEMES.items():
            visit.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            found = serious(visit.page, rules)
            assert not found, f"{path}, {theme}:\n" + "\n".join(found)
        moving = visit.page.evaluate(MOVING)
        assert not moving, f"{path} moves: {moving}"
        visit.page.set_viewport_size({"width": NARROW, "height": 900})
        width = visit.page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW, f"{path} is {width} pixels wide"


def serious(page: Page, rules: dict[str, Any] = ALL_RULES) -> list[str]:
    """What axe finds serious or critical on a page by some rules, each with the elements and the reason."""
    violations = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for one in violations
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
