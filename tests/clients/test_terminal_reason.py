"""What docs/clients.md says of answers without `terminal_reason`."""

from typing import Any

import httpx
import pytest

from labs_mock.testing import LabsMock
from tests.pages import ROOT

CLAIM: dict[str, Any] = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
HELLO = {"role": "assistant", "content": "Hello."}
DECIDE = {"type": "decision", "name": "claim_status", "input": {"value": "pending_info"}}
ENDS: dict[str, list[dict[str, Any]]] = {
    "completed": [HELLO, {**HELLO, "tool_calls": [DECIDE]}],
    "error": [HELLO, {**HELLO, "tool_calls": [{**DECIDE, "name": "no_such_tool"}]}],
    "max_turns_reached": [{**HELLO, "content": f"Hello {number}."} for number in range(50)],
}


@pytest.mark.parametrize("reason", ENDS)
def test_it_is_absent_until_the_last_turn(labs_mock_client: httpx.Client, reason: str) -> None:
    """Each turn that goes on lacks the field, and only the one that ends the episode has it, never null (EP-10, EP-11, EP-12)."""
    answers = []
    episode = labs_mock_client.post("/episodes", json=CLAIM).json()["episode_id"]
    for message in ENDS[reason]:
        body = {"id": episode, "messages": [message]}
        answers.append(labs_mock_client.post(f"/episodes/{episode}/turns", json=body).raise_for_status().json())
        if answers[-1]["episode_complete"]:
            break
    *before, last = answers
    assert last["terminal_reason"] == reason
    assert [answer for answer in before if "terminal_reason" in answer or answer["episode_complete"]] == []


def test_an_ended_episode_does_not_repeat_it(labs_mock: LabsMock, labs_mock_client: httpx.Client) -> None:
    """A turn of an episode that was ended from outside is refused, without the reason; the control plane has it (EP-13, EP-14)."""
    episode = labs_mock_client.post("/episodes", json=CLAIM).json()["episode_id"]
    labs_mock.terminate(episode)
    refused = labs_mock_client.post(f"/episodes/{episode}/turns", json={"id": episode, "messages": [HELLO]})
    assert (refused.status_code, sorted(refused.json())) == (400, ["data", "message"])
    assert labs_mock.episode(episode).terminal_reason == "client_terminated"


def test_a_conversation_given_whole_has_none(labs_mock_client: httpx.Client) -> None:
    """Not even one that goes to the end of the scenario (EP-11, EV-1)."""
    messages = [{"role": "user", "content": "Hello."}, ENDS["completed"][-1]]
    answer = labs_mock_client.post("/evaluate", json={**CLAIM, "messages": messages}).raise_for_status().json()
    assert not {"terminal_reason", "episode_complete"} & set(answer)


def test_the_page_has_every_reason() -> None:
    """The table of the page has what this file provokes, and what the control plane does (EP-11)."""
    page = (ROOT / "docs/clients.md").read_text(encoding="utf-8")
    for reason in (*ENDS, "client_terminated"):
        assert f"\n| `{reason}` | " in page
