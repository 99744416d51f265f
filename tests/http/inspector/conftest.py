"""The browser that the tests of pages share."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.http.inspector.browser import CHROMIUM, running_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="package")
def browser() -> "Iterator[Browser]":
    """Chromium, once for the tests of this folder that follow each other: while Playwright runs, a loop runs in this thread, and
    the tests of other folders begin loops of their own.
    """
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with running_browser() as started:
        yield started
