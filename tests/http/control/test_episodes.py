from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.config.server_file import KeyEntry
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.state.bounds import Bounds
from tests.http.test_batch import TEXTS, WHERE, conversation
from tests.http.test_envelope import LIMITS, check_envelope
from tests.http.test_episodes import APPROVE, DECIDE, operator
from tests.support import CLAIM, KEY, OPENING, Live, live, scenario, world

DAY = 86_400
Shown = dict[str, Any]
SESSIONS = [
    {"after_days": 0, "ends": {"turns": 2}},
    {"after_days": 7, "reach_out": [{"when": {"silent": True}, "say": "Are you there?"}, {"say": "Week two."}]},
    {"after_days": 21, "reach_out": [{"say": "Week four."}], "ends": {"turns": 1}},
]


def episode_of(server: Live, name: str) -> Shown:
    """An episode as the control plane shows it."""
    response = server.client.get(f"/_mock/episodes/{name}")
    assert response.status_code == 200, response.text
    shown: Shown = response.json()
    return shown


def terminate(server: Live, name: str) -> httpx.Response:
    """End an episode."""
    return server.client.post(f"/_mock/episodes/{name}/terminate", json={})


def revealed(shown: Shown) -> dict[str, list[int]]:
    """The turns at which each state item was revealed."""
    return {rule["id"]: rule["turns"] for rule in shown["explanation"]["rules"] if rule["part"] == "discovery"}


def test_an_episode_is_shown_with_all_that_its_client_does_not_see(server: Live) -> None:
    """Its organisation, its transcript with the speakers, its turn, and why its reward would be what it is."""
    name = server.episode(score_turns=True)
    server.advance(60)
    responses = [server.turn(name, *texts).json() for texts in (["Tell me what happened.", "When?"], ["A second job?"])]
    shown = episode_of(server, name)
    explanation = shown.pop("explanation")
    assert shown == {
        "id": name,
        "organisation": "local",
        "collection_slug": "case-management",
        "scenario_slug": "back-claim",
        "score_turns": True,
        "turn": 2,
        "terminal_reason": None,
        "touched": "2026-01-01T00:01:00Z",
        "transcript": [
            {"turn": 0, "speaker": "persona", "content": OPENING},
            {"turn": 1, "speaker": "operator", "content": "Tell me what happened."},
            {"turn": 1, "speaker": "operator", "content": "When?"},
            {"turn": 1, "speaker": "persona", "content": responses[0]["observation"]["content"]},
            {"turn": 2, "speaker": "operator", "content": "A second job?"},
            {"turn": 2, "speaker": "persona", "content": responses[1]["observation"]["content"]},
        ],
        "context": [],
    }
    assert explanation["reward"] == responses[-1]["reward"]
    assert {one["name"]: one["score"] for one in explanation["dimensions"]} == responses[-1]["scores"]


def test_no_key_can_be_read_in_a_transcript(server: Live) -> None:
    """Neither in texts nor in the inputs of calls, however deep (ERR-2)."""
    name = server.episode()
    deep: Any = KEY
    for _ in range(50):
        deep = {KEY: [deep]} if isinstance(deep, str) else {"more": deep}
    call = {"type": "artifact", "name": "order_imaging", "input": {"region": deep}}
    sent = {"role": "assistant", "content": f"My key is {KEY}.", "tool_calls": [call]}
    assert server.turn(name, sent).status_code == 200
    shown = server.client.get(f"/_mock/episodes/{name}").text
    assert KEY not in shown
    assert shown.count("lab_*****") == 3


def test_what_was_revealed_and_when_is_shown(server: Live) -> None:
    """Each state item with the turn at which it came to light, turn by turn."""
    name = server.episode()
    found = [revealed(episode_of(server, name))]
    for texts in ("Go on.", "Do you have a second job?", "Thank you. I understand.", "Thank you. Are you worried?"):
        server.turn(name, texts)
        found.append(revealed(episode_of(server, name)))
    nothing: dict[str, list[int]] = {"onset": [], "side_job": [], "fear": [], "imaging": []}
    onset, job = {**nothing, "onset": [1]}, {**nothing, "onset": [1], "side_job": [2]}
    assert found == [nothing, onset, job, job, {**job, "fear": [4]}]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=6))
