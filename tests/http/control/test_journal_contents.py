import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import orjson
import pytest

from labs_mock.config.server_file import KeyEntry
from labs_mock.contract.dimensions import DIMENSIONS
from labs_mock.state.bounds import Bounds
from tests.http.control.test_journal import BODY, EVALUATE, MESSAGES, NOTHING, journal, last
from tests.http.datasets import get, in_state, name_of, with_datasets
from tests.http.test_batch import TEXTS, WHERE, conversation, item
from tests.http.test_envelope import JSON, raw
from tests.support import CLAIM, KEY, Live, live, noise, scenario, world

SECRET, FIRST = "lab_s3cret-of_4cme", "lab_f1rst-key"
HIDDEN = "s3c"  # what stands in no other place


@pytest.fixture(scope="module")
def guarded() -> Iterator[Live]:
    """A server with three keys."""
    keys = [KeyEntry(key=key, organisation=name) for key, name in ((KEY, "local"), (SECRET, "acme"), (FIRST, "one"))]
    with live(world(keys=keys, max_body=200_000)) as server:
        yield server


LONG = 200_000


def test_bodies_are_whole_however_long(server: Live) -> None:
    """What a client sent and what it got, also beyond 64 KiB, with the size of what was sent."""
    body = {"a": "x" * LONG}
    response = server.client.post(EVALUATE, headers=JSON, content=orjson.dumps(body) + b" " * LONG)
    record = last(server)
    assert (record["request"], record["request_size"]) == (body, len(orjson.dumps(body)) + LONG)
    assert record["response"] == response.json()
    text = '{"' + "\N{SNOWMAN}" * LONG
    server.client.post(EVALUATE, headers=JSON, content=text.encode())
    assert last(server)["request"] == text
    response = server.post("/batch/evaluate", {"items": [item("x" * 1_000)] * 100})
    assert len(response.content) > 64 * 1024
    assert (last(server)["response"], last(server)["dropped_bodies"]) == (response.json(), [])


def test_a_body_that_was_dropped_is_named() -> None:
    """Where bytes are short the oldest large bodies go, and their records stay and say so."""
    bounded = world(bounds=Bounds(journal=300_000))
    with live(bounded) as server:
        for _ in range(3):
            server.client.post(EVALUATE, headers=JSON, content=orjson.dumps({"noise": noise(60_000).hex()}))
        records = journal(server)["requests"]
    assert [record["dropped_bodies"] for record in records] == [["request"], [], []]
    assert [record["request"] is None for record in records] == [True, False, False]
    assert all(record["response"] for record in records)


def test_odd_bodies_are_shown_as_well_as_can_be(server: Live) -> None:
    """No JSON, and JSON too deep to be shown, are text, an empty body is null, and the journal can still be read."""
    deep = b'{"a":' * 1_000 + b"1" + b"}" * 1_000
    for body in (b"", b"hello \xff", b'{"a": NaN}', b"[1]", deep):
        server.client.post(EVALUATE, headers=JSON, content=body)
    shown = [record["request"] for record in journal(server)["requests"]]
    assert shown == [None, "hello \N{REPLACEMENT CHARACTER}", '{"a": NaN}', [1], deep.decode()]


def test_of_a_stream_nothing_is_kept() -> None:
    """The rows of an export are not in its record (DS-4)."""
    with live(with_datasets(in_state("ready"))) as server:
        export = get(server, name_of("ready"), "export")
        record = last(server)
    assert (export.status_code, record["status"], record["response"]) == (200, 200, None)
    assert record["request_id"] == export.headers["x-request-id"]


