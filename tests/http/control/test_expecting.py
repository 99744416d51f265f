from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given, settings

from tests.http.control.test_rewards import log
from tests.http.control.test_scoring import configs, talks
from tests.http.test_batch import TEXTS, WHERE, conversation, item
from tests.http.test_envelope import check_envelope
from tests.support import OPENING, Live

UNKNOWN = {"collection_slug": "case-management", "scenario_slug": "back-clam"}


def expect(server: Live, *conversations: dict[str, Any]) -> list[dict[str, Any]]:
    """What is expected of conversations, each with the slugs of `WHERE` if it has no others."""
    body = {"conversations": [{**WHERE, **one} for one in conversations]}
    response = server.client.post("/_mock/rewards/expected", json=body)
    assert response.status_code == 200, response.text
    expected: list[dict[str, Any]] = response.json()["conversations"]
    return expected


def failed(server: Live, *texts: str) -> list[int]:
    """The numbers of the failed requests with a conversation."""
    numbers: list[int] = expect(server, {"messages": conversation(*texts)})[0]["failed_requests"]
    return numbers


def add_fault(server: Live, **fault: Any) -> None:
    """Add a fault to the plan."""
    assert server.client.post("/_mock/faults", json=fault).status_code == 200


@settings(max_examples=40)
@given(talks, configs)
def test_rewards_are_those_of_an_evaluation_and_of_each_turn(
    shared_server: Live, texts: list[tuple[str, Any]], config: dict[str, Any] | None
) -> None:
    """What `/evaluate` gives for the conversation and for each beginning of it, and the hash that the log has (EV-1, EV-2)."""
    user = {"role": "user", "content": "x"}
    messages = [one for text, call in texts for one in (user, {**conversation(text)[1], "tool_calls": call})]
    shared_server.reset()
    (expected,) = expect(shared_server, {"messages": messages, "reward_config": config})
    rewards = [
        shared_server.post("/evaluate", {**WHERE, "messages": messages[:end], "reward_config": config}).json()["reward"]
        for end in range(2, len(messages) + 1, 2)
    ]
    turns = len(expected["rewards_by_turn"])
    assert (expected["reward"], expected["rewards_by_turn"]) == (rewards[-1], rewards[:turns])
    assert set(rewards[turns:]) <= {expected["reward"]}  # turns after the end change nothing
    assert log(shared_server)["conversations"][-1] == expected["conversation"]
    assert (expected["failed_requests"], expected["error"]) == ([], None)


def test_it_leaves_no_trace(server: Live) -> None:
    """It needs no key, uses no quota, and is neither in the journal nor in the log."""
    expect(server, {"messages": conversation(TEXTS[0])})
    assert (server.records(), log(server)["count"]) == ([], 0)
    assert server.client.get("/api/v1/catalog", headers={"authorization": "Bearer lab_local"}).headers[
        "x-ratelimit-remaining"
    ] == ("999999")


def test_a_conversation_that_is_refused_says_why(server: Live) -> None:
    """It has the message of the 400 that an evaluation of it gets, and the others their rewards (EP-8, EP-9)."""
    bad: list[tuple[Any, str]] = [
        ([], "messages: expected at least one new assistant message"),
        (conversation("x" * 10_001), "messages.1.content: expected at most 10,000 characters, got 10,001"),
        ([{"role": "tool", "content": "x"}], "messages.0.role: expected 'user', 'assistant' or 'system', got 'tool'"),
    ]
    good, *refused = expect(
        server, {"messages": conversation(TEXTS[0])}, *({"messages": messages} for messages, _ in bad)
    )
    assert good["reward"] > 0
    for found, (_, message) in zip(refused, bad, strict=True):
        assert (found["reward"], found["rewards_by_turn"], found["conversation"]) == (None, [], None)
        assert found["error"].startswith(message)


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        (UNKNOWN, 404, "conversations.1: Scenario not found: 'back-clam' in collection 'case-management'"),
        ({"reward_confg": {}}, 400, "conversations.1.reward_confg: is not a known name"),
        ({"messages": "Hello"}, 400, "conversations.1.messages: expected a list, got 'Hello'"),
        (
            {"reward_config": {"quality_weights": {"odd": 1}}},
            400,
            "conversations.1.reward_config.quality_weights.odd: is not a known name",
        ),
    ],
)
def test_a_mistake_names_its_place(server: Live, fields: dict[str, Any], status: int, message: str) -> None:
    """Of many conversations, too (ERR-1, ERR-2)."""
    good = {**WHERE, "messages": conversation(TEXTS[0])}
    response = server.client.post("/_mock/rewards/expected", json={"conversations": [good, {**good, **fields}]})
    assert check_envelope(response, status) == message


