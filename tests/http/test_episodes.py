import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from labs_mock.config.server_file import KeyEntry
from labs_mock.contract.responses import EpisodeCreated, TurnTaken
from tests.support import CLAIM, OPENING, Live, live, scenario, world

P0, P1 = OPENING, "It started on Tuesday."
FIRST = "Please go on."
Spoken = dict[str, Any]


def operator(content: str, *calls: Spoken) -> Spoken:
    """A message of the operator on the wire."""
    return {"role": "assistant", "content": content} | ({"tool_calls": list(calls)} if calls else {})


def user(content: str) -> Spoken:
    """A message of the persona in the chat convention."""
    return {"role": "user", "content": content}


DECIDE = {"type": "decision", "name": "claim_status", "input": {"value": "pending_info"}}
APPROVE = {"type": "decision", "name": "claim_status", "input": {"value": "approved"}}
SCAN = {"type": "artifact", "name": "order_imaging", "input": {"region": "lumbar"}}


def test_an_episode_starts_with_the_opening_and_the_tools(server: Live) -> None:
    """The persona's first line comes as `assistant`, tools as clients need them (EP-1, EP-2)."""
    body = {"collection_slug": "case-management", "scenario_slug": "back-claim", "config": None, "score_turns": None}
    response = server.post("/episodes", body)
    created = EpisodeCreated.model_validate_json(response.content)
    assert created.initial_observation.model_dump() == {"role": "assistant", "content": OPENING}
    assert created.request_id == response.headers["x-request-id"]
    imaging, status = response.json()["tools"]
    assert set(imaging) == {"id", "type", "name", "mode", "json_schema"}
    assert status == {
        "id": "claim_status",
        "type": "decision",
        "name": "Claim status",
        "mode": "options",
        "options": ["approved", "denied", "pending_info"],
    }


def test_turns_count_from_one_and_are_scored_on_request_only(server: Live) -> None:
    """`turn` counts accepted calls; without `score_turns` the reward is 0 and scores are absent (EP-3, EP-4)."""
    episode = server.episode()
    for number in (1, 2, 3):
        body = server.turn(episode, FIRST).json()
        assert TurnTaken.model_validate(body).turn == number
        assert set(body) == {"turn", "observation", "reward", "episode_complete", "request_id"}
        assert body["reward"] == 0
        assert body["observation"]["role"] == "assistant"
        assert body["episode_complete"] is False


def test_scored_turns_judge_the_whole_conversation(server: Live) -> None:
    """With `score_turns` each turn's reward and scores are about everything so far (EP-5)."""
    episode = server.episode(score_turns=True)
    rewards = []
    for text in ("Tell me what happened.", "Do you have a second job?", "Thank you. I understand."):
        body = server.turn(episode, text).json()
        assert body["scores"].keys() == body["score_breakdown"].keys()
        rewards.append(body["reward"])
    assert rewards == sorted(rewards)
    assert rewards[0] < rewards[-1] <= 1


WORKED_HISTORIES: list[tuple[str, list[Spoken], str | None, str]] = [
    ("new messages only", [operator("a2")], "a2", ""),
    ("last exchange", [operator(P1), operator("a2")], "a2", ""),
    ("full history, persona as assistant", [operator(P0), operator(FIRST), operator(P1), operator("a2")], "a2", ""),
    ("full history, chat convention", [user(P0), operator(FIRST), user(P1), operator("a2")], "a2", ""),
    (
        "system prompt in front",
        [{"role": "system", "content": "Be kind."}, operator(P0), operator(FIRST), operator(P1), operator("a2")],
        "a2",
        "",
    ),
    ("edited by the client", [operator(P0), operator("a1'"), operator(P1), operator("a2")], "a2", "history_diverged"),
    ("observation dropped", [operator(P0), operator(FIRST), operator("a2")], "a2", "history_diverged"),
    ("the same turn again", [operator(P0), operator(FIRST)], FIRST, "duplicate_turn"),
    ("nothing new, persona as user", [operator(P0), operator(FIRST), user(P1)], None, ""),
    ("nothing new, persona as assistant", [operator(P0), operator(FIRST), operator(P1)], None, ""),
    ("the operator repeats the persona", [operator(P0), operator(FIRST), operator(P1), operator(P1)], P1, ""),
]


