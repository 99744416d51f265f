from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.redaction import masked
from labs_mock.state import World
from tests.http.test_batch import WHERE
from tests.support import CLAIM, KEY, Live, library, live, scenario, world

CANARY = "qulizox"  # no id can hold it: Crockford has no i, l, o and u

# What clients do see: the catalog's fields, tools, the opening and what the persona says.
PUBLIC = {
    ("name",),
    ("description",),
    ("persona", "opening"),
    ("persona", "replies", "reply"),
    ("persona", "fallback"),
    ("state", "reply"),
    ("state", "deflect"),
    ("shape",),
    ("difficulty",),
}


def with_canaries(value: Any, path: tuple[str, ...] = ()) -> Any:
    """The same data with a canary in every text that must stay secret, and in no other."""
    if isinstance(value, dict):
        return {key: with_canaries(child, (*path, key)) for key, child in value.items()}
    if isinstance(value, list):
        return [with_canaries(child, path) for child in value]
    secret = path not in PUBLIC and path[:1] not in (("tools",), ("operators",))
    kept = ("calls", "tool", "kind", "reveal", "region", "claim_status", "discovered", "of")
    return f"{CANARY} {value}" if isinstance(value, str) and secret and path[-1] not in kept else value


def secret_claim() -> dict[str, Any]:
    """`CLAIM` with canaries; ids keep their form, references to them are changed alike."""
    data: dict[str, Any] = with_canaries(CLAIM)
    for item in data["state"]:
        item["id"] = item["id"].replace(f"{CANARY} ", CANARY)
    for entry in criteria_ids(data):
        entry["id"] = entry["id"].replace(f"{CANARY} ", CANARY)
    renamed = str(data).replace("'discovered': '", f"'discovered': '{CANARY}")
    data = eval(renamed)  # the repr of plain data
    data["criteria"]["outputs"][1]["expected"] = "pending_info"
    data["persona"]["identity"]["age"] = 41
    data["operators"]["expert"]["agent_template_id"] = f"{CANARY}-v1"
    return data


def criteria_ids(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything in the criteria that has an id."""
    criteria = data["criteria"]
    rows = [row for rubric in criteria["rubrics"] for row in rubric["criteria"]]
    groups = [criteria[key] for key in ("success_metrics", "failure_metrics", "best_practices")]
    return [
        *(one for group in groups for one in group),
        *rows,
        *criteria["scope"]["prohibited"],
        *criteria["scope"]["must_refer"],
    ]


@pytest.fixture(scope="module")
def guarded() -> Any:
    """A server over a scenario whose every secret text is a canary."""
    with live(world(scenario(secret_claim()))) as server:
        yield server


texts = st.sampled_from(
    ["second job", f"{CANARY} second job", f"{CANARY} worried", f"{CANARY} thank you", f"{CANARY} tell me", "x"]
)
calls = st.lists(
    st.sampled_from(
        [
            {"type": "decision", "name": "claim_status", "input": {"value": "pending_info"}},
            {"type": "decision", "name": "claim_status", "input": {"value": "nothing"}},
            {"type": "artifact", "name": "order_imaging", "input": {"region": "back"}},
            {"type": "artifact", "name": "nothing", "input": 5},
        ]
    ),
    max_size=2,
)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["assistant", "user", "system"]), "content": texts}, optional={"tool_calls": calls}
    ),
    max_size=6,
)
configs = st.none() | st.fixed_dictionaries(
    {}, optional={"quality_weights": st.dictionaries(st.sampled_from(["rubrics", "discovery", "odd"]), st.floats(0, 2))}
)


def test_the_scenario_is_full_of_canaries() -> None:
    """The test would find a leak: facts, criteria, rules and operators all have one."""
    assert str(secret_claim()).count(CANARY) > 35


@settings(max_examples=150)
@given(st.lists(messages, max_size=4), messages, configs, st.booleans())
def test_nothing_secret_leaves(
    guarded: Live, turns: list[list[Any]], conversation: list[Any], config: Any, score_turns: bool
) -> None:
    """No byte of any response, head or body, good or bad, holds a secret of the scenario (NEVER-1) or a key."""
    where = {"collection_slug": "case-management", "scenario_slug": "back-claim"}
    created = guarded.post("/episodes", {**where, "score_turns": score_turns})
    episode = created.json()["episode_id"]
    responses = [created, guarded.post("/evaluate", {**where, "messages": conversation, "reward_config": config})]
    responses += [guarded.turn(episode, *turn, reward_config=config) for turn in turns]
    responses.append(guarded.post("/batch/evaluate", {"items": [{"id": "a", **where, "messages": conversation}]}))
    both = {"response_a": {"messages": conversation}, "response_b": {"messages": conversation}}
    responses.append(guarded.post("/compare", {**where, **both}))
    responses.append(guarded.client.get("/api/v1/catalog", headers={"authorization": f"Bearer {KEY}"}))
    for response in responses:
        assert response.status_code in (200, 400)
        seen = response.content + b"".join(name + value for name, value in response.headers.raw)
        assert CANARY.encode() not in seen
        assert KEY.encode() not in seen


def test_a_key_that_another_process_has_added_is_masked_in_its_own_requests() -> None:
    """Two servers share a store; in a finding, an error and the journal of the one there is no key that was added at the other (ERR-2)."""
    key = "lab_added_elsewhere"
    first = world()
    with live(first) as server:
        server.client.post("/_mock/keys", json={"key": key, "organisation": "b"}).raise_for_status()
    with live(World(first.settings, library(), store=first.store)) as server:
        found = server.post("/episodes", {**WHERE, key: 1}, key=key)
        refused = server.post("/episodes", {**WHERE, "collection_slug": f"not {key}"}, key=key)
        assert (found.status_code, refused.status_code) == (200, 404)
        assert masked(key) in found.headers["x-mock-findings"]
        assert masked(key) in refused.json()["message"]
        shown = [str(found.headers), refused.text, server.client.get("/_mock/requests").text]
        assert not [text for text in shown if key in text]


def test_a_key_that_another_process_has_added_is_masked_in_requests_with_another_key() -> None:
    """In the message of an error, in a finding, in the journal, also escaped; a word that is no key stays (ERR-2)."""
    key = "lab_added_elsewhere"
    first = world()
    with live(first) as server:
        server.client.post("/_mock/keys", json={"key": key, "organisation": "b"}).raise_for_status()
    with live(World(first.settings, library(), store=first.store)) as server:
        found = server.post("/episodes", {**WHERE, key: 1, f"{key}_": 1})
        refused = server.post("/episodes", {**WHERE, "collection_slug": f"not {key}"})
        escaped = server.post("/episodes", {**WHERE, "collection_slug": "not %6cab_added_elsewhere"})
        journal = server.client.get("/_mock/requests").text
        assert (found.status_code, refused.status_code, escaped.status_code) == (200, 404, 404)
        assert masked(key) in found.headers["x-mock-findings"]
        assert f"{key}_" in found.headers["x-mock-findings"]
        assert masked(key) in refused.json()["message"]
        assert masked(key) in escaped.json()["message"]
        for text in (found.headers["x-mock-findings"], refused.text, escaped.text, journal):
            assert key not in text.replace(f"{key}_", "")