@pytest.mark.parametrize(
    "fault",
    [
        *({"status": 503}, {"status": 429}, {"close": True}, {"reset": 20}, {"cut": 20}, {"garbage": True}),
        *({"content_type": "text/html"}, {"body": "{}"}, {"nan_reward": 0}),
    ],
)
def test_a_failed_evaluation_is_found_by_its_conversation(server: Live, fault: dict[str, Any]) -> None:
    """Whether it was refused or cut, in any spelling of the conversation, and only by that conversation."""
    add_fault(server, path="/api/v1/evaluate", nth=2, **fault)
    for text in (TEXTS[0], TEXTS[4], TEXTS[0]):
        with suppress(httpx.TransportError):
            server.post("/evaluate", {**WHERE, "messages": conversation(text)})
    system = {"role": "system", "content": "Be kind."}
    assert expect(server, {"messages": [system, *conversation(TEXTS[4])]})[0]["failed_requests"] == [2]
    assert failed(server, TEXTS[0]) == failed(server, TEXTS[4], TEXTS[0]) == []


def test_requests_that_nobody_could_answer_are_found(server: Live) -> None:
    """A wrong key, a misspelt scenario, a comparison without a body that is whole; others say nothing of a conversation."""
    messages = conversation(TEXTS[0])
    server.post("/evaluate", {**WHERE, "messages": messages}, key="lab_wrong")
    server.post("/evaluate", {**UNKNOWN, "messages": messages})
    server.post("/compare", {**WHERE, "response_a": {"messages": conversation("Hm.")}, "response_b": {"messages": 5}})
    server.post("/evaluate", {**WHERE, "messages": 5})
    server.post("/evaluate", [])
    server.client.get("/api/v1/evaluate")
    assert failed(server, TEXTS[0]) == [1, 2]
    assert failed(server, "Hm.") == [3]


def test_failed_items_of_a_batch_are_found(server: Live) -> None:
    """One with an error, one whose result is dropped, and all of a batch that was refused."""
    texts = TEXTS[:4]
    add_fault(server, path="/api/v1/batch/evaluate", nth=1, fail_item=1)
    add_fault(server, path="/api/v1/batch/evaluate", nth=1, drop_result="d")
    add_fault(server, path="/api/v1/batch/evaluate", nth=2, status=500)
    items = [item(name, text) for name, text in zip("abcd", texts, strict=True)]
    items[2]["scenario_slug"] = "back-clam"
    server.post("/batch/evaluate", {"items": items})
    assert [failed(server, text) for text in texts] == [[], [1], [1], [1]]
    server.post("/batch/evaluate", {"items": items})
    server.post("/batch/evaluate", {"items": [{**items[0], "id": 5}, "x"]})
    assert [failed(server, text) for text in texts] == [[2, 3], [1, 2], [1, 2], [1, 2]]


@pytest.mark.parametrize("fault", [{"status": 503}, {"reset": 20}])
@pytest.mark.parametrize("whole_history", [False, True])
def test_failed_turns_of_an_episode_are_found(server: Live, fault: dict[str, Any], whole_history: bool) -> None:
    """By conversations that begin with that turn, and by the one that ends before it, however the turn was sent (EP-7)."""
    add_fault(server, path="/api/v1/episodes/*/turns", nth=2, **fault)
    episode, history = server.episode(score_turns=True), [{"role": "assistant", "content": OPENING}]
    for text in TEXTS[:3]:
        message = {"role": "assistant", "content": text}
        history.append(message)
        with suppress(httpx.TransportError):
            response = server.turn(episode, *(history if whole_history else [message]))
            history += [response.json()["observation"]] if response.is_success else []
    refused = 3  # the number of the request, after the episode itself and a turn
    assert failed(server, *TEXTS[:2]) == failed(server, *TEXTS[:3]) == failed(server, TEXTS[0]) == [refused]
    assert failed(server, TEXTS[1]) == failed(server, TEXTS[0], TEXTS[2]) == []
    server.turn("ep_00000000000000000000000000", "Hm.")
    assert failed(server, "Hm.") == []
