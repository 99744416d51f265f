"""A server with `canary`, over the wire, beside one without; they differ in rewards and the finding alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.contract.responses import Compared
from tests.http.control.test_expecting import expect
from tests.http.control.test_scoring import configs, explain
from tests.http.datasets import LONG, dataset, with_datasets
from tests.http.test_batch import TEXTS, WHERE, conversation, item
from tests.support import KEY, OPENING, Live, live, world

talks = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=5)
STEP = 1.5 / 4096
SPOKEN = {"role": "assistant", "content": OPENING}
FINDING = 'canary;severity=info;place=""'


@pytest.fixture(scope="module")
def canary_server() -> Iterator[Live]:
    """A server whose rewards are canaries."""
    with live(world(canary=True)) as server:
        yield server


@settings(max_examples=40)
@given(talks, configs)
def test_one_conversation_has_one_canary_everywhere(
    canary_server: Live, shared_server: Live, texts: list[str], config: dict[str, Any] | None
) -> None:
    """From `/evaluate`, a batch, a comparison, an episode and as expected; `/_mock/explain` has the true reward, too (EV-2, BAT-3)."""
    body = {**WHERE, "messages": conversation(*texts)}
    plain = canary_server.post("/evaluate", body).json()["reward"]
    true = shared_server.post("/evaluate", body).json()
    assert abs(plain - true["reward"]) < STEP
    assert (plain * 2**24).is_integer()
    batch = canary_server.post("/batch/evaluate", {"items": [item("a", "Hm."), item("b", *texts)]}).json()["results"]
    assert batch[1]["reward"] == plain
    sides = {"response_a": {"messages": body["messages"]}, "response_b": {"messages": conversation("Hm.")}}
    assert canary_server.post("/compare", {**WHERE, **sides}).json()["reward_a"] == plain
    weighed = canary_server.post("/evaluate", {**body, "reward_config": config})
    assert (
        weighed.json()["scores"] == shared_server.post("/evaluate", {**body, "reward_config": config}).json()["scores"]
    )
    explained = explain(canary_server, body["messages"], reward_config=config)
    assert explained["served"] == weighed.json()["reward"]
    assert explained["reward"] == explain(shared_server, body["messages"], reward_config=config)["served"]
    assert FINDING in weighed.headers["x-mock-findings"].split(", ")
    episode = canary_server.episode(score_turns=True)
    taken = [canary_server.turn(episode, text, reward_config=config).json() for text in texts]
    by_turn = [turn["reward"] for turn in taken if "reward" in turn]
    assert by_turn[-1] == weighed.json()["reward"]
    (expected,) = expect(canary_server, {**body, "reward_config": config})
    assert (expected["reward"], expected["rewards_by_turn"]) == (by_turn[-1], by_turn)


@settings(max_examples=40)
@given(talks, talks)
def test_a_comparison_follows_the_rewards_that_it_shows(canary_server: Live, one: list[str], other: list[str]) -> None:
    """Equal canaries tie, the higher one wins, and the margin is their exact difference (CMP-1)."""
    sides = {"response_a": {"messages": conversation(*one)}, "response_b": {"messages": conversation(*other)}}
    body = Compared.model_validate_json(canary_server.post("/compare", {**WHERE, **sides}).content)
    assert body.margin == abs(body.reward_a - body.reward_b)
    order = (body.reward_a > body.reward_b) - (body.reward_a < body.reward_b)
    assert body.winner == {0: "tie", 1: "a", -1: "b"}[order]
    if one == other:
        assert body.winner == "tie"


def test_unscored_turns_stay_0(canary_server: Live) -> None:
    """Without `score_turns` a reward is 0, as without canaries, and is nothing to find (EP-3)."""
    episode = canary_server.episode()
    response = canary_server.turn(episode, "Tell me what happened.")
    assert response.json()["reward"] == 0
    assert "x-mock-findings" not in response.headers


def test_what_was_served_is_in_the_journal_and_in_the_log() -> None:
    """`/_mock/requests` and `/_mock/rewards` have the canaries, since these were served, and each answer one finding."""
    with live(world(canary=True)) as server:
        first = server.post("/evaluate", {**WHERE, "messages": conversation(*TEXTS[:3])}).json()["reward"]
        batch = server.post("/batch/evaluate", {"items": [item("a"), item("b", scenario_slug="no"), item("c", "Hm.")]})
        rewards = [result.get("reward") for result in batch.json()["results"]]
        assert server.client.get("/_mock/rewards").json()["rewards"] == [first, rewards[0], rewards[2]]
        records = server.client.get("/_mock/requests").json()["requests"]
        assert [record["rewards"] for record in records] == [[first], rewards]
        assert batch.headers["x-mock-findings"] == FINDING
        assert [[finding["code"] for finding in record["findings"]] for record in records] == [["canary"]] * 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/evaluate", {**WHERE, "messages": [{"role": "assistant", "content": "x" * 10_001}]}),
        ("/batch/evaluate", {"items": [item("a", scenario_slug="no")]}),
        ("/compare", {**WHERE, "response_a": {"messages": conversation("Hm.")}, "response_b": {"messages": [SPOKEN]}}),
    ],
)
def test_an_answer_without_a_reward_has_no_canary(canary_server: Live, path: str, body: dict[str, Any]) -> None:
    """Neither a refused request nor a batch of error items has the finding."""
    assert "canary" not in canary_server.post(path, body).headers.get("x-mock-findings", "")


def test_normalised_rewards_are_the_true_ones() -> None:
    """`normalized` is that of a server without canaries, and equal rewards have no deviation (NORM-2)."""
    seen = []
    for canary in (False, True):
        with live(world(canary=canary)) as server:
            bodies = [
                {**WHERE, "messages": conversation(text), "normalization_key": "k", "normalization_windows": ["9n"]}
                for text in ("nonsense", "Hm.", "nonsense", "Tell me what happened.", "Are you worried?")
            ]
            single = [server.post("/evaluate", body).json()["normalized"] for body in bodies]
            items = [{"id": str(index), **body} for index, body in enumerate(bodies)]
            results = server.post("/batch/evaluate", {"items": items}).json()["results"]
            seen.append([*single, *(result["normalized"] for result in results)])
    assert seen[0] == seen[1]


def test_rows_of_datasets_are_the_same() -> None:
    """`quality_score` is the true reward: an export is byte for byte that of a server without canaries (ROW-1, DS-6)."""
    exports = []
    for canary in (False, True):
        with live(with_datasets(dataset(LONG), canary=canary)) as server:
            path = f"/api/v1/training-datasets/{LONG}/export"
            exports.append(
                server.client.get(path, headers={"authorization": f"Bearer {KEY}"}).raise_for_status().content
            )
    assert exports[0] == exports[1] != b""
