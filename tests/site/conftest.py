"""The site, built once by the command of `make docs`, and a browser for it."""

import fcntl
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from website.build import build

from tests.http.inspector.browser import CHROMIUM, running_browser
from tests.site.built_site import BuiltSite

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> BuiltSite:
    """The built site, of which the workers of pytest-xdist have one together."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "site"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            build(folder)
    return BuiltSite.read(folder)


@pytest.fixture(scope="package")
def browser() -> "Iterator[Browser]":
    """Chromium, for the tests of this folder."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with running_browser() as started:
        yield started
