import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.http.inspector.browser import check_page, visiting
from tests.http.inspector.test_frame import HOSTILE, Elements
from tests.http.inspector.test_overview_page import UI, text_of
from tests.support import CLAIM, KEY, Live, live, scenario, world

SCAN = {"type": "artifact", "name": "order_imaging", "input": {"region": "lumbar spine"}}
WRONG = {"type": "decision", "name": "claim_status", "input": {"value": "later"}}
LONG = HOSTILE + " tell me " + "x" * 9_000


def said(text: str, *calls: dict[str, Any]) -> dict[str, Any]:
    """A message of the operator."""
    return {"role": "assistant", "content": text, **({"tool_calls": list(calls)} if calls else {})}


def play(server: Live, **fields: Any) -> str:
    """An episode of three turns, the last of which ends it by an invalid call."""
    episode = server.episode(**fields)
    server.turn(episode, "Tell me what happened.")
    server.turn(episode, said("A second job?", SCAN))
    server.turn(episode, said(LONG, WRONG))
    return episode


def page_of(server: Live, episode: str) -> str:
    """The page of an episode."""
    response = server.client.get(f"{UI}/episodes/{episode}")
    assert response.status_code == 200, response.text
    return response.text


def test_an_episode_is_shown_turn_by_turn(server: Live) -> None:
    """What was said, revealed and called, which rules match which turn, why it ended, and the requests behind it (EP-5, EP-12)."""
    page = page_of(server, play(server, score_turns=True))
    words = text_of(page)
    rewards = [record.rewards[0] for record in server.records()[1:]]
    for turn, reward in enumerate(rewards, 1):
        assert f"Turn {turn} reward {reward:.4f}".rstrip("0").rstrip(".") + ", served" in words
    assert "Before the first turn persona Hello, I&#39;m calling about my claim." in words
    assert "operator Tell me what happened. persona It started on Tuesday. Revealed: onset: F1" in words
    assert "Rules that match: success_metrics: establish_onset best_practices: open_question" in words
    assert "valid call order_imaging artifact { &#34;region&#34;: &#34;lumbar spine&#34; }" in words
    assert "invalid call claim_status decision { &#34;value&#34;: &#34;later&#34; }" in words
    assert "input.value: claim_status: unknown option &#39;later&#39;; expected one of: approved, denied" in words
    assert "error: turn 3 has an invalid tool call." in words
    assert [page.count(f'href="{UI}/requests/{number}"') for number in (1, 2, 3, 4)] == [1, 2, 2, 2]
    assert "success_metrics order_scan 2 holds (weight 3)" in words
    assert re.search(r"discovery fear . not revealed \(weight 1\)", words)


def test_rewards_that_nobody_was_served_are_marked(server: Live) -> None:
    """Without score_turns, and where the journal has lost the request, they are computed, which form and text say (EP-3)."""
    episode = play(server)
    page = page_of(server, episode)
    assert page.count('<circle class="computed"') == 4  # and one in the legend
    assert page.count('<circle class="served"') == 1
    assert [page.count(text) for text in (", computed</span>", ", computed: ", " computed</td>")] == [3, 3, 3]
    assert "Without score_turns every turn was answered with the reward 0" in page
    second = play(server, score_turns=True)
    assert page_of(server, second).count('<circle class="served"') == 4
    server.client.request("DELETE", "/_mock/requests", json={})
    page = page_of(server, second)
    assert page.count('<circle class="computed"') == 4
    assert "The journal has none of them any longer." in page


def test_computed_rewards_are_those_that_are_served(server: Live) -> None:
    """The same turns with and without score_turns have the same table (EV-2)."""
    tables = []
    for scored in (True, False):
        page = page_of(server, play(server, score_turns=scored))
        tables.append(text_of(page[page.index("<details>") : page.index("</details>")]).replace(" computed", ""))
    assert tables[0] == tables[1]
    assert "0.3857" in tables[0]


ENDINGS: list[tuple[dict[str, Any], list[Any], str]] = [
    ({}, [], "It has not ended."),
    (
        {},
        [said("Done.", {**WRONG, "input": {"value": "denied"}})],
        "completed: the scenario's rule for it matched turn 1.",
    ),
    (
        {},
        [said("Yes.", {**WRONG, "input": {"value": "approved"}})],
        "error: the critical failure early_approval matched turn 1.",
    ),
    ({}, ["Hello.", said("Wrong.", WRONG)], "error: turn 2 has an invalid tool call."),
    ({"max_turns": 2}, ["Hello.", "Hello?"], "max_turns_reached: the scenario has at most 2 turns."),
    (
        {
            "shape": "journey",
            "sessions": [{"after_days": 0, "ends": {"turns": 1}}],
            "closing": "Bye.",
            "completed": None,
        },
        ["Hello."],
        "completed: its last session ended with turn 1.",
    ),
]