def test_the_explanation_is_that_of_its_transcript(shared_server: Live, texts: list[str]) -> None:
    """What `/_mock/explain` says of the same conversation: every rule, dimension and weight (EV-2)."""
    name = shared_server.episode()
    for text in texts:
        shared_server.turn(name, text)
    explained = shared_server.client.post("/_mock/explain", json={**WHERE, "messages": conversation(*texts)}).json()
    del explained["findings"], explained["served"]
    assert episode_of(shared_server, name)["explanation"] == explained


@pytest.mark.parametrize(
    ("texts", "context"),
    [
        (["Hello"], []),
        (["Hello", "Hello"], ["7 days later"]),
        ([NO_RESPONSE], ["no word for 7 days"]),
        (["Hello", NO_RESPONSE, NO_RESPONSE], ["no word for 7 days", "no word for 14 days"]),
        (["Hello", "Hello", NO_RESPONSE, "Bye"], ["7 days later", "no word for 14 days"]),
    ],
)
def test_the_time_skips_of_a_journey_are_shown_here_and_nowhere_else(texts: list[str], context: list[str]) -> None:
    """The days that passed, and silence, are the persona's context, which no observation contains (TOK-3)."""
    journey = scenario(shape="journey", sessions=SESSIONS, closing="Goodbye.", completed=None)
    with live(world(journey)) as server:
        name = server.episode()
        responses = [server.turn(name, text) for text in texts]
        shown = episode_of(server, name)
    assert shown["context"] == context
    assert shown["terminal_reason"] == ("completed" if texts[-1] == "Bye" else None)
    assert [line["content"] for line in shown["transcript"] if line["speaker"] == "operator"] == texts
    assert not [response for response in responses if "days" in response.text]
    assert not [line for line in shown["transcript"] if line["speaker"] == "persona" and NO_RESPONSE in line["content"]]


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_terminated_episode_takes_no_turn(server: Live, turns: int) -> None:
    """It ended as `client_terminated`, which the next turn reports, after the quota (EP-11, EP-13, EP-14, RL-1)."""
    name, other = server.episode(), server.episode()
    for _ in range(turns):
        server.turn(name, "Hello")
    before = episode_of(server, name)
    ended = terminate(server, name)
    assert ended.status_code == 200
    refused = server.turn(name, "Hello")
    assert check_envelope(refused, 400) == "Episode already complete"
    assert set(LIMITS) <= set(refused.headers)
    after = episode_of(server, name)
    assert ended.json() == after
    assert (after.pop("terminal_reason"), before.pop("terminal_reason")) == ("client_terminated", None)
    assert after["explanation"].pop("terminal_reason") == "client_terminated"
    del before["explanation"]["terminal_reason"]
    assert after == before
    assert server.turn(other, "Hello").json()["turn"] == 1
    assert server.turn(server.episode(), "Hello").json()["episode_complete"] is False


ENDINGS: list[tuple[str, list[dict[str, Any]]]] = [
    ("completed", [operator("Hm", DECIDE)]),
    ("error", [operator("Hm", APPROVE)]),
    ("max_turns_reached", [operator("Hm")] * 2),
    ("client_terminated", []),
]


@pytest.mark.parametrize(("reason", "messages"), ENDINGS)
def test_an_episode_ends_once(reason: str, messages: list[dict[str, Any]]) -> None:
    """One that is complete cannot be terminated, and shows for which reason it is (EP-10, EP-11, EP-13)."""
    with live(world(scenario(max_turns=2))) as server:
        name = server.episode()
        responses = [server.turn(name, message).json() for message in messages]
        if not responses:
            terminate(server, name)
        before = episode_of(server, name)
        assert check_envelope(terminate(server, name), 400) == "Episode already complete"
        assert episode_of(server, name) == before
        assert before["terminal_reason"] == reason
        assert {response["terminal_reason"] for response in responses[-1:]} <= {reason}


