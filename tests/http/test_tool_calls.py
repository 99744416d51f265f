from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from labs_mock.cli.main import main
from labs_mock.testing.request_report import summary, warnings_in
from tests.support import CLAIM, Live, result_of

WHERE = {"collection_slug": "case-management", "scenario_slug": "back-claim"}
BAD = {"type": "artifact", "name": "order_imaging", "input": {"region": ["lumbar spine"]}}
GOOD = {"type": "artifact", "name": "order_imaging", "input": {"region": "lumbar spine"}}
TURN = {"role": "assistant", "content": "I order a scan.", "tool_calls": [GOOD, BAD]}
PLACE = "messages.0.tool_calls.1.input.region"
REASON = 'order_imaging: the value is not of type "string" (schema.properties.region.type)'
RESPONSES = {"response_a": {"messages": [TURN]}, "response_b": {"messages": [TURN]}}
ITEM = {"id": "a", **WHERE, "messages": [TURN]}
ASKED: list[tuple[str, dict[str, Any], list[str]]] = [
    ("/evaluate", {**WHERE, "messages": [TURN]}, [PLACE]),
    ("/batch/evaluate", {"items": [ITEM, ITEM]}, [f"items.0.{PLACE}", f"items.1.{PLACE}"]),
    ("/compare", {**WHERE, **RESPONSES}, [f"response_a.{PLACE}", f"response_b.{PLACE}"]),
]


def invalid(server: Live) -> list[tuple[str, str]]:
    """The places and hints of invalid calls in the newest record of the journal."""
    (record,) = server.client.get("/_mock/requests", params={"limit": 1}).json()["requests"]
    return [(one["place"], one["hint"]) for one in record["findings"] if one["code"] == "invalid_tool_call"]


@pytest.mark.parametrize(("path", "body", "places"), ASKED)
def test_an_invalid_call_in_what_is_given_whole(
    server: Live, path: str, body: dict[str, Any], places: list[str]
) -> None:
    """It is a finding with place and reason, in the header and in the journal, and no 400 (EP-12)."""
    response = server.post(path, body)
    assert response.status_code == 200
    for place in places:
        assert f'invalid_tool_call;severity=info;place="{place}"' in response.headers["x-mock-findings"]
    assert invalid(server) == [(place, REASON) for place in places]


def test_an_invalid_call_in_an_episode(server: Live) -> None:
    """It ends the episode, and the header, the journal, the episode's view and the report of a test say why (EP-12)."""
    episode = server.episode()
    server.turn(episode, "Tell me what happened.")
    response = server.turn(episode, TURN)
    assert response.json()["terminal_reason"] == "error"
    assert f'invalid_tool_call;severity=info;place="{PLACE}"' in response.headers["x-mock-findings"]
    assert invalid(server) == [(PLACE, REASON)]
    shown = server.client.get(f"/_mock/episodes/{episode}").json()["transcript"]
    assert [line["turn"] for line in shown] == [0, 1, 1, 2, 2]
    assert [line.get("tool_calls") for line in shown] == [
        None,
        None,
        None,
        [{**GOOD, "valid": True}, {**BAD, "valid": False, "path": "input.region", "reason": REASON}],
        None,
    ]
    assert f"invalid_tool_call at {PLACE}: {REASON}" in result_of(summary(server.world))
    assert result_of(warnings_in(server.world)) == []


def test_explanations_name_invalid_calls(server: Live, tmp_path: Path) -> None:
    """So do `/_mock/explain` and `labs-mock score --explain` (EP-12)."""
    listed = server.client.post("/_mock/explain", json={**WHERE, "messages": [TURN]}).json()["findings"]
    expected = {"code": "invalid_tool_call", "place": PLACE, "hint": REASON, "severity": "info"}
    assert expected in listed
    (tmp_path / "back-claim.yaml").write_bytes(orjson.dumps(CLAIM))
    (tmp_path / "transcript.json").write_bytes(orjson.dumps([TURN]))
    paths = [str(tmp_path / name) for name in ("back-claim.yaml", "transcript.json")]
    table = CliRunner().invoke(main, ["score", *paths, "--explain"]).output
    assert f"Finding: invalid_tool_call (info) at {PLACE}: {REASON}" in table.replace("\n", " ").replace("  ", " ")


def test_valid_calls_are_no_finding(server: Live) -> None:
    """A call as the tool describes it is shown with its episode and has no finding (EP-9)."""
    episode = server.episode()
    response = server.turn(episode, {**TURN, "tool_calls": [GOOD]})
    assert "x-mock-findings" not in response.headers
    shown = server.client.get(f"/_mock/episodes/{episode}").json()["transcript"][1]
    assert shown == {
        "turn": 1,
        "speaker": "operator",
        "content": TURN["content"],
        "tool_calls": [{**GOOD, "valid": True}],
    }


def test_a_config_changes_nothing_and_is_noticed(server: Live) -> None:
    """An object of any overrides is accepted and ignored; empty or null it says nothing (EP-16)."""
    overrides: list[dict[str, Any]] = [{"max_turns": 1}, {"persona": {"opening": "No."}}]
    for config in overrides:
        response = server.post("/episodes", {**WHERE, "config": config})
        assert response.json()["initial_observation"]["content"] == CLAIM["persona"]["opening"]
        assert response.headers["x-mock-findings"] == 'config_ignored;severity=info;place="config"'
        assert server.turn(response.json()["episode_id"], "Hello").json()["episode_complete"] is False
    for empty in (b"{}", b"null"):
        body = {**WHERE, "config": orjson.loads(empty)}
        assert "x-mock-findings" not in server.post("/episodes", body).headers
    for wrong in (b"[]", b'"text"', b"7"):
        assert server.post("/episodes", {**WHERE, "config": orjson.loads(wrong)}).status_code == 400


def test_weights_of_a_turn_that_is_not_scored_are_noticed(server: Live) -> None:
    """Its reward is 0 whatever they are; null, as the documentation's curriculum sends, says nothing (EP-3, GEN-5)."""
    weights = {"quality_weights": {"discovery": 1}}
    for scored, config, expected in (
        (False, weights, "reward_config_unscored"),
        (False, None, None),
        (True, weights, None),
        (True, {"quality_weights": {"discovery": 0}}, "nothing_scored"),
    ):
        response = server.turn(server.episode(score_turns=scored), "Hello", reward_config=config)
        assert response.headers.get("x-mock-findings", "").partition(";")[0] == (expected or "")