@pytest.mark.parametrize(("changes", "turns", "sentence"), ENDINGS)
def test_the_page_says_why_an_episode_ended(changes: dict[str, Any], turns: list[Any], sentence: str) -> None:
    """Each reason with what led to it (EP-11)."""
    with live(world(scenario(CLAIM, **changes))) as server:
        episode = server.episode()
        for turn in turns:
            assert server.turn(episode, turn).status_code == 200
        assert sentence in page_of(server, episode).replace("&#39;", "'")


def test_an_episode_that_was_ended_for_its_client_says_so(server: Live) -> None:
    """By the control plane, before its first turn (EP-14)."""
    episode = server.episode()
    server.client.post(f"/_mock/episodes/{episode}/terminate", json={})
    assert "client_terminated: somebody ended it over the control plane." in page_of(server, episode)


def test_the_list_has_filters_and_pages(server: Live) -> None:
    """The query is that of the control plane; pages are linked, and an empty filter is none."""
    first = server.episode()
    for _ in range(51):
        server.episode()
    server.turn(first, "Hello.")
    listed = server.client.get(f"{UI}/episodes").text
    assert listed.count("<tr>") == 51
    (older,) = re.findall(r'href="([^"]+)" rel="next"', listed)
    assert server.client.get(older.replace("&amp;", "&")).text.count("<tr>") == 3
    chosen = server.client.get(
        f"{UI}/episodes?scenario=back-claim&organisation=&state=open&finding=missing_body_id"
    ).text
    assert "No episode passes these filters." in chosen
    assert server.client.get(f"{UI}/episodes?state=open&scenario=").text.count("<tr>") == 51
    assert "<option selected>open</option>" in server.client.get(f"{UI}/episodes?state=open").text
    assert server.client.get(f"{UI}/episodes?stat=open").status_code == 400
    assert server.client.get(f"{UI}/episodes/ep_none").status_code == 404


def test_looking_at_an_episode_changes_nothing(server: Live) -> None:
    """It is as it was, and its place in the list too."""
    episode = play(server)
    server.episode()
    before, counted = server.stored_episodes(), len(server.records())
    page_of(server, episode)
    assert (server.stored_episodes(), len(server.records())) == (before, counted)


@pytest.fixture(scope="module")
def longest() -> Iterator[tuple[Live, str]]:
    """The longest episode that there can be, of hostile texts, with many criteria, and the id of it."""
    items = [
        {
            "id": f"item_{number}",
            "fact": HOSTILE.replace("\x00", "").replace("\x1b", "") * 3,
            "reveal": "direct_question",
            "when": {"says": ["tell me"]},
            "reply": "R",
        }
        for number in range(60)
    ]
    metrics = [{"id": f"metric_{number}", "text": "T", "when": {"says": ["tell me"]}} for number in range(300)]
    changed = scenario(
        max_turns=50,
        invalid_tool_call="score",
        state=[*CLAIM["state"], *items],
        criteria={**CLAIM["criteria"], "success_metrics": metrics},
    )
    with live(world(changed)) as server:
        episode = server.episode(score_turns=True)
        for number in range(50):
            calls = [{**WRONG, "name": HOSTILE, "input": {HOSTILE: HOSTILE * 50}}] * 30 if number == 20 else []
            server.turn(episode, said(f"{KEY} {LONG}", *calls)).raise_for_status()
        yield server, episode


def test_the_longest_episode_has_a_page(longest: tuple[Live, str]) -> None:
    """At most 200 rows and 100 KB, with a link to all of it, and each text has its part of the room (EP-10)."""
    server, episode = longest
    page = page_of(server, episode)
    assert len(page.encode()) < 100_000
    assert page.count("<tr") < 200
    assert page.count("(9,") >= 45
    assert f'href="/_mock/episodes/{episode}"' in page
    assert "20 more tool calls" in page


def test_what_was_said_is_text(longest: tuple[Live, str]) -> None:
    """Markup is none, what is invisible is an escape, and no key is whole."""
    server, episode = longest
    page = page_of(server, episode)
    assert not [one for one in Elements(page).found if one[0] == "img" or "onerror" in one[1]]
    assert "alert(1)</script>" not in page
    assert not set("\u202e\u2066\x00\x1b") & set(page)
    assert KEY not in page


@pytest.mark.slow
def test_the_pages_are_for_everybody(browser: Browser, longest: tuple[Live, str]) -> None:
    """List and chat in both themes, at 320 px, with hostile texts of 10,000 characters; a filter works without a script."""
    server, episode = longest
    check_page(browser, server.url, f"{UI}/episodes/{episode}")
    with visiting(browser, server.url) as visit:
        visit.open(f"{UI}/episodes")
        visit.page.get_by_label("organisation").fill("nobody")
        visit.page.get_by_role("button", name="Filter").click()
        visit.page.get_by_text("No episode passes these filters.").wait_for()
        visit.page.get_by_role("link", name="All", exact=True).click()
        visit.page.get_by_role("link", name=episode).click()
        visit.page.get_by_role("heading", name="Turn 50").wait_for()
        visit.page.get_by_text("Rewards and scores as a table").click()
        visit.page.get_by_role("table", name="Rewards and scores by turn").wait_for()
