import json
import re
import threading
from collections.abc import Iterator
from math import fsum
from typing import Any

import httpx
import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.config.server_file import KeyEntry
from labs_mock.contract.dimensions import DIMENSIONS
from tests.http.control.test_journal import last
from tests.http.test_batch import TEXTS, WHERE, conversation
from tests.http.test_envelope import check_envelope
from tests.http.test_episodes import APPROVE, DECIDE, SCAN
from tests.support import CLAIM, KEY, Live, live, world

NEW = {"collection_slug": "case-management", "scenario_slug": "new-claim"}
weights = st.dictionaries(st.sampled_from(DIMENSIONS), st.sampled_from([None, 0, 0.001, 0.25, 1]))
configs = st.none() | st.fixed_dictionaries(
    {}, optional={"quality_weights": weights, "skip_safety_gate": st.booleans()}
)
calls = st.sampled_from([None, [SCAN], [APPROVE], [DECIDE], [{"type": "artifact", "name": "nothing", "input": 5}]])
talks = st.lists(st.tuples(st.sampled_from((*TEXTS, "a pulled muscle", "you have a herniated disc")), calls), min_size=1, max_size=5)  # fmt: skip


@pytest.fixture
def served() -> Iterator[Live]:
    """A server with a world of its own, to which scenarios can be added."""
    with live(world()) as server:
        yield server


def explain(server: Live, messages: Any, **fields: Any) -> dict[str, Any]:
    """Why a conversation has its reward."""
    response = server.client.post("/_mock/explain", json={**WHERE, "messages": messages, **fields})
    assert response.status_code == 200, response.text
    explained: dict[str, Any] = response.json()
    return explained


def add(server: Live, **fields: Any) -> httpx.Response:
    """Add a scenario, `new-claim` if no other is named."""
    return server.client.post("/_mock/scenarios", json={**NEW, **fields})


def shown(server: Live) -> tuple[Any, Any]:
    """What clients see of the scenarios: the catalog, and how many there are."""
    catalog = server.client.get("/api/v1/catalog", headers={"authorization": f"Bearer {KEY}"}).json()["collections"]
    return catalog, server.client.get("/_mock/health").json()["scenarios"]


@settings(max_examples=60)
@given(talks, configs)
def test_an_explanation_agrees_with_the_evaluation(
    shared_server: Live, texts: list[tuple[str, Any]], config: dict[str, Any] | None
) -> None:
    """The same reward, scores, sentences and findings, and a sum that a reader can do again (EV-1, RC-1, RC-4)."""
    user = {"role": "user", "content": "x"}
    messages = [one for text, call in texts for one in (user, {**conversation(text)[1], "tool_calls": call})]
    evaluated = shared_server.post("/evaluate", {**WHERE, "messages": messages, "reward_config": config}).json()
    explained = explain(shared_server, messages, reward_config=config)
    assert explained["reward"] == evaluated["reward"]
    assert {one["name"]: one["score"] for one in explained["dimensions"]} == evaluated["scores"]
    assert {one["name"]: one["why"] for one in explained["dimensions"]} == evaluated["score_breakdown"]
    assert explained["findings"] == last(shared_server)["findings"]
    weights = (config or {}).get("quality_weights")
    expected_weights = (
        dict.fromkeys(DIMENSIONS, 1.0) if weights is None else {name: weights.get(name) for name in DIMENSIONS}
    )
    used = {one["dimension"]: one["weight"] for one in explained["dimensions"]}
    assert used == {name: weight for name, weight in expected_weights.items() if weight}
    total = fsum(one["weight"] * one["score"] for one in explained["dimensions"])
    expected = 0 if explained["critical"] or not used else explained["gate"]["factor"] * total / fsum(used.values())
    assert explained["reward"] == pytest.approx(expected, abs=1e-6)
    if (config or {}).get("skip_safety_gate"):
        assert explained["gate"] == {"factor": 1.0, "violations": []}


