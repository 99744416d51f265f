from html import unescape
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from labs_mock.testing import LabsMock
from tests.http.inspector.browser import check_page
from tests.http.inspector.test_frame import HOSTILE, Elements
from tests.http.inspector.test_overview_page import SAID, TALK, UI, text_of
from tests.http.session.sessions import saved, shown
from tests.support import KEY, Live

HERE = f"{UI}/verdicts"
WHERE: dict[str, Any] = {**TALK}
TALKS = [
    [*SAID, {"role": "user", "content": str(number)}, {"role": "assistant", "content": text}]
    for number, text in enumerate(["A second job?", "nonsense"])
]


def words_of(server: Live) -> str:
    """The words of the page."""
    return unescape(text_of(server.client.get(HERE).text))


def test_what_a_handle_finds_is_shown(server: Live, tmp_path: Path) -> None:
    """Newest first, with the whole text; in a saved session, too, from which a handle gets its verdict all the same."""
    assert "There is none." in words_of(server)
    with LabsMock(url=server.url, api_key=KEY) as mock:
        rewards = list(mock.verdict([0, 0], TALKS, **WHERE).expected)
        assert None not in rewards
        mock.assert_rewards(rewards, TALKS, **WHERE)
        swapped = mock.verdict(rewards[::-1], TALKS, **WHERE)
    words = words_of(server)
    assert words.index("swapped(0, 1)") < words.index("in_place 2026-01-01T00:00:00Z")
    for line in swapped.text.splitlines():
        assert " ".join(line.split()) in words
    saved(server, tmp_path / "session.jsonl.gz")
    with shown(tmp_path / "session.jsonl.gz") as other:
        assert "swapped(0, 1)" in words_of(other)
        with LabsMock(url=other.url, api_key=KEY) as mock:
            assert mock.verdict(rewards[::-1], TALKS, **WHERE).label == swapped.label
        assert other.client.get("/_mock/verdicts").json() == server.client.get("/_mock/verdicts").json()


def fill(server: Live, times: int) -> None:
    """So many verdicts of hostile texts."""
    for _ in range(times):
        body = {"label": HOSTILE[:150], "text": (f"{KEY} {HOSTILE} " * 500)[:20_000]}
        server.client.post("/_mock/verdicts", json=body).raise_for_status()


def test_what_was_posted_is_text(server: Live) -> None:
    """Markup is none, what is invisible is an escape, no key is whole, and the page has at most 100 KB."""
    fill(server, 100)
    page = server.client.get(HERE)
    assert len(page.content) <= 100_000
    assert not [one for one in Elements(page.text).found if one[0] == "img" or "onerror" in one[1]]
    assert "alert(1)</script>" not in page.text
    assert not set("\u202e\u2066\x00\x1b") & set(page.text)
    assert KEY not in page.text


@pytest.mark.slow
def test_the_page_is_for_everybody(browser: Browser, server: Live) -> None:
    """In both themes and at 320 px, with hostile texts."""
    fill(server, 3)
    check_page(browser, server.url, HERE)