PERCENT, ESCAPED = SECRET.replace("_", "%5F"), SECRET.replace("_", "\\u005f")
SECRETS: list[tuple[str, str, bytes]] = [
    ("GET", f"/api/v1/{SECRET}", b""),
    ("GET", f"/{PERCENT}/x", b""),
    ("GET", f"/api/v1/training-datasets/{SECRET}/status", b""),
    ("POST", f"/api/v1/episodes/{SECRET}/turns", orjson.dumps({"messages": MESSAGES})),
    ("POST", f"/api/v1/episodes/{PERCENT}/turns", orjson.dumps({"id": SECRET, "messages": MESSAGES})),
    ("GET", f"/api/v1/catalog?key={SECRET}&x=%41", b""),
    ("GET", f"/api/v1/catalog?a=1&key={PERCENT}", b""),
    ("GET", f"/nowhere?{PERCENT.lower()}=%6Cab_s3cret-of_4cme", b""),
    *(
        ("POST", EVALUATE, body.encode())
        for body in (
            f'{{"collection_slug": "{SECRET}", "scenario_slug": "x", "messages": []}}',
            f'{{"collection_slug": "x.{SECRET}", "scenario_slug": "\\"{SECRET}", "messages": [{{"role": "{SECRET}"}}]}}',
            f'{{"{SECRET}": 1, "reward_config": {{"{SECRET}": {{"{SECRET}": 1}}}}}}',
            f'{{"{ESCAPED}": ["{ESCAPED}", "x {ESCAPED}"]}}',
            f'{{"x": "\\u006cab_s3cret-of_4cme", "{SECRET}": "{SECRET}", "{SECRET}": 2}}',
            f'{{"url": "https://x.example/?k={PERCENT}", "text": "{{\\"k\\": \\"{SECRET}\\"}}"}}',
            f"key={SECRET}&other={PERCENT}",
            f'{{"not closed": "{SECRET} and {ESCAPED}',
            f'{{"not closed": "\\n{SECRET}\\t{SECRET}\\"',
            f'{{"note": "ends in a quote: {SECRET}\\"", "also": "{SECRET}\\n{SECRET}"}}',
        )
    ),
    ("POST", "/api/v1/batch/evaluate", orjson.dumps({"items": [item(SECRET), item("x", scenario_slug=SECRET)]})),
    (
        "POST",
        EVALUATE,
        orjson.dumps({**BODY, "normalization_key": SECRET, "messages": conversation(f"It is {SECRET}.")}),
    ),
]