def test_every_rule_has_its_row(server: Live) -> None:
    """What counts, in the order of the dimensions, then the gate: the turns it yielded, and its result in words."""
    texts = ["Tell me what happened.", "A second job?", "That is nonsense, you have a pulled muscle."]
    messages = [*conversation(*texts), {"role": "assistant", "content": "", "tool_calls": [SCAN]}]
    rows = explain(server, messages)["rules"]
    assert {tuple(row) for row in rows} == {("part", "id", "turns", "result")}
    assert [(row["part"], row["id"], row["turns"], row["result"]) for row in rows] == [
        ("success_metrics", "establish_onset", [1], "holds (weight 1)"),
        ("success_metrics", "order_scan", [3], "holds (weight 3)"),
        ("failure_metrics", "early_approval", [], "does not hold (weight 1, critical)"),
        ("failure_metrics", "rude", [3], "holds (weight 1)"),
        ("best_practices", "open_question", [1], "holds (weight 1)"),
        ("rubrics", "gathering", [3], "L1 (1)"),
        ("discovery", "onset", [1], "revealed (weight 1)"),
        ("discovery", "side_job", [2], "revealed (weight 1)"),
        ("discovery", "fear", [], "not revealed (weight 1)"),
        ("discovery", "imaging", [3], "revealed (weight 1)"),
        ("output_similarity", "order_imaging", [3], "0.500 like the exemplar"),
        ("decision_match", "claim_status", [], "not as expected"),
        ("gate: prohibited", "diagnosis", [], "kept"),
        ("gate: terminology", "strain", [3], "violated"),
        ("gate: must_refer", "scared", [], "kept"),
    ]


def test_the_gate_and_the_end_are_told(server: Live) -> None:
    """Which kinds of violation multiplied the reward, whether a critical failure holds, and how it ended (RC-3, EP-11)."""
    bad = explain(server, conversation("You have a herniated disc, a pulled muscle."))
    assert bad["gate"] == {"factor": 0.0, "violations": ["prohibited", "terminology"]}
    assert (bad["reward"], bad["critical"], bad["turns"], bad["terminal_reason"]) == (0, False, 1, None)
    approved = [
        *conversation("Hm"),
        {"role": "assistant", "content": "", "tool_calls": [APPROVE]},
        *conversation("And?"),
    ]
    ended = explain(server, approved)
    assert (ended["reward"], ended["critical"], ended["turns"], ended["terminal_reason"]) == (0, True, 1, "error")
    assert [(one["code"], one["severity"]) for one in ended["findings"]] == [("turns_after_end", "warning")]


def test_what_is_required_is_told(server: Live) -> None:
    """Where a reward is 0 because nothing that the scenario requires has happened, the explanation says so (RC-6)."""
    requiring = {**CLAIM, "scoring": {"requires": {"any": [{"discovered": "side_job"}, {"calls": "order_imaging"}]}}}
    assert add(server, scenario=requiring).status_code == 200
    where = {"scenario_slug": NEW["scenario_slug"]}
    for texts, earned, result in (("Hm", False, "has not held: the reward is 0"), ("A second job?", True, "has held")):
        explained = explain(server, conversation(texts), **where)
        assert (explained["earned"], explained["reward"] > 0) == (earned, earned)
        assert explained["rules"][-1] == {
            "part": "scoring",
            "id": "requires",
            "turns": [1][not earned :],
            "result": result,
        }
        assert all(one["score"] is not None for one in explained["dimensions"])
    assert explain(server, conversation("Hm"))["earned"]


def test_what_evaluate_notices_is_told(server: Live) -> None:
    """A misspelt field may well be why a reward is not what was expected (GEN-4, GEN-6)."""
    body = '{"reward_confg": {"skip_safety_gate": true}, "messages": [], "messages": %s, "normalization_key": "run"'
    where = orjson.dumps(WHERE).decode()[1:]
    content = (body % orjson.dumps(conversation("Hm")).decode() + "," + where).encode()
    result = server.client.post("/_mock/explain", content=content, headers={"content-type": "application/json"}).json()
    assert [(one["code"], one["place"]) for one in result["findings"]] == [
        ("unknown_field", "reward_confg"),
        ("duplicate_key", "messages"),
    ]
    assert result["findings"][0]["hint"] == "did you mean 'reward_config'?"


def test_an_explanation_leaves_no_trace(server: Live) -> None:
    """It needs no key, uses no quota, and is in no normalisation log (NORM-2)."""
    normalised = {**WHERE, "normalization_key": "run", "normalization_windows": ["5n"]}
    for text in ("nonsense", "Tell me what happened."):
        explain(server, conversation(text), normalization_key="run")
    response = server.post("/evaluate", {**normalised, "messages": conversation("nonsense")})
    assert response.json()["normalized"] == {"5n": None}
    assert response.headers["x-ratelimit-remaining"] == "999999"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({**WHERE, "messages": []}, 400, "messages: expected at least one new assistant message"),
        ({**WHERE, "messages": [{"role": "user", "content": "x"}]}, 400, "messages: expected at least one"),
        (WHERE, 400, "messages: is required"),
        (
            {**WHERE, "messages": conversation("x"), "reward_config": {"quality_weights": {"odd": 1}}},
            400,
            "odd: is not",
        ),
        ({**WHERE, "collection_slug": "nope", "messages": conversation("x")}, 404, "Collection not found: 'nope'"),
        ({**WHERE, "scenario_slug": "nope", "messages": conversation("x")}, 404, "Scenario not found: 'nope'"),
    ],
)
def test_what_cannot_be_explained(server: Live, body: dict[str, Any], status: int, message: str) -> None:
    """It is refused as `/evaluate` refuses it, in the envelope (ERR-1, EP-1, EP-8)."""
    assert message in check_envelope(server.client.post("/_mock/explain", json=body), status)


