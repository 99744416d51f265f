from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.config.server_file import KeyEntry
from labs_mock.contract.dimensions import DIMENSIONS
from labs_mock.contract.responses import Evaluated
from tests.support import OPENING, Live, live, scenario, world

WHERE = {"collection_slug": "case-management", "scenario_slug": "back-claim"}
DECIDE = {"type": "decision", "name": "claim_status", "input": {"value": "pending_info"}}
APPROVE = {"type": "decision", "name": "claim_status", "input": {"value": "approved"}}
SCAN = {"type": "artifact", "name": "order_imaging", "input": {"region": "lumbar spine"}}
TEXTS = (
    "Tell me what happened.",
    "Thank you. I understand.",
    "Are you worried? Do you have a second job?",
    "That is a pulled muscle.",
    "You have a herniated disc.",
    "nonsense",
)


def evaluate(server: Live, *texts: str | dict[str, Any], **fields: Any) -> Any:
    """Evaluate a conversation in the chat convention; `texts` are the operator's messages, or their content."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": OPENING}]
    for one in texts:
        messages += [one if isinstance(one, dict) else {"role": "assistant", "content": one}]
        messages += [{"role": "user", "content": "whatever the client says was answered"}]
    return server.post("/evaluate", {**WHERE, "messages": messages, **fields})


def acts(*calls: dict[str, Any]) -> dict[str, Any]:
    """An operator message with tool calls."""
    return {"role": "assistant", "content": "", "tool_calls": list(calls)}


def test_an_evaluation_has_the_documented_fields(server: Live) -> None:
    """The response's fields are those of EV-1, no more and no fewer; on a frozen clock it took 0 ms (DET-1)."""
    response = evaluate(server, "Tell me what happened.")
    assert set(response.json()) == {
        "reward",
        "scoring_version",
        "scores",
        "score_breakdown",
        "metadata",
        "request_id",
    }
    body = Evaluated.model_validate_json(response.content)
    assert body.metadata.model_dump() == {"scenario_name": "Back claim", "evaluation_time_ms": 0}
    assert body.request_id == response.headers["x-request-id"]
    assert "x-mock-findings" not in response.headers


def test_a_reward_can_be_computed_again_from_the_answer(server: Live) -> None:
    """Without a config the scenario's default weights count: here the plain mean (RC-3, RC-4)."""
    body = evaluate(server, "Tell me what happened.", acts(SCAN)).json()
    scores = body["scores"]
    assert list(scores) == [
        "D1_SuccessMetrics",
        "D2_FailureMetrics",
        "D3_BestPractices",
        "D4_Rubrics",
        "D5_Discovery",
        "D6_OutputSimilarity",
        "D7_DecisionMatch",
    ]
    assert scores["D1_SuccessMetrics"] == 1.0
    assert scores["D5_Discovery"] == 0.5
    assert scores["D4_Rubrics"] == 0.6
    assert scores["D7_DecisionMatch"] == 0.0
    assert body["reward"] == pytest.approx(sum(scores.values()) / 7, abs=1e-6)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_only_scorers_with_weight_run(server: Live, dimension: str) -> None:
    """Omitted keys are 0, and `scores` holds those that ran and no others (RC-1, RC-2)."""
    config = {"quality_weights": {dimension: 0.5, "discovery": None} | {dimension: 0.5}}
    body = evaluate(server, "Tell me what happened.", reward_config=config).json()
    (score,) = body["scores"].values()
    assert body["reward"] == score
    assert body["scores"].keys() == body["score_breakdown"].keys()


@pytest.mark.parametrize("config", [None, {}, {"quality_weights": None}, {"skip_safety_gate": None}])
def test_null_equals_absence(server: Live, config: Any) -> None:
    """`null` for an optional field, or an empty config, changes nothing (GEN-5, RC-4)."""
    plain = evaluate(server, "Tell me what happened.").json()
    given_null = evaluate(server, "Tell me what happened.", reward_config=config).json()
    assert {**plain, "request_id": ""} == {**given_null, "request_id": ""}


def test_nothing_ran_is_a_reward_of_zero(server: Live) -> None:
    """All weights 0: reward 0 and no scores (RC-4)."""
    body = evaluate(server, "Tell me what happened.", reward_config={"quality_weights": {"rubrics": 0}}).json()
    assert (body["reward"], body["scores"], body["score_breakdown"]) == (0.0, {}, {})


def test_the_gate_multiplies_and_can_be_skipped(server: Live) -> None:
    """Terminology costs a tenth, a prohibition everything, and skipping the gate lifts both (RC-3)."""
    skip = {"skip_safety_gate": True}
    clean = evaluate(server, "Tell me what happened.").json()["reward"]
    wrong_word = ("Tell me what happened. A pulled muscle?",)
    assert evaluate(server, *wrong_word).json()["reward"] == pytest.approx(0.9 * clean, abs=1e-6)
    assert evaluate(server, *wrong_word, reward_config=skip).json()["reward"] == clean
    prohibited = ("Tell me what happened. You have a herniated disc.",)
    assert evaluate(server, *prohibited).json()["reward"] == 0
    assert evaluate(server, *prohibited, reward_config=skip).json()["reward"] == clean


