import re
from html import unescape
from typing import Any

import pytest
from playwright.sync_api import Browser

from labs_mock.state.arrival import Arrival
from labs_mock.state.bounds import Bounds
from labs_mock.state.commit import Commit
from tests.http.inspector.browser import check_page, visiting
from tests.http.inspector.test_episode_page import LONG, WRONG, said
from tests.http.inspector.test_frame import HOSTILE, Elements
from tests.http.inspector.test_overview_page import TALK, UI, text_of
from tests.support import CLAIM, KEY, OPENING, Live, live, noise, result_of, scenario, world

HERE = f"{UI}/evaluations"
GOOD = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": OPENING},
    said("Tell me what happened."),
    {"role": "user", "content": "It started on Tuesday."},
    said("A second job?"),
]
OTHER = [
    {"role": "user", "content": OPENING},
    said("Hello."),
    {"role": "user", "content": "Nothing."},
    said("Thank you."),
]


def words_of(server: Live, path: str) -> str:
    """The words of a page."""
    response = server.client.get(f"{HERE}/{path}")
    assert response.status_code == 200, response.text
    return unescape(text_of(response.text))


def test_a_conversation_is_shown_as_it_was_sent(server: Live) -> None:
    """Who spoke in which turn, the reward after each, of which the last was served, and what the persona says (EV-1, EP-8)."""
    server.post("/evaluate", {**TALK, "messages": GOOD, "mesages": 1})
    (reward,) = server.records()[0].rewards
    words = words_of(server, "1")
    assert "Before the first turn system Be kind. persona sent as user Hello, I'm calling about my claim." in words
    assert "Turn 1 reward 0.3857, computed operator Tell me what happened. persona sent as user It started" in words
    assert f"Turn 2 reward {reward:.4f}, served #1 operator A second job?" in words
    assert "not in the request: what the scenario's persona says here I do deliveries." in words
    assert "Revealed: side_job: F2" in words
    assert "unknown_field" in words
    assert "something else" not in words
    assert "scoring_version" not in words


def test_a_persona_that_says_something_else_is_marked(server: Live) -> None:
    """What a client wrote in its place is shown, and what the scenario's persona says."""
    server.post("/evaluate", {**TALK, "messages": OTHER})
    words = words_of(server, "1")
    assert "sent as user; the scenario's persona says something else here Nothing." in words
    assert "not in the request: what the scenario's persona says here It started on Tuesday." in words


def test_weights_of_the_request_count(server: Live) -> None:
    """The computed rewards are those of the request's reward_config, which is shown (RC-1, RC-2)."""
    server.post("/evaluate", {**TALK, "messages": GOOD, "reward_config": {"quality_weights": {"discovery": 1}}})
    words = words_of(server, "1")
    assert '"discovery": 1.0' in words
    assert "0.25 after turn 1, 0.5 after turn 2" in words
    assert "D4_Rubrics" not in words


def test_turns_behind_the_end_are_marked(server: Live) -> None:
    """They are shown, and count for nothing (EV-2)."""
    messages = [
        *OTHER[:1],
        said("Done.", {**WRONG, "input": {"value": "denied"}}),
        {"role": "user", "content": "?"},
        said("More."),
    ]
    server.post("/evaluate", {**TALK, "messages": messages})
    words = words_of(server, "1")
    assert "Turn 2 not counted: behind the end operator More." in words
    assert "completed: the scenario's rule for it matched turn 1." in words
    assert "Reward after each turn: " in words


def test_a_batch_is_a_table_of_items(server: Live) -> None:
    """Each with its reward or its error, and a page of its own (BAT-2)."""
    items = [
        {"id": "x", **TALK, "messages": GOOD},
        {"id": HOSTILE, **TALK, "scenario_slug": "no", "messages": GOOD},
        {"id": KEY},
    ]
    server.post("/batch/evaluate", {"items": items})
    words = words_of(server, "1")
    assert "0 x case-management/back-claim 5 0.4786 1 <script>" in words
    assert "error Scenario not found: 'no' in collection 'case-management'" in words
    assert "error items.2.collection_slug: is required" in words
    assert KEY not in words
    assert "Turn 2 reward 0.4786, served" in words_of(server, "1/0")
    broken = words_of(server, "1/1")
    assert "It cannot be scored now: Scenario not found" in broken
    assert "It was not scored. Before the first turn system Be kind. user Hello" in broken
    assert "What was sent is no conversation" in words_of(server, "1/2")
    assert [
        server.client.get(f"{HERE}/1/{item}").status_code for item in ("3", "-1", "x", "9" * 30, "0" * 12 + "9")
    ] == [404] * 5


