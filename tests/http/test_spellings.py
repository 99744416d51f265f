"""One dialogue over real sockets, in every spelling of the contract."""

from collections.abc import Iterator
from typing import Any

import pytest

from labs_mock.config.library import load_library, shipped_library
from labs_mock.contract.requests import as_json
from labs_mock.engine.player import Player
from labs_mock.engine.rollout import roll_out
from tests.support import OPENING, Live, live, world

CLAIM = next(one for one in load_library(shipped_library()).scenarios if one.slug == "lower-back-claim")
WHERE = {"collection_slug": CLAIM.collection, "scenario_slug": CLAIM.slug}
SYSTEM, TASK = {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Assess this claim."}
ROLLOUT = roll_out(Player(CLAIM), "expert")
LINES = [CLAIM.first_observation, *ROLLOUT.observations]
OPERATOR_MESSAGES = [as_json(message) for turn in ROLLOUT.turns for message in turn]


def spelled(*roles: str) -> list[dict[str, Any]]:
    """The expert's transcript, the persona's lines in some roles, the last of which goes on."""
    lines = [{"role": roles[min(index, len(roles) - 1)], "content": line} for index, line in enumerate(LINES)]
    return [message for pair in zip(lines, [*OPERATOR_MESSAGES, None], strict=True) for message in pair if message]


SPELLINGS = {
    "chat-convention": spelled("user"),
    "as-observations-arrive": spelled("assistant"),
    "system-prompt": [SYSTEM, *spelled("assistant")],
    "prompt-and-user": [TASK, *spelled("user")],
    "prompt-and-assistant": [TASK, *spelled("assistant")],
    "two-prompts": [SYSTEM, TASK, *spelled("assistant")],
    "user-then-assistant": spelled("user", "assistant"),
    "assistant-then-user": spelled("assistant", "user"),
    "separators": [TASK, *({**one, "content": "…"} if one["role"] == "user" else one for one in spelled("user")[1:])],
    "without-the-opening": spelled("user")[1:],
}


@pytest.fixture(scope="module")
def shipped() -> Iterator[Live]:
    """A server of the shipped scenario."""
    with live(world(CLAIM)) as running:
        yield running


@pytest.mark.parametrize("name", SPELLINGS)
def test_an_expert_transcript_is_worth_1_however_it_is_spelled(shipped: Live, name: str) -> None:
    """Evaluated, in a batch, and compared with the chat convention, which ties (EP-8, BAT-3, CMP-1)."""
    messages = SPELLINGS[name]
    evaluated = shipped.post("/evaluate", {**WHERE, "messages": messages})
    assert evaluated.json()["reward"] == 1
    assert "warning" not in evaluated.headers.get("x-mock-findings", "")
    (item,) = shipped.post("/batch/evaluate", {"items": [{"id": "a", **WHERE, "messages": messages}]}).json()["results"]
    assert (item["reward"], item["scores"]) == (1, evaluated.json()["scores"])
    body = {**WHERE, "response_a": {"messages": messages}, "response_b": {"messages": SPELLINGS["chat-convention"]}}
    assert shipped.post("/compare", body).json()["winner"] == "tie"


@pytest.mark.parametrize("name", SPELLINGS)
def test_an_earlier_history_is_one_turn_of_a_new_episode(shipped: Live, name: str) -> None:
    """It has a finding, and its turn is what the operator wrote alone (EP-7)."""
    episode = shipped.episode(**WHERE)
    turn = shipped.turn(episode, *SPELLINGS[name])
    assert turn.headers["x-mock-findings"].startswith('split_turn;severity=warning;place="messages"')
    transcript = shipped.stored_episode(episode).transcript
    assert [line.content for line in transcript if line.operator] == [
        message["content"] for message in OPERATOR_MESSAGES
    ]


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_a_prompt_in_front_of_every_turn_is_context(shipped: Live, role: str) -> None:
    """With a task prompt and the whole history at each turn an episode is played as ever, without findings (EP-7)."""
    response: dict[str, Any] = {}
    episode, messages = shipped.episode(**WHERE, score_turns=True), [TASK, {"role": role, "content": LINES[0]}]
    for message in OPERATOR_MESSAGES:
        messages.append(message)
        turn = shipped.turn(episode, *messages)
        assert "x-mock-findings" not in turn.headers
        response = turn.json()
        messages.append({"role": role, "content": response["observation"]["content"]})
    assert (response["reward"], response["terminal_reason"]) == (1, "completed")


def test_findings_of_messages_have_their_places(server: Live) -> None:
    """In a batch they begin with the item's (section 7)."""
    messages = [
        {"role": "user", "content": OPENING, "tool_calls": [{"type": "decision", "name": "claim_status", "input": {}}]},
        {"role": "assistant", "content": "<no_response/><|im_end|>"},
        {"role": "user", "content": OPENING},
        {"role": "assistant", "content": "Is <b>this</b> so?"},
    ]
    where = {"collection_slug": "case-management", "scenario_slug": "back-claim"}
    found = server.post("/batch/evaluate", {"items": [{"id": "a", **where, "messages": messages}]}).headers[
        "x-mock-findings"
    ]
    assert found.split(", ") == [
        'repeated_opening;severity=warning;place="items.0.messages.2.content"',
        'tool_calls_of_user;severity=warning;place="items.0.messages.0.tool_calls"',
        'near_miss_token;severity=warning;place="items.0.messages.1.content"',
        'leaked_markup;severity=warning;place="items.0.messages.1.content"',
    ]