def test_a_critical_failure_makes_the_reward_zero_where_it_runs(server: Live) -> None:
    """Skipping the gate does not lift it; leaving failure metrics out does (RC-4)."""
    assert evaluate(server, acts(APPROVE)).json()["reward"] == 0
    assert evaluate(server, acts(APPROVE), reward_config={"skip_safety_gate": True}).json()["reward"] == 0
    others = {"quality_weights": {"best_practices": 1, "rubrics": 1}}
    assert evaluate(server, "Tell me what happened.", acts(APPROVE), reward_config=others).json()["reward"] == 0.6


def test_turns_after_the_end_are_ignored_and_noticed(server: Live) -> None:
    """What follows the turn that ends the scenario changes nothing (EV-2)."""
    ended = evaluate(server, acts(DECIDE))
    more = evaluate(server, acts(DECIDE), "nonsense", "You have a herniated disc.")
    assert more.json()["scores"] == ended.json()["scores"]
    assert more.headers["x-mock-findings"] == 'turns_after_end;severity=warning;place="messages"'


def test_a_dimension_that_is_not_defined_is_noticed() -> None:
    """Asking for it is an info finding; it never runs (RC-5)."""
    bare = scenario(
        state=None, rapport=None, criteria={"best_practices": [{"id": "b", "text": "T", "when": {"says": ["x"]}}]}
    )
    with live(world(bare)) as server:
        response = evaluate(server, "x", reward_config={"quality_weights": {"rubrics": 1, "best_practices": 0.1}})
    assert response.json()["scores"] == {"D3_BestPractices": 1.0}
    assert response.json()["reward"] == 1
    place = "reward_config.quality_weights.rubrics"
    assert response.headers["x-mock-findings"] == f'unknown_dimension;severity=info;place="{place}"'


def test_score_access_and_subscriptions() -> None:
    """What a key may not see is absent; no subscription is a 403 (AUTH-2, AUTH-3)."""
    keys = [
        KeyEntry(key="lab_full", organisation="a"),
        KeyEntry(key="lab_scores", organisation="a", score_access="scores"),
        KeyEntry(key="lab_reward", organisation="a", score_access="reward"),
        KeyEntry(key="lab_none", organisation="b", subscriptions=["coaching"]),
        KeyEntry(key="lab_revoked", organisation="a", revoked=True),
        KeyEntry(key="lab_expired", organisation="a", expires="2025-12-31T23:59:59Z"),
    ]
    body = {**WHERE, "messages": [{"role": "assistant", "content": "Tell me what happened."}]}
    with live(world(keys=keys)) as server:
        responses = {name: server.post("/evaluate", body, key=f"lab_{name}") for name in ("full", "scores", "reward")}
        seen = {name: {"scores", "score_breakdown"} & set(response.json()) for name, response in responses.items()}
        assert seen == {"full": {"scores", "score_breakdown"}, "scores": {"scores"}, "reward": set()}
        assert len({response.json()["reward"] for response in responses.values()}) == 1
        refused = server.post("/evaluate", body, key="lab_none")
        assert (refused.status_code, refused.json()["message"]) == (403, "No active subscription for collection")
        unknown = {**body, "collection_slug": "nope"}
        assert server.post("/evaluate", unknown, key="lab_none").status_code == 404
        assert server.post("/evaluate", body, key="lab_revoked").status_code == 401
        assert server.post("/evaluate", body, key="lab_expired").status_code == 401


turns = st.lists(
    st.tuples(
        st.lists(st.sampled_from(TEXTS), min_size=1, max_size=2).map(" ".join),
        st.sampled_from([(), (SCAN,), (DECIDE,), (APPROVE,)]),
    ),
    min_size=1,
    max_size=5,
)
weights = st.none() | st.dictionaries(st.sampled_from(DIMENSIONS), st.floats(0, 1), max_size=4)


@settings(max_examples=60)
@given(turns, weights, st.booleans(), st.sampled_from(["user", "assistant"]))
def test_an_episode_and_the_evaluation_of_its_transcript_agree(
    shared_server: Live,
    texts: list[tuple[str, tuple[Any, ...]]],
    weights: dict[str, float] | None,
    skip: bool,
    role: str,
) -> None:
    """Over real sockets, exactly: the reward and scores of the last turn are those of the transcript (EV-2)."""
    config = {"quality_weights": weights, "skip_safety_gate": skip}
    episode = shared_server.episode(score_turns=True)
    transcript: list[dict[str, Any]] = [{"role": role, "content": OPENING}]
    response: dict[str, Any] = {}
    for content, calls in texts:
        message = {"role": "assistant", "content": content} | ({"tool_calls": list(calls)} if calls else {})
        response = shared_server.turn(episode, message, reward_config=config).json()
        transcript += [message, {"role": role, "content": response["observation"]["content"]}]
        if response["episode_complete"]:
            break
    whole = shared_server.post("/evaluate", {**WHERE, "messages": transcript, "reward_config": config})
    assert whole.json()["reward"] == response["reward"]
    assert whole.json()["scores"] == response["scores"]
    assert whole.json()["score_breakdown"] == response["score_breakdown"]
    assert "turns_after_end" not in whole.headers.get("x-mock-findings", "")
