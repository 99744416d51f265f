"""A turn with two tool calls, an artifact and a decision.

Documented: `type`, `name` and `input` of a call, the names `medical_assessment` and `claim_status`, and `{"value": "approved"}`.
Reconstructed: the input of the assessment, the texts beside the calls, and that the scenario ends with the decision.
"""

from typing import Any

import httpx

from labs_mock.testing import LabsMock

SCENARIO = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
ASSESSMENT: dict[str, Any] = {
    "type": "artifact",
    "name": "medical_assessment",
    "input": {"diagnosis": "lumbar strain", "severity": 2},
}
DECISION: dict[str, Any] = {"type": "decision", "name": "claim_status", "input": {"value": "approved"}}
MESSAGE = {
    "role": "assistant",
    "content": "Thank you for telling me what happened. I have noted the injury.",
    "tool_calls": [ASSESSMENT, DECISION],
}


def test_the_calls_are_valid(labs_mock: LabsMock, labs_mock_client: httpx.Client) -> None:
    """Both tools are among the episode's, the calls count, and the decision ends it well (EP-2, EP-9, EP-11, EV-2)."""
    episode = labs_mock_client.post("/episodes", json={**SCENARIO, "score_turns": True}).raise_for_status().json()
    tools = {tool["id"]: tool for tool in episode["tools"]}
    assert [tools[call["name"]]["type"] for call in (ASSESSMENT, DECISION)] == ["artifact", "decision"]
    assert DECISION["input"]["value"] in tools["claim_status"]["options"]
    turn = {"id": episode["episode_id"], "messages": [MESSAGE]}
    answer = labs_mock_client.post(f"/episodes/{episode['episode_id']}/turns", json=turn).raise_for_status().json()
    assert (answer["episode_complete"], answer["terminal_reason"]) == (True, "completed")
    whole = {**SCENARIO, "messages": [{**episode["initial_observation"], "role": "user"}, MESSAGE]}
    assert labs_mock_client.post("/evaluate", json=whole).json()["reward"] == answer["reward"] > 0
    labs_mock.assert_no_findings("info")
