"""The built site in a real browser, from a plain file server."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser

from tests.http.inspector.browser import THEMES, serious, visiting
from tests.site.built_site import BuiltSite

pytestmark = pytest.mark.slow

PAGES = ("/", "/quickstart/", "/inspector/", "/api/testing/", "/http/labs-api/", "/http/control-plane/", "/commands/")
"""The front page, one with code, one with pictures, docstrings, both OpenAPI documents, and options."""


class Files(SimpleHTTPRequestHandler):
    """Files of a folder, without a log."""

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base class's name
        """Nothing."""


@pytest.fixture(scope="module")
def url(site: BuiltSite) -> Iterator[str]:
    """Where the site is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(site.folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_everything_from_its_server(browser: Browser, url: str, path: str) -> None:
    """No request goes to another origin, and nothing is on the console."""
    with visiting(browser, url) as visit:
        visit.open(path)
        visit.page.wait_for_load_state("networkidle")
        assert visit.page.locator("h1").count() == 1


def test_a_search_finds_and_leads_there(browser: Browser, url: str) -> None:
    """The search of the site needs no other server; the code of a finding leads to the page about it."""
    with visiting(browser, url) as visit:
        visit.open("/")
        visit.page.get_by_role("button", name="Search").click()
        visit.page.get_by_role("combobox", name="Search").fill("polled_too_often")
        hit = visit.page.locator("a[href*='/findings/?h=polled_too_often']").first
        hit.wait_for()
        visit.open((hit.get_attribute("href") or "").removeprefix(url).partition("#")[0])
        assert visit.page.locator("#polled_too_often").is_visible()


def test_pictures_follow_the_switch_of_the_site(browser: Browser, url: str) -> None:
    """One of the two pictures is shown, in the theme that was chosen there, whatever the system has."""
    with visiting(browser, url) as visit:
        visit.open("/inspector/")
        light, dark = (
            visit.page.locator(f"img[src$='overview-{theme}.png#only-{theme}']") for theme in ("light", "dark")
        )
        assert (light.is_visible(), dark.is_visible()) == (True, False)
        for title in ("Switch to light mode", "Switch to dark mode"):
            visit.page.get_by_title(title).click()
        dark.wait_for()
        assert not light.is_visible()


@pytest.mark.parametrize("path", ["/", "/findings/", "/api/errors/"])
def test_axe_finds_nothing_serious(browser: Browser, url: str, path: str) -> None:
    """In both themes."""
    with visiting(browser, url) as visit:
        visit.open(path)
        for theme, rules in THEMES.items():
            visit.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            assert serious(visit.page, rules) == []
