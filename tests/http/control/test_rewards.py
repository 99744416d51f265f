from typing import Any

import pytest

from labs_mock.state.bounds import Bounds
from tests.http.test_batch import TEXTS, WHERE, conversation, item
from tests.http.test_envelope import check_envelope
from tests.support import OPENING, Live, live, world


def log(server: Live, **query: int) -> dict[str, Any]:
    """A page of the log."""
    response = server.client.get("/_mock/rewards", params=query)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


def test_every_reward_is_logged_with_its_place(server: Live) -> None:
    """One of an evaluation, those of a batch at their items' places, two of a comparison, none of what was refused."""
    first = server.post("/evaluate", {**WHERE, "messages": conversation(TEXTS[0])}).json()["reward"]
    items = [item("a", TEXTS[4]), item("b", scenario_slug="x"), item("c", TEXTS[0])]
    results = server.post("/batch/evaluate", {"items": items}).json()["results"]
    server.post("/evaluate", {**WHERE, "messages": []})
    both = {"response_a": {"messages": conversation(TEXTS[0])}, "response_b": {"messages": conversation(TEXTS[4])}}
    compared = server.post("/compare", {**WHERE, **both}).json()
    page = log(server)
    assert page["rewards"] == [
        first,
        results[0]["reward"],
        results[2]["reward"],
        compared["reward_a"],
        compared["reward_b"],
    ]
    assert (page["requests"], page["items"]) == ([1, 2, 2, 4, 4], [0, 0, 2, 0, 1])
    assert (page["after"], page["count"], page["dropped"]) == (0, 5, 0)
    one, other = page["conversations"][:2]
    assert page["conversations"] == [one, other, one, one, other]


def test_a_conversation_has_one_hash_in_every_spelling(server: Live) -> None:
    """As one conversation, turn by turn, or all as `assistant`: what the operator wrote and called is what counts (EP-8)."""
    call = {"type": "artifact", "name": "order_imaging", "input": {"region": "back", "side": "left"}}
    messages = [
        {"role": "assistant", "content": "Tell me what happened."},
        {"role": "assistant", "content": "Thank you."},
    ]
    messages[1]["tool_calls"] = [call]  # type: ignore[assignment]
    episode, whole = server.episode(score_turns=True), [{"role": "user", "content": OPENING}]
    for message in messages:
        response = server.turn(episode, message).json()
        whole += [message, {"role": "user", "content": response["observation"]["content"]}]
    server.post("/evaluate", {**WHERE, "messages": whole})
    spelt = [{**message, "role": "assistant"} for message in whole]
    server.post("/evaluate", {**WHERE, "messages": spelt})
    other = {**call, "input": {"region": "front"}}
    server.post("/evaluate", {**WHERE, "messages": [*whole[:3], {**messages[1], "tool_calls": [other]}]})
    page = log(server)
    begun, done, as_user, as_assistant, changed = page["conversations"]
    assert done == as_user == as_assistant
    assert len({begun, done, changed}) == 3


def test_pages_follow_each_other() -> None:
    """`after` is the number of the last one that is known; what was dropped is passed over, and counted."""
    bounded = world(bounds=Bounds(rewards=4))
    with live(bounded) as server:
        rewards = [
            server.post("/evaluate", {**WHERE, "messages": conversation(TEXTS[number])}).json()["reward"]
            for number in (0, 4, 0, 4, 4, 0)
        ]
        assert log(server, limit=3) == {**log(server), **page_of(log(server), 0, 3)}
        assert log(server)["rewards"] == rewards[2:]
        assert (log(server)["after"], log(server)["count"], log(server)["dropped"]) == (2, 4, 2)
        assert (log(server, after=5)["rewards"], log(server, after=5)["after"]) == (rewards[5:], 5)
        assert log(server, after=6)["rewards"] == []


def page_of(whole: dict[str, Any], start: int, end: int) -> dict[str, Any]:
    """A slice of every column."""
    return {name: column[start:end] for name, column in whole.items() if isinstance(column, list)}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=100001", "limit: expected at most 100,000"),
        ("after=-1", "after: expected a whole number"),
        ("aftr=1", "aftr: unknown parameter; did you mean 'after'?"),
    ],
)
def test_a_bad_query_names_what_is_wrong(server: Live, query: str, message: str) -> None:
    """As everywhere (ERR-1, ERR-2)."""
    assert check_envelope(server.client.get(f"/_mock/rewards?{query}"), 400) == message
