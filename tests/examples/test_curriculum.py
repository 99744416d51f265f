"""A curriculum of three phases by `reward_config`.

Documented: discovery alone without the safety gate, then three weights, then `reward_config: null`.
Reconstructed: which three weights, their values, and the texts.
"""

from typing import Any

import httpx
import pytest

from labs_mock.testing import LabsMock

SCENARIO = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
TEXTS = ["Please tell me what happened.", "Do you have any other work, a second job perhaps?"]
PHASES: dict[str, dict[str, Any] | None] = {
    "explore": {"quality_weights": {"discovery": 1.0}, "skip_safety_gate": True},
    "improve": {"quality_weights": {"discovery": 0.4, "success_metrics": 0.4, "best_practices": 0.2}},
    "deploy": None,
}
SCORES = {"explore": 1, "improve": 3, "deploy": 7}


@pytest.mark.parametrize("phase", PHASES)
def test_each_phase_scores_by_its_own_weights(labs_mock_client: httpx.Client, labs_mock: LabsMock, phase: str) -> None:
    """Only what has a weight runs, and null is as good as nothing: the scenario's own weights (GEN-5, RC-1, RC-2, RC-3)."""
    config, rewards = PHASES[phase], []
    episode = labs_mock_client.post("/episodes", json={**SCENARIO, "score_turns": True}).json()["episode_id"]
    for text in TEXTS:
        turn = {"id": episode, "messages": [{"role": "assistant", "content": text}], "reward_config": config}
        answer = labs_mock_client.post(f"/episodes/{episode}/turns", json=turn).raise_for_status().json()
        assert len(answer["scores"]) == SCORES[phase]
        rewards.append(answer["reward"])
    first, second = ({"role": "assistant", "content": text} for text in TEXTS)
    messages = [{"role": "user", "content": "Hello."}, first, {"role": "user", "content": "Yes."}, second]
    whole = {**SCENARIO, "messages": messages, "reward_config": config}
    assert labs_mock_client.post("/evaluate", json=whole).json()["reward"] == rewards[-1] > 0
    labs_mock.assert_no_findings("info")