def decoded(text: str) -> str:
    """A text with its escapes undone, as somebody might who looks for keys."""
    return unquote(re.sub(r"\\+u00([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), text, flags=re.IGNORECASE))


@pytest.mark.parametrize("key", [SECRET, FIRST, "lab_n0body"])
@pytest.mark.parametrize(("method", "path", "body"), SECRETS)
def test_no_key_can_be_read(guarded: Live, method: str, path: str, body: bytes, key: str) -> None:
    """Neither the key of a request nor another's, wherever it stands in the request or its response, and however spelt."""
    guarded.reset()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    guarded.client.request(method, path, content=body, headers=headers)
    shown = guarded.client.get("/_mock/requests")
    assert (shown.status_code, shown.json()["count"]) == (200, 1)
    for text in (shown.text, decoded(shown.text), decoded(decoded(shown.text))):
        assert HIDDEN not in text
        assert key[4:] not in text
    assert "lab_***" in shown.text


def test_what_surrounds_a_key_stays_as_it_is(guarded: Live) -> None:
    """Only the key itself is starred, and JSON with a key in it is still shown as JSON."""
    body = {"a": f"My key is {SECRET}, yes.", f"x.{SECRET}": [1, None, {"b": f'"{SECRET}"'}], "c": "100 %41 \\u0041"}
    guarded.client.post(f"{EVALUATE}?q=%41", headers=JSON, content=orjson.dumps(body))
    stars = "lab_" + "*" * (len(SECRET) - 4)
    shown = {"a": f"My key is {stars}, yes.", f"x.{stars}": [1, None, {"b": f'"{stars}"'}], "c": "100 %41 \\u0041"}
    assert (last(guarded)["request"], last(guarded)["query"]) == (shown, "q=%41")


def test_refusals_are_journalled(guarded: Live) -> None:
    """400, 401, 404, 405 and 413 are, with the organisation where the key was valid and the response as it was sent."""
    guarded.reset()
    large = iter([b" " * 150_000] * 2)
    responses = [
        guarded.client.post(EVALUATE, headers=JSON, content=b"{}"),
        guarded.post("/evaluate", BODY, key="lab_nobody"),
        guarded.client.get("/api/v1/nowhere", headers=JSON),
        guarded.client.get("/nowhere"),
        guarded.client.delete(EVALUATE, headers=JSON),
        guarded.client.post(EVALUATE, headers=JSON, content=large),
    ]
    records = journal(guarded)["requests"]
    assert [record["status"] for record in records] == [400, 401, 404, 404, 405, 413]
    assert [record["response"] for record in records] == [response.json() for response in responses]
    assert [record["organisation"] for record in records] == ["local", None, "local", None, "local", "local"]
    assert [record["key"] for record in records] == [name and "lab_*****" for name in ("x", None, "x", None, "x", "x")]


def test_a_body_that_was_not_read_is_not_shown(guarded: Live) -> None:
    """A 413 of a body that declared its size (GEN-3) shows that size, and nothing in place of the body."""
    assert guarded.client.post(EVALUATE, headers=JSON, content=b" " * 200_001).status_code == 413
    assert (last(guarded)["request"], last(guarded)["request_size"]) == (None, 200_001)
    assert last(guarded)["dropped_bodies"] == ["request"]


def test_the_control_plane_and_what_broke_off_are_not_journalled() -> None:
    """Neither reads, writes and refusals under `/_mock`, nor a request whose client left in the middle of it."""
    served = world()
    broken = b"POST /api/v1/episodes HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{"
    assert raw(served, broken) == b""
    with live(served) as server:
        for path in ("clock", "requests", "health", "nothing", "keys"):
            server.client.get(f"/_mock/{path}")
            server.client.post(f"/_mock/{path}", json={})
            server.client.post(f"/_mock/{path}", content=b"x")
        assert journal(server) == NOTHING


WEIGHTS: list[tuple[dict[str, Any] | None, int]] = [
    (None, 7),
    ({}, 7),
    ({"skip_safety_gate": True}, 7),
    ({"quality_weights": {}}, 0),
    ({"quality_weights": {"rubrics": 1, "discovery": 0.001, "best_practices": 0, "decision_match": None}}, 2),
    ({"quality_weights": dict.fromkeys(DIMENSIONS, 0.5)}, 7),
]


@pytest.mark.parametrize(("config", "run"), WEIGHTS)
def test_scorers_are_counted(server: Live, config: dict[str, Any] | None, run: int) -> None:
    """Those with a weight above 0 run, the others of the scenario are skipped: in evaluations and in turns (RC-2)."""
    scored = server.post("/evaluate", {**BODY, "reward_config": config})
    assert len(scored.json()["scores"]) == run
    assert last(server)["scorers"] == {"run": run, "skipped": 7 - run}
    assert last(server)["rewards"] == [scored.json()["reward"]]
    response = server.turn(server.episode(score_turns=True), TEXTS[0], reward_config=config)
    assert last(server)["scorers"] == {"run": run, "skipped": 7 - run}
    assert last(server)["rewards"] == [response.json()["reward"]]


def test_scorers_and_rewards_of_several_conversations_add_up(server: Live) -> None:
    """In a batch over the items that were scored, in a comparison over both; a turn that is not scored runs none (EP-3)."""
    batch = server.post(
        "/batch/evaluate", {"items": [item("a", TEXTS[0]), item("b", scenario_slug="x"), item("c", TEXTS[4])]}
    )
    rewards = [result.get("reward") for result in batch.json()["results"]]
    assert rewards[1] is None
    assert (last(server)["scorers"], last(server)["rewards"]) == ({"run": 14, "skipped": 0}, rewards)
    both = {"response_a": {"messages": conversation(TEXTS[0])}, "response_b": {"messages": conversation(TEXTS[4])}}
    compared = server.post("/compare", {**WHERE, **both}).json()
    assert last(server)["scorers"] == {"run": 14, "skipped": 0}
    assert last(server)["rewards"] == [compared["reward_a"], compared["reward_b"]]
    server.turn(server.episode(), TEXTS[0])
    assert (last(server)["scorers"]["run"], last(server)["rewards"]) == (0, [])


def test_a_dimension_that_a_scenario_does_not_define_is_not_skipped() -> None:
    """It never runs, whether a weight requests it or not (RC-5)."""
    criteria = {"success_metrics": CLAIM["criteria"]["success_metrics"]}
    with live(world(scenario(criteria=criteria))) as server:
        server.post("/evaluate", {**BODY, "reward_config": {"quality_weights": {"rubrics": 1, "discovery": 1}}})
        assert last(server)["scorers"] == {"run": 1, "skipped": 1}


def test_an_episode_and_its_turns_are_named(server: Live) -> None:
    """Its creation has no turn; a turn that is refused has its episode, and none either (EP-4, EP-13)."""
    episode = server.episode()
    server.turn(episode, "Hello")
    server.turn(episode, {"role": "user", "content": "Hello"})
    server.turn(episode, "Hello")
    server.turn("ep_unknown", "Hello")
    server.post("/evaluate", BODY)
    named = [(record["episode_id"], record["turn"]) for record in journal(server)["requests"]]
    assert named[0] == (episode, None)
    assert named[1:4] == [(episode, 1), (named[2][0], None), (episode, 2)]
    assert named[4:] == [("ep_unknown", None), (None, None)]


def test_findings_are_told_in_full(server: Live) -> None:
    """Their codes, severities and places are those of `X-Mock-Findings`, with a hint beside them (GEN-4)."""
    body = {**BODY, "scenario_slugg": "x", "reward_config": {"quality_weigths": {}}}
    response = server.post("/evaluate", body)
    found = last(server)["findings"]
    parts = [f'{one["code"]};severity={one["severity"]};place="{one["place"]}"' for one in found]
    assert response.headers["x-mock-findings"] == ", ".join(parts)
    assert [one["hint"] for one in found] == ["did you mean 'scenario_slug'?", "did you mean 'quality_weights'?"]
    assert {name for one in found for name in one} == {"code", "severity", "place", "hint"}