@pytest.mark.parametrize(
    ("messages", "new", "codes"), [row[1:] for row in WORKED_HISTORIES], ids=[row[0] for row in WORKED_HISTORIES]
)
def test_worked_histories(server: Live, messages: list[Spoken], new: str | None, codes: str) -> None:
    """What follows the transcript [P0, a1, P1] is found as in the contract's table (EP-7)."""
    episode = server.episode()
    assert server.turn(episode, FIRST).json()["observation"]["content"] == P1
    response = server.turn(episode, *messages)
    stored = server.stored_episode(episode)
    if new is None:
        assert response.status_code == 400
        assert "at least one new assistant message" in response.json()["message"]
        assert stored.turns == 1
    else:
        assert response.json()["turn"] == 2
        assert [line.content for line in stored.transcript if line.operator] == [FIRST, new]
    assert response.headers.get("x-mock-findings", "").partition(";")[0] == codes


def test_the_id_in_the_body_must_be_the_one_in_the_path(server: Live) -> None:
    """An id that differs is refused, one that is absent has a finding (EP-6)."""
    episode = server.episode()
    messages = [operator("x")]
    assert server.post(f"/episodes/{episode}/turns", {"id": "ep_other", "messages": messages}).status_code == 400
    absent = server.post(f"/episodes/{episode}/turns", {"messages": messages})
    assert absent.json()["turn"] == 1
    assert absent.headers["x-mock-findings"] == 'missing_body_id;severity=info;place="id"'


def test_unknown_fields_are_ignored_and_noticed(server: Live) -> None:
    """A field that the contract does not know changes nothing but the findings (GEN-4)."""
    body = {"collection_slug": "case-management", "scenario_slug": "back-claim", "score_turn": True}
    codes = server.post("/episodes", body).headers["x-mock-findings"]
    assert codes == 'unknown_field;severity=warning;place="score_turn"'
    episode = server.episode()
    message = {**operator("x", {**SCAN, "id": "call_1"}), "thinking": "hm"}
    turn = server.turn(episode, message, reward_config={"skip_safety_gates": True})
    places = re.findall(r'place="([^"]+)"', turn.headers["x-mock-findings"])
    unknown = ["messages.0.thinking", "messages.0.tool_calls.0.id", "reward_config.skip_safety_gates"]
    assert places == [*unknown, "reward_config"]  # the last is reward_config_unscored


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (operator("Done.", DECIDE), "completed"),
        (operator("Done.", APPROVE), "error"),
        (operator("Hm.", {**DECIDE, "input": {"value": "maybe"}}), "error"),
        (operator("Hm.", {**DECIDE, "type": "artifact"}), "error"),
        (operator("Hm.", {**SCAN, "input": {"area": "back"}}), "error"),
        (operator("Hm.", {**SCAN, "input": "lumbar"}), "error"),
        (operator("Hm.", {**SCAN, "name": "order_pizza"}), "error"),
        (operator("Hm.", SCAN), None),
    ],
)
def test_terminal_reasons(server: Live, text: Spoken, reason: str | None) -> None:
    """`terminal_reason` is there exactly when the episode is complete; tool misuse is graded (EP-11, EP-12)."""
    episode = server.episode(score_turns=True)
    body = server.turn(episode, text).json()
    assert body.get("terminal_reason") == reason
    assert body["episode_complete"] is (reason is not None)
    if reason is not None:
        again = server.turn(episode, "And now?")
        assert again.status_code == 400
        assert again.json()["message"] == "Episode already complete"
        assert again.headers["x-ratelimit-remaining"]


def test_the_last_allowed_turn_ends_the_episode() -> None:
    """A scenario's `max_turns` counts, and error and completed come before it (EP-10, EP-11)."""
    with live(world(scenario(max_turns=2))) as server:
        episode = server.episode()
        assert server.turn(episode, "One.").json()["episode_complete"] is False
        last = server.turn(episode, "Two.").json()
        assert (last["episode_complete"], last["terminal_reason"]) == (True, "max_turns_reached")
        other = server.episode()
        server.turn(other, "One.")
        assert server.turn(other, operator("Two.", DECIDE)).json()["terminal_reason"] == "completed"


