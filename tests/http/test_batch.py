from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.config.server_file import KeyEntry
from labs_mock.contract.responses import BatchEvaluated
from tests.support import OPENING, Live, live, world

WHERE = {"collection_slug": "case-management", "scenario_slug": "back-claim"}
TEXTS = ("Tell me what happened.", "Thank you. I understand.", "Are you worried?", "second job", "nonsense", "Hm.")


def conversation(*texts: str) -> list[dict[str, str]]:
    """A conversation in the chat convention."""
    return [one for text in texts for one in ({"role": "user", "content": "x"}, {"role": "assistant", "content": text})]


def item(name: str, *texts: str, **changes: Any) -> dict[str, Any]:
    """A good item, with some fields changed."""
    return {"id": name, **WHERE, "messages": conversation(*texts or ("Tell me.",)), **changes}


def test_a_batch_answers_in_the_order_of_its_items(server: Live) -> None:
    """The documented fields, one result an item; equal ids are answered in place (BAT-1, BAT-4)."""
    names = ["b", "a", "b", ""]
    response = server.post("/batch/evaluate", {"items": [item(name, TEXTS[index]) for index, name in enumerate(names)]})
    body = BatchEvaluated.model_validate_json(response.content)
    assert set(response.json()) == {"results", "scoring_version", "total_time_ms", "request_id"}
    assert [result.id for result in body.results] == names
    assert {result.status for result in body.results} == {"success"}
    assert (body.total_time_ms, body.request_id) == (0, response.headers["x-request-id"])
    assert "x-mock-findings" not in response.headers


BAD_ITEMS: list[tuple[dict[str, Any], str]] = [
    ({"collection_slug": "nope"}, "Collection not found: 'nope'"),
    ({"scenario_slug": "nope"}, "Scenario not found: 'nope' in collection 'case-management'"),
    ({"messages": conversation("x" * 10_001)}, "items.1.messages.1.content: expected at most 10,000 characters"),
    ({"messages": [{"role": "user", "content": "x"}]}, "items.1.messages: expected at least one new assistant"),
    ({"messages": [{"role": "assistant", "content": OPENING}]}, "items.1.messages: expected at least one new"),
    ({"messages": []}, "items.1.messages: expected at least one new assistant message"),
    ({"messages": "x"}, "items.1.messages: expected a list, got 'x'"),
    ({"messages": None}, "items.1.messages: expected a list, got null"),
    ({"collection_slug": 5}, "items.1.collection_slug: expected text, got 5"),
]


@pytest.mark.parametrize(("changes", "error"), BAD_ITEMS)
def test_a_bad_item_leaves_the_others_alone(server: Live, changes: dict[str, Any], error: str) -> None:
    """It gives an error item without a `reward` key; the others are what they are without it (BAT-2, BAT-3)."""
    good = [item("a", *TEXTS[:2]), item("c", TEXTS[3])]
    alone = server.post("/batch/evaluate", {"items": good}).json()
    mixed = server.post("/batch/evaluate", {"items": [good[0], item("b", **changes), good[1]]}).json()
    first, bad, last = mixed["results"]
    assert [first, last] == alone["results"]
    assert set(bad) == {"id", "status", "error"}
    assert (bad["id"], bad["status"]) == ("b", "error")
    assert bad["error"].startswith(error)
    assert mixed["scoring_version"] == alone["scoring_version"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "items: is required"),
        ({"items": []}, "items: expected entries, at least 1, got a list of 0"),
        ({"items": [item("a")] * 101}, "items: expected at most 100 entries"),
        ({"items": {"0": item("a")}}, "items: expected a list"),
        ({"items": [item("a"), 5]}, "items.1: expected an object, got 5"),
        ({"items": [item("a"), None]}, "items.1: expected an object, got null"),
        ({"items": [item("a"), {**WHERE, "messages": []}]}, "items.1.id: expected text"),
        ({"items": [item("a", id=7)]}, "items.0.id: expected text"),
    ],
)
def test_what_makes_the_whole_batch_bad(server: Live, body: dict[str, Any], message: str) -> None:
    """1 to 100 items, each an object with a string id; else 400 without using quota (BAT-1, BAT-2, RL-1)."""
    response = server.post("/batch/evaluate", body)
    assert response.status_code == 400
    assert response.json()["message"].startswith(message)
    assert "x-ratelimit-limit" not in response.headers


def test_findings_of_items_have_their_places(server: Live) -> None:
    """`reward_config` in an item is ignored with a finding, as are unknown fields (BAT-4, GEN-4)."""
    odd = item("b", reward_config={"quality_weights": {"rubrics": 1}}, extra=1)
    response = server.post("/batch/evaluate", {"items": [item("a"), odd], "more": 1})
    found = response.headers["x-mock-findings"].split(", ")
    assert [one.partition(";")[0] + one.partition("place=")[2] for one in found] == [
        'unknown_field"more"',
        'reward_config_in_batch_item"items.1.reward_config"',
        'unknown_field"items.1.extra"',
    ]
    plain, ignored = response.json()["results"]
    assert {**plain, "id": ""} == {**ignored, "id": ""}


def test_a_missing_subscription_is_an_error_item() -> None:
    """Without a subscription the item fails and the request does not; score access holds in a batch too (AUTH-2, AUTH-3)."""
    keys = [
        KeyEntry(key="lab_none", organisation="a", subscriptions=["coaching"]),
        KeyEntry(key="lab_reward", organisation="a", score_access="reward"),
    ]
    with live(world(keys=keys)) as server:
        refused = server.post("/batch/evaluate", {"items": [item("a")]}, key="lab_none")
        assert refused.status_code == 200
        expected = {"id": "a", "status": "error", "error": "No active subscription for collection"}
        assert refused.json()["results"] == [expected]
        (seen,) = server.post("/batch/evaluate", {"items": [item("a")]}, key="lab_reward").json()["results"]
        assert set(seen) == {"id", "status", "reward"}


@settings(max_examples=40)
@given(st.lists(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4), min_size=1, max_size=8), st.randoms())
def test_an_item_is_what_evaluate_gives(shared_server: Live, texts: list[list[str]], order: Any) -> None:
    """Whatever else is in the batch, and in whatever order (BAT-3)."""
    items = [item(str(index), *texts) for index, texts in enumerate(texts)]
    order.shuffle(items)
    results = shared_server.post("/batch/evaluate", {"items": items}).json()["results"]
    for one, result in zip(items, results, strict=True):
        single = shared_server.post("/evaluate", {**WHERE, "messages": one["messages"]}).json()
        fields = ("reward", "scores", "score_breakdown")
        assert result == {"id": one["id"], "status": "success", **{name: single[name] for name in fields}}