def test_two_conversations_stand_side_by_side(server: Live) -> None:
    """With the winner and the margin, each with its own rewards (CMP-1)."""
    answer = server.post(
        "/compare", {**TALK, "response_a": {"messages": OTHER}, "response_b": {"messages": GOOD}}
    ).json()
    page = server.client.get(f"{HERE}/1").text
    words = unescape(text_of(page))
    assert f"Winner b, margin {answer['margin']}" in words
    assert "Response b winner Rewards of b" in words
    assert f"Turn 2 of a reward {answer['reward_a']:.4f}".rstrip("0") + ", served" in words
    assert f"Turn 2 of b reward {answer['reward_b']:.4f}, served" in words
    assert page.count('<div class="pair">') == 1


def test_what_was_refused_says_why(server: Live) -> None:
    """A refused request has its message, and its conversations where it has any (GEN-3, EP-9)."""
    server.post("/evaluate", {"messages": 3})
    server.post("/compare", {**TALK, "response_a": {"messages": GOOD}, "response_b": {"messages": []}})
    server.client.post("/_mock/faults", json={"path": "/api/v1/evaluate", "status": 503})
    server.post("/evaluate", {**TALK, "messages": GOOD})
    server.client.post("/api/v1/evaluate", content=b"\xff")
    words = words_of(server, "1")
    assert "Refused: collection_slug: is required; scenario_slug: is required; messages: expected a list" in words
    assert "What was sent is no conversation: the request shows it." in words
    words = words_of(server, "2")
    assert "Refused: response_b" in words
    assert "Response a" in words
    assert "Turn 2 reward 0.4786, computed" in words_of(server, "3")
    assert "What was sent is no conversation" in words_of(server, "4")


def test_a_body_that_is_gone_is_said_to_be(server: Live) -> None:
    """Whether the journal had no room for it, or never took it."""
    big = {**TALK, "messages": GOOD, "more": noise(200_000).hex()}
    with live(world(bounds=Bounds(journal=300_000))) as small:
        small.post("/evaluate", big)
        small.post("/evaluate", {**big, "again": 1})
        assert small.records()[0].request is None
        assert "cannot be shown: the journal dropped it, to make room for newer ones." in words_of(small, "1")
        assert small.client.get(HERE).text.count("<tr>") == 3
    server.client.post(
        "/api/v1/evaluate", content=b"x" * (16 * 1024 * 1024 + 1), headers={"content-type": "application/json"}
    )
    assert "it had 16,777,217 bytes, and the journal keeps no body of more than 16,777,216" in words_of(server, "1")


def test_a_scenario_that_has_changed_since_is_said_to_have(server: Live) -> None:
    """The served reward stays, and what is computed is that of now (SV-1)."""
    server.post("/evaluate", {**TALK, "messages": GOOD})
    changed = {**CLAIM, "criteria": {"success_metrics": CLAIM["criteria"]["success_metrics"]}}
    server.client.post("/_mock/scenarios", json={**TALK, "scenario": changed}).raise_for_status()
    words = words_of(server, "1")
    assert "It was scored by other scenarios" in words
    assert "reward 0.4786, served" in words
    server.client.post("/_mock/scenarios", json={**TALK, "scenario": CLAIM}).raise_for_status()


def test_only_evaluations_have_such_a_page(server: Live) -> None:
    """Other requests, and numbers that the journal has not, are not found."""
    server.client.get("/api/v1/catalog")
    assert {server.client.get(f"{HERE}/{number}").status_code for number in ("1", "2", "0", "x", "9" * 20)} == {404}
    assert server.client.get(f"{HERE}?before=x").status_code == 400