def test_episodes_last_fifty_turns_at_most() -> None:
    """Without a smaller number in the scenario the fiftieth turn is the last (EP-10)."""
    with live(world(scenario(max_turns=None))) as server:
        episode = server.episode()
        responses = [server.turn(episode, f"Turn {number}.").json() for number in range(1, 51)]
    assert [response["episode_complete"] for response in responses] == [False] * 49 + [True]
    assert responses[-1]["terminal_reason"] == "max_turns_reached"


def test_an_episode_expires_a_day_after_its_last_turn(server: Live) -> None:
    """24 h without a turn make an episode unknown; a turn starts the day anew (EP-13)."""
    episode = server.episode()
    server.advance(24 * 3600 - 1)
    assert server.turn(episode, "Still there?").status_code == 200
    server.advance(24 * 3600 - 1)
    assert server.turn(episode, "Still there?").status_code == 200
    server.advance(24 * 3600)
    gone = server.turn(episode, "Still there?")
    assert (gone.status_code, gone.json()["message"]) == (404, "Episode not found")


def test_episodes_belong_to_an_organisation() -> None:
    """Another organisation's key gets a 404, another key of the same one plays on (EP-13)."""
    keys = [
        KeyEntry(key="lab_local", organisation="acme"),
        KeyEntry(key="lab_same", organisation="acme"),
        KeyEntry(key="lab_other", organisation="globex"),
    ]
    with live(world(keys=keys)) as server:
        episode = server.episode()
        path, body = f"/episodes/{episode}/turns", {"id": episode, "messages": [operator("x")]}
        assert server.post(path, body, key="lab_other").status_code == 404
        assert server.post(path, body, key="lab_same").json()["turn"] == 1


def test_a_refused_turn_leaves_the_episode_as_it_was(server: Live) -> None:
    """After any 400 the next good turn gets the same response as if the bad one had never been sent (EP-15)."""
    clean, disturbed = server.episode(score_turns=True), server.episode(score_turns=True)
    assert clean != disturbed
    bads: list[dict[str, Any]] = [
        {"messages": []},
        {"messages": [user("x")]},
        {"messages": [operator("x" * 10_001)]},
        {"id": "ep_x"},
    ]
    for bad in bads:
        assert server.post(f"/episodes/{disturbed}/turns", bad).status_code == 400
    wrong = {"reward_config": {"quality_weights": {"rubrics": -1}}}
    assert server.turn(disturbed, "Tell me what happened.", **wrong).status_code == 400
    for text in ("Tell me what happened.", "Do you have a second job?"):
        one, other = server.turn(clean, text).json(), server.turn(disturbed, text).json()
        assert {**one, "request_id": ""} == {**other, "request_id": ""}


def test_turns_at_once_are_applied_one_after_the_other(server: Live) -> None:
    """Twenty turns sent together are all counted, each once (EP-15)."""
    episode = server.episode()
    with ThreadPoolExecutor(20) as pool:
        responses = list(pool.map(lambda number: server.turn(episode, f"Turn {number}."), range(12)))
    assert sorted(response.json()["turn"] for response in responses) == list(range(1, 13))
    stored = server.stored_episode(episode)
    assert {line.content for line in stored.transcript if line.operator} == {f"Turn {number}." for number in range(12)}


def test_equal_requests_give_different_episodes(server: Live) -> None:
    """The same request again makes another episode, and a reset starts the same ids anew (DET-3)."""
    first, second = server.episode(), server.episode()
    assert first != second
    server.reset()
    assert [server.episode(), server.episode()] == [first, second]
    server.reset("attempts")
    assert server.episode() not in (first, second)


def test_the_transcript_as_it_stands_holds_nothing_new() -> None:
    """A submission that is the whole transcript is refused, even where the persona repeats itself (EP-7)."""
    persona = {**CLAIM["persona"], "fallback": ["Sorry?"]}
    metrics = {**CLAIM["criteria"], "success_metrics": CLAIM["criteria"]["success_metrics"][1:]}
    with live(world(scenario(persona=persona, state=CLAIM["state"][1:], criteria=metrics))) as server:
        episode = server.episode()
        first = server.turn(episode, "Hm.").json()["observation"]["content"]
        second = server.turn(episode, "Hm?").json()["observation"]["content"]
        history = [operator(P0), operator("Hm."), operator(first), operator("Hm?"), operator(second)]
        assert first == second
        assert server.turn(episode, *history).status_code == 400
        assert server.turn(episode, *history, operator("Well.")).json()["turn"] == 3