@pytest.mark.parametrize("collection", ["case-management", "brand-new"])
@pytest.mark.parametrize("form", ["yaml", "json", "object"])
def test_a_scenario_that_is_added_can_be_played_at_once(served: Live, form: str, collection: str) -> None:
    """As the text of a file or as its object; it is in the catalog, and a collection that is new is named by its slug."""
    data = {**CLAIM, "name": "Ünlücky claim"}
    text = {"yaml": yaml.safe_dump(data, allow_unicode=True), "json": orjson.dumps(data).decode()}
    given_as = {"scenario": data} if form == "object" else {"yaml": text[form]}
    added = add(served, collection_slug=collection, **given_as)
    assert added.status_code == 200
    assert {name: added.json()[name] for name in NEW} == {**NEW, "collection_slug": collection}
    catalog, count = shown(served)
    (listed,) = [one for one in catalog if one["slug"] == collection]
    assert [one["slug"] for one in catalog] == sorted({collection, "case-management"})
    assert [one["name"] for one in listed["scenarios"] if one["slug"] == "new-claim"] == ["Ünlücky claim"]
    assert (listed["name"], count) == ("brand-new" if collection == "brand-new" else "Case-Management", 2)
    where = {**NEW, "collection_slug": collection}
    episode = served.episode(**where)
    assert served.turn(episode, "Tell me what happened.").json()["turn"] == 1
    new, old = (
        served.post("/evaluate", {**place, "messages": conversation("Tell me what happened.")}).json()
        for place in (where, WHERE)
    )
    assert (new["reward"], new["scores"]) == (old["reward"], old["scores"])
    assert new["scoring_version"] == old["scoring_version"] == served.library().scoring_version
    served.client.post("/_mock/reset", json={})
    assert shown(served) == (catalog, 2)


def test_episodes_that_began_keep_the_scenario_that_they_began_with(served: Live) -> None:
    """New ones get the new one, and evaluations too, as soon as it is replaced (EV-2)."""
    before = served.episode(score_turns=True)
    served.turn(before, "Hello")
    gone = ("state", "rapport", "operators")
    criteria = {"success_metrics": [{"id": "said", "text": "T", "when": {"says": ["go"]}}]}
    persona = {**CLAIM["persona"], "opening": "New here.", "fallback": ["New."]}
    other = {name: value for name, value in CLAIM.items() if name not in gone} | {
        "criteria": criteria,
        "persona": persona,
    }
    first, second = (add(served, scenario_slug="back-claim", scenario=data) for data in (CLAIM, other))
    assert first.json()["version"] != second.json()["version"]
    after = served.episode(score_turns=True)
    old, new = (served.turn(name, "Go on.").json() for name in (before, after))
    assert (old["turn"], old["observation"]["content"]) == (2, "It started on Tuesday.")
    assert (new["turn"], new["observation"]["content"], new["reward"]) == (1, "New.", 1)
    assert (len(old["scores"]), len(new["scores"])) == (7, 1)
    assert len(served.post("/evaluate", {**WHERE, "messages": conversation("Go on.")}).json()["scores"]) == 1
    transcripts = [served.client.get(f"/_mock/episodes/{name}").json()["transcript"][0] for name in (before, after)]
    assert [line["content"] for line in transcripts] == [CLAIM["persona"]["opening"], "New here."]
    assert shown(served)[1] == 1


def test_a_subscription_is_for_the_collection() -> None:
    """A scenario that is added is for those who may use its collection, a new collection for keys without limits (AUTH-2)."""
    keys = [
        KeyEntry(key=KEY, organisation="a"),
        KeyEntry(key="lab_some", organisation="b", subscriptions=["case-management"]),
    ]
    with live(world(keys=keys)) as server:
        for collection in ("case-management", "brand-new"):
            assert add(server, collection_slug=collection, scenario=CLAIM).status_code == 200
        result = {
            (key, collection): server.post("/episodes", {**NEW, "collection_slug": collection}, key=key).status_code
            for key in (KEY, "lab_some")
            for collection in ("case-management", "brand-new")
        }
    assert [status for _, status in sorted(result.items())] == [200, 200, 403, 200]


