"""A batch of rollouts.

Documented: the fields of items and results, and to read the rewards in the order of the items.
Reconstructed: the guard. The documented snippet reads `r["reward"]` of every result, which error items do not have (BAT-2).
"""

import httpx

SCENARIO = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
ROLLOUTS = [
    [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Please tell me what happened."}],
    [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Do you have a second job?"}],
]


def rewards_of(
    client: httpx.Client, rollouts: list[list[dict[str, str]]], scenario: dict[str, str]
) -> list[float | None]:
    """The reward of each rollout; None where the service could not score it."""
    items = [{"id": f"rollout-{number}", **scenario, "messages": rollout} for number, rollout in enumerate(rollouts)]
    results = client.post("/batch/evaluate", json={"items": items}).raise_for_status().json()["results"]
    assert [result["id"] for result in results] == [item["id"] for item in items]
    return [result["reward"] if result["status"] == "success" else None for result in results]


def test_rewards_come_in_the_order_of_the_rollouts(labs_mock_client: httpx.Client) -> None:
    """Each is what `/evaluate` gives for the same messages (BAT-1, BAT-3)."""
    alone = [
        labs_mock_client.post("/evaluate", json={**SCENARIO, "messages": rollout}).json()["reward"]
        for rollout in ROLLOUTS
    ]
    assert rewards_of(labs_mock_client, ROLLOUTS, SCENARIO) == alone


def test_a_rollout_that_cannot_be_scored_does_not_stop_the_others(labs_mock_client: httpx.Client) -> None:
    """An empty one has no reward, and the guarded form reads the rest (BAT-2)."""
    scored = rewards_of(labs_mock_client, ROLLOUTS, SCENARIO)
    assert rewards_of(labs_mock_client, [ROLLOUTS[0], [], ROLLOUTS[1]], SCENARIO) == [scored[0], None, scored[1]]
