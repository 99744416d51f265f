import re
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.http.inspector.charts import WIDTH, steps
from tests.http.datasets import LONG, POLLED, STATES, TIMED, name_of, one_of_each
from tests.http.inspector.browser import check_page, visiting
from tests.http.inspector.test_frame import HOSTILE, Elements
from tests.http.inspector.test_overview_page import UI, text_of
from tests.support import KEY, Live, live

HERE = f"{UI}/datasets"
ID = "0c1d2e3f-4a5b-4c6d-8e7f-901234567890"
METADATA = {"temperature": 1.0, "rollout_index": 0, "quality_score": 0.5, "complexity_score": 0.5, "ifd_score": None}


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Live]:
    """A server with a dataset in each status, and others that move on."""
    with live(one_of_each()) as running:
        yield running


def written(*texts: str, thinking: str = "", name: str = "By hand") -> dict[str, Any]:
    """A dataset of one row: the persona and the operator say these texts in turn."""
    messages = [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(texts)]
    if thinking:
        messages[1]["thinking"] = thinking
    row = {
        "scenario_id": "case-management/back-claim",
        "agent_template_id": "one",
        "messages": messages,
        "metadata": {**METADATA, "turn_count": len(texts) // 2},
    }
    return {"id": ID, "name": name, "lifecycle": [{"status": "ready"}], "rows": {"inline": [row]}}


def words_of(server: Live, path: str = "") -> str:
    """The words of a page."""
    response = server.client.get(f"{HERE}{path}")
    assert response.status_code == 200, response.text
    assert len(response.content) <= 100_000
    return unescape(text_of(response.text))


def poll(server: Live, name: str) -> dict[str, Any]:
    """The answer to a poll."""
    answer: dict[str, Any] = server.client.get(
        f"/api/v1/training-datasets/{name}/status", headers={"authorization": f"Bearer {KEY}"}
    ).json()
    return answer


def test_every_status_is_listed(server: Live) -> None:
    """With what an export is answered, and what moves the dataset on (DS-1, DS-3)."""
    words = words_of(server)
    for status, (export, _) in STATES.items():
        assert re.search(rf"Talks {name_of(status)} {status} .*? 50 {export} ", words), status
    assert "Talks " + POLLED in words
    assert "stage 1 of 5 ends 5 s after it began, at 2026-01-01T00:00:05Z: in 5 s" in words


def test_polls_move_it_on_and_looking_does_not(server: Live) -> None:
    """Where it stands is what the next poll sees (DS-7)."""
    for stage, had in ((1, 0), (2, 0), (2, 1), (3, 0), (4, 0)):
        words = words_of(server, f"/{POLLED.upper()}")
        assert words == words_of(server, f"/{POLLED}")
        present = re.search(r"(\w+) \(present\): (.*?) (?:running|filtering|ready|Force)\b", words)
        assert present is not None
        assert present[2] == (
            "stays" if stage == 4 else f"ends with its poll number {(1, 2, 1)[stage - 1]}; it has had {had}"
        )
        assert poll(server, POLLED)["status"] == present[1]
    assert re.search(
        r"Polls 1 in this stage; the last ones: (2026-01-01 00:00:00 ,? ?){5}", words_of(server, f"/{POLLED}")
    )


def test_the_clock_moves_it_on(server: Live) -> None:
    """A stage of seconds says when it ends; on a clock that is moved it has ended (DS-7)."""
    server.advance(3)
    assert "pending (present): ends 5 s after it began, at 2026-01-01T00:00:05Z: in 2 s" in words_of(
        server, f"/{TIMED}"
    )
    server.advance(2)
    assert "pending (past): ends 5 s after it began preview (present): ends 10 s after it began" in words_of(
        server, f"/{TIMED}"
    )


def test_a_forced_status_is_said_to_be(server: Live) -> None:
    """The lifecycle is then the one stage in which it stays (DS-3)."""
    change = {"status": "failed", "error": HOSTILE, "row_count": 4}
    server.client.patch(f"/_mock/datasets/{POLLED}", json=change).raise_for_status()
    words = words_of(server, f"/{POLLED}")
    assert "Status failed forced until the next change or reset Failed Error <script>alert(1)</script>" in words
    assert "row_count 4 Rows 50" in words
    assert "Lifecycle 1: failed, present failed (present): stays" in words
    assert "failed forced" in words_of(server)


def test_rows_are_chats(server: Live) -> None:
    """The first rows as they are exported, with what was thought and with silence (ROW-1, ROW-2, TOK-1, TOK-2)."""
    server.client.post(
        "/_mock/datasets", json=written("Hello.", NO_RESPONSE, "Hm?", "Yes.", thinking="Wait.")
    ).raise_for_status()
    words = words_of(server, f"/{ID}")
    assert (
        f"persona user Hello. operator assistant, deliberate silence {NO_RESPONSE} thinking Wait. persona user Hm? operator assistant Yes."
        in words
    )
    assert "ifd_score: null" in words
    assert "The first 1 of 1." in words
    words = words_of(server, f"/{LONG}")
    exported = server.client.get(
        f"/api/v1/training-datasets/{LONG}/export", headers={"authorization": f"Bearer {KEY}"}
    ).text
    assert "The first 5 of 2,000." in words
    assert words.count("scenario_id: case-management/back-claim") == 5
    for line in exported.splitlines()[:5]:
        for text in re.findall(r'"content":"([^"]*)"', line):
            assert text in words
    assert "clients get none before the status is ready" in words_of(server, f"/{POLLED}")


def test_a_dataset_without_rows_says_so(server: Live) -> None:
    """It can never be ready, and there is nothing to download."""
    bare = {"id": ID, "name": "None", "lifecycle": [{"status": "pending", "polls": 1}, {"status": "cancelled"}]}
    server.client.post("/_mock/datasets", json=bare).raise_for_status()
    words = words_of(server, f"/{ID}")
    assert "It has none." in words
    assert "curl" not in words


def test_the_command_downloads_the_export(server: Live, tmp_path: Path) -> None:
    """As it stands on the page, with the key in LABS_API_KEY (DS-4)."""
    page = server.client.get(f"{HERE}/{name_of('ready')}").text
    (command,) = re.findall(r"<pre[^>]*>(curl .*)</pre>", page)
    subprocess.run(
        ["sh", "-c", unescape(command)], check=True, cwd=tmp_path, env={"LABS_API_KEY": KEY, "PATH": "/usr/bin:/bin"}
    )
    (written_file,) = tmp_path.iterdir()
    assert written_file.name == f"training-dataset-{name_of('ready')}.jsonl"
    assert len(written_file.read_bytes().splitlines()) == 50
    assert KEY not in page


def test_hostile_rows_are_text(server: Live) -> None:
    """Long ones too: at most 100 KB, and what is invisible is an escape."""
    texts = [f"{HOSTILE} {KEY} {number} " + "<&\u202e" * 3_000 for number in range(200)]
    added = written(*texts, thinking=HOSTILE * 300, name=HOSTILE.replace("\x00", "").replace("\x1b", ""))
    server.client.post("/_mock/datasets", json=added).raise_for_status()
    for path in ("", f"/{ID}"):
        page = server.client.get(HERE + path)
        assert len(page.content) <= 100_000
        assert not [one for one in Elements(page.text).found if one[0] == "img" or "onerror" in one[1]]
        assert "alert(1)</script>" not in page.text
        assert not set("\u202e\u2066\x00\x1b") & set(page.text)
        assert KEY not in page.text
    assert "140 more messages" in words_of(server, f"/{ID}")


def test_many_datasets_and_many_stages_have_pages(server: Live) -> None:
    """Forty datasets to a page, and of a lifecycle the stages around the present one."""
    stages = [*({"status": "running", "polls": 2, "message": str(number)} for number in range(60)), {"status": "ready"}]
    for number in range(60):
        added = {**written("a", "b"), "id": f"0c1d2e3f-4a5b-4c6d-8e7f-{number:012}", "lifecycle": stages}
        server.client.post("/_mock/datasets", json=added).raise_for_status()
    seen, query = 0, "?from=0"
    while query:
        page = server.client.get(f"{HERE}{query}").text
        assert len(page.encode()) <= 100_000
        seen += page.count("<tr>") - 1
        query = "".join(re.findall(r'href="[^"?]+([^"]+)" rel="next"', page))
    assert seen == 70
    assert "61 stages in all" in words_of(server, "/0c1d2e3f-4a5b-4c6d-8e7f-000000000001")
    assert words_of(server, "?from=500").count("There is no dataset behind these.") == 1
    assert server.client.get(f"{HERE}/{ID}").status_code == 404


@given(st.lists(st.sampled_from(["past", "present", "later"]), min_size=1, max_size=20))
def test_steps_stand_on_a_level_line(kinds: list[str]) -> None:
    """One dot a stage, from left to right within the chart, each of its kind."""
    chart = steps([(kind, f"{number}") for number, kind in enumerate(kinds)])
    assert [dot.kind for dot in chart.dots] == kinds
    assert [dot.label for dot in chart.dots] == [str(number) for number in range(len(kinds))]
    assert len({dot.y for dot in chart.dots}) == 1
    places = [dot.x for dot in chart.dots]
    assert places == sorted(set(places))
    assert 0 <= places[0] <= places[-1] <= WIDTH


@pytest.mark.slow
def test_a_status_is_forced_in_the_browser(browser: Browser, server: Live) -> None:
    """By keyboard: what is wrong stands at the form, and what is right is what clients get; the page is for everybody (DS-3)."""
    server.client.post("/_mock/datasets", json=written(HOSTILE, NO_RESPONSE, thinking=HOSTILE)).raise_for_status()
    check_page(browser, server.url, f"{HERE}/{ID}")
    with visiting(browser, server.url, 400) as visit:
        visit.open(HERE)
        visit.page.get_by_role("link", name="Talks").nth(7).click()
        visit.page.get_by_label("status", exact=True).focus()
        visit.page.keyboard.type("failed")
        visit.page.get_by_role("button", name="Force").focus()
        visit.page.keyboard.press("Enter")
        visit.page.get_by_text("error: expected beside the status 'failed'").wait_for()
        visit.page.get_by_label("error, beside failed").fill("The disk is full")
        visit.page.keyboard.press("Enter")
        visit.page.get_by_text("forced until the next change or reset").wait_for()
        assert poll(server, POLLED)["error"] == "The disk is full"