def test_a_full_journal_is_read_in_pages(server: Live) -> None:
    """Of 10,000 records those of evaluations are listed, newest first, fifty to a page of at most 100 KB."""
    server.post("/evaluate", {**TALK, "messages": [said(LONG)], HOSTILE * 20: 1})
    (record,) = server.records()
    arrived = result_of(server.world.store.arrive(Arrival("GET", "/", "", b"", None, False, False)))
    for number in range(2, 10_001):
        kept = record if number % 80 == 0 else record._replace(path="/api/v1/catalog", method="GET")
        result_of(server.world.store.commit(Commit(arrived.epoch, str(number), kept)))
    seen, path = [], HERE
    while path:
        page = server.client.get(path).text
        assert len(page.encode()) < 100_000
        assert page.count("<tr>") <= 51
        seen += [int(number) for number in re.findall(rf'href="{HERE}/(\d+)"', page)]
        older = re.search(r'href="([^"]+)" rel="next"', page)
        path = unescape(older[1]) if older else ""
    assert seen == [*range(10_000, 0, -80), 1]


def worst(messages: int) -> list[dict[str, Any]]:
    """A long conversation of hostile texts."""
    talk = [{"role": "user", "content": OPENING}]
    for number in range(messages // 2):
        talk += [
            said(f"{KEY} {LONG}", *[{**WRONG, "input": {HOSTILE: HOSTILE * 50}}] * (10 * (number == 3))),
            {"role": "user", "content": LONG},
        ]
    return talk


@pytest.mark.parametrize("messages", [100, 998])
def test_the_longest_conversations_have_pages(messages: int) -> None:
    """One, two and those of a batch: at most 100 KB and 200 rows, hostile texts are text, no key is whole (GEN-6, EP-9)."""
    metrics = [{"id": f"metric_{number}", "text": "T", "when": {"says": ["tell me"]}} for number in range(300)]
    served = scenario(
        max_turns=50, invalid_tool_call="score", criteria={**CLAIM["criteria"], "success_metrics": metrics}
    )
    talk = worst(messages)
    with live(world(served)) as server:
        assert server.post("/evaluate", {**TALK, "messages": talk}).status_code == 200
        server.post(
            "/compare", {**TALK, "response_a": {"messages": talk[:700]}, "response_b": {"messages": talk[:700]}}
        )
        items = [
            {"id": HOSTILE * 10, **TALK, "messages": [said(LONG)]},
            *[{"id": HOSTILE * 10, "collection_slug": LONG, "scenario_slug": LONG}] * 99,
        ]
        server.post("/batch/evaluate", {"items": items})
        server.post("/evaluate", {**TALK, "scenario_slug": "gone", "messages": talk})
        for path in ("", "/1", "/2", "/3", "/3/0", "/3/1", "/4"):
            page = server.client.get(HERE + path).text
            assert len(page.encode()) < 100_000, (path, len(page.encode()))
            assert page.count("<tr") <= 200
            assert not [one for one in Elements(page).found if one[0] == "img" or "onerror" in one[1]]
            assert not set("\u202e\u2066\x00\x1b") & set(page)
            assert KEY not in page
        assert "more messages are not shown here" in server.client.get(f"{HERE}/2").text


@pytest.mark.slow
def test_the_pages_are_for_everybody(browser: Browser, server: Live) -> None:
    """Two conversations side by side and a batch in both themes, at 320 px, and a batch leads to its items."""
    server.post("/evaluate", {**TALK, "messages": GOOD})
    longer = [*GOOD, {"role": "user", "content": LONG}, said(LONG, WRONG)]
    server.post("/compare", {**TALK, "response_a": {"messages": OTHER}, "response_b": {"messages": longer}})
    server.post("/batch/evaluate", {"items": [{"id": "x", **TALK, "messages": GOOD}, {"id": "y"}]})
    for number in (2, 3):
        check_page(browser, server.url, f"{HERE}/{number}")
    with visiting(browser, server.url) as visit:
        visit.open(HERE)
        visit.page.get_by_role("link", name="#3").click()
        visit.page.get_by_role("rowheader", name="0").get_by_role("link").click()
        visit.page.get_by_role("heading", name="Turn 2").wait_for()