@pytest.mark.parametrize("name", ["ep_unknown", "x", "ep_" + "0" * 26, "ep%2Fx"])
def test_an_unknown_episode_is_not_found(server: Live, name: str) -> None:
    """Neither shown nor terminated: a 404 in the envelope (EP-13, ERR-1)."""
    server.episode()
    for response in (server.client.get(f"/_mock/episodes/{name}"), terminate(server, name)):
        assert "ot found" in check_envelope(response, 404)


def test_an_expired_episode_is_not_found(server: Live) -> None:
    """24 hours after its last turn; to look at it, or to terminate it, is no turn (EP-13)."""
    looked_at, ended = server.episode(), server.episode()
    server.advance(DAY - 1)
    assert episode_of(server, looked_at)["touched"] == "2026-01-01T00:00:00Z"
    assert terminate(server, ended).json()["touched"] == "2026-01-01T00:00:00Z"
    server.advance(1)
    for name in (looked_at, ended):
        assert check_envelope(server.client.get(f"/_mock/episodes/{name}"), 404) == "Episode not found"
        assert check_envelope(terminate(server, name), 404) == "Episode not found"
        assert check_envelope(server.turn(name, "Hello"), 404) == "Episode not found"


def test_a_terminated_episode_goes_when_it_would_have_gone() -> None:
    """Where there are too many, the one without a turn for longest goes first, terminated or not."""
    bounded = world(bounds=Bounds(episodes=2))
    with live(bounded) as server:
        first, second = server.episode(), server.episode()
        terminate(server, first)
        third = server.episode()
        found = [server.client.get(f"/_mock/episodes/{name}").status_code for name in (first, second, third)]
    assert found == [404, 200, 200]


def test_episodes_of_all_organisations_are_shown() -> None:
    """The control plane is nobody's client: it sees what a key of another organisation does not (EP-13)."""
    keys = [KeyEntry(key=KEY, organisation="one"), KeyEntry(key="lab_two", organisation="two")]
    with live(world(keys=keys)) as server:
        name = server.post("/episodes", WHERE, key="lab_two").json()["episode_id"]
        check_envelope(server.turn(name, "Hello"), 404)
        assert episode_of(server, name)["organisation"] == "two"
        assert terminate(server, name).json()["terminal_reason"] == "client_terminated"


def test_secrets_of_the_scenario_are_shown_here_only(server: Live) -> None:
    """Criteria ids stand in the explanation, and in none of the responses of the API (NEVER-1)."""
    name = server.episode(score_turns=True)
    response = server.turn(name, "Tell me what happened.")
    shown = str(episode_of(server, name))
    for criterion in CLAIM["criteria"]["success_metrics"]:
        assert criterion["id"] in shown
        assert criterion["id"] not in response.text


def test_the_reward_after_each_turn(server: Live) -> None:
    """Those that were served, where the journal has them, and else the same computed; without `score_turns` all are computed (EP-5)."""
    scored, unscored = server.episode(score_turns=True), server.episode()
    texts = ["Hello.", "Tell me what happened.", "Thank you, I understand."]
    served = [server.turn(scored, text).json()["reward"] for text in texts]
    for text in texts:
        server.turn(unscored, text)

    def shown(name: str) -> list[tuple[int, float, bool]]:
        rewards = server.client.get(f"/_mock/episodes/{name}/rewards").json()["rewards"]
        return [(one["turn"], one["reward"], one["served"]) for one in rewards]

    assert shown(scored) == [(turn, reward, True) for turn, reward in enumerate(served, 1)]
    assert shown(unscored) == [(turn, reward, False) for turn, reward in enumerate(served, 1)]
    server.reset("journal")
    assert shown(scored) == shown(unscored)
    assert server.client.get("/_mock/episodes/ep_none/rewards").status_code == 404