BROKEN = "name: X\ndescription: Y\nshape: conversation\n  difficulty: easy\n"
TWICE = yaml.safe_dump(CLAIM) + "name: Again\n"
MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"yaml": BROKEN}, r"^new-claim\.yaml:4:3: not YAML: "),
    ({"yaml": "- a\n"}, r"^new-claim\.yaml:1:1: "),
    ({"yaml": ""}, r"^new-claim\.yaml:1:1: "),
    ({"yaml": TWICE}, rf"^new-claim\.yaml:{TWICE.count(chr(10))}:1: duplicate key 'name'"),
    ({"yaml": yaml.safe_dump(CLAIM | {"difficulty": "eazy"})}, r"^new-claim\.yaml:\d+:\d+: not a good value: 'eazy'\n(.|\n)*did you mean 'easy'\?"),
    ({"scenario": CLAIM | {"max_turn": 5}}, r"^new-claim\.yaml:1:\d+: unknown key 'max_turn'\n(.|\n)*did you mean 'max_turns'\?"),
    ({"scenario": {}}, r"^new-claim\.yaml:1:1: 'description' is missing\n"),
    ({"scenario": CLAIM | {"tools": []}}, r"^new-claim\.yaml:1:\d+: unknown tool"),
    ({"yaml": yaml.safe_dump(CLAIM), "scenario": CLAIM}, "^scenario: expected either 'scenario' or 'yaml'$"),
    ({}, "^scenario: expected either 'scenario' or 'yaml'$"),
    ({"yaml": None, "scenario": None}, "^scenario: expected either 'scenario' or 'yaml'$"),
    ({"yaml": 5}, "^yaml: expected text, got 5$"),
    ({"scenario": "name: X"}, "^scenario: expected an object, got 'name: X'$"),
    ({"scenario": CLAIM, "scenario_slug": "New Claim"}, "^scenario_slug: expected at most 80 lower-case letters, digits and '-', got 'New Claim'$"),
    ({"scenario": CLAIM, "collection_slug": "../x"}, "^collection_slug: expected at most 80 lower-case letters"),
    ({"scenario": CLAIM, "scenario_slug": "x" * 81}, "^scenario_slug: expected at most 80 lower-case letters"),
    ({"scenario": CLAIM, "scenario_slug": None}, "^scenario_slug: expected text, got null$"),
    ({"scenario": CLAIM, "slug": "x"}, "^slug: is not a known name$"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "message"), MISTAKES)
def test_mistakes_are_told_with_their_places_and_change_nothing(
    served: Live, fields: dict[str, Any], message: str
) -> None:
    """File, line and column, the line itself and what was expected; the scenarios in force stay in force (ERR-1)."""
    before = shown(served)
    for slug in ("new-claim", "back-claim"):
        result = check_envelope(add(served, **{"scenario_slug": slug, **fields}), 400)
        assert re.search(message.replace("new-claim", slug), result), result
    assert shown(served) == before
    assert served.turn(served.episode(), "Hello").status_code == 200


def test_all_mistakes_are_told_at_once(served: Live) -> None:
    """Each with its place, in the order of the file."""
    result = check_envelope(add(served, yaml=yaml.safe_dump(CLAIM | {"shape": "talk", "max_turns": 0, "zzz": 1})), 400)
    places = [
        (int(line), int(column)) for line, column in re.findall(r"^new-claim\.yaml:(\d+):(\d+): ", result, re.MULTILINE)
    ]
    assert len(places) >= 3
    assert places == sorted(places)


def test_a_file_with_thousands_of_mistakes_keeps_nobody_waiting(served: Live) -> None:
    """The response has the first twenty and the number of all, and other requests are answered in the meantime."""
    text = json.dumps({**CLAIM, **{f"key{number}": 1 for number in range(40_000)}}, indent=1)
    responses: list[httpx.Response] = []
    posting = threading.Thread(target=lambda: responses.append(add(served, yaml=text)))
    with httpx.Client(base_url=served.url, timeout=10) as other:
        other.get("/_mock/health")
        posting.start()
        answered = 0
        while posting.is_alive():
            answered += other.get("/_mock/health").is_success
        posting.join()
    (response,) = responses
    assert (response.status_code, response.json()["message"].count("unknown key")) == (400, 20)
    assert response.json()["message"].endswith("\nand 39,980 more")
    assert answered > 10
