from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.findings import Finding
from labs_mock.contract.requests import Message, QualityWeights, RewardConfig, ToolCall
from labs_mock.engine.attribution import operator_turns
from labs_mock.engine.detectors import MAX_INVALID, config_findings, invalid_calls, play_findings
from labs_mock.engine.player import Player
from tests.support import operator, scenario

CLAIM = scenario(invalid_tool_call="score")
PLAYER = Player(CLAIM)
INVALID: list[tuple[ToolCall, str, str]] = [
    (
        ToolCall(type="artifact", name="order_imagin", input={}),
        "name",
        "unknown tool 'order_imagin'; did you mean 'order_imaging'?",
    ),
    (
        ToolCall(type="decision", name="order_imaging", input={}),
        "type",
        "order_imaging: expected artifact, got 'decision'",
    ),
    (ToolCall(type="artifact", name="order_imaging", input=[]), "input", "order_imaging: expected an object"),
    (
        ToolCall(type="artifact", name="order_imaging", input={}),
        "input",
        'order_imaging: "region" is a required property (schema.required)',
    ),
    (
        ToolCall(type="artifact", name="order_imaging", input={"region": 7 * 10**9}),
        "input.region",
        'order_imaging: the value is not of type "string" (schema.properties.region.type)',
    ),
    (
        ToolCall(type="decision", name="claim_status", input={"value": "aproved"}),
        "input.value",
        "claim_status: unknown option 'aproved'; did you mean 'approved'?",
    ),
    (
        ToolCall(type="decision", name="claim_status", input={"value": 1}),
        "input",
        'claim_status: expected {"value": …} with one of: approved, denied, pending_info',
    ),
    (
        ToolCall(type="decision", name="claim_status", input={"value": "approved", "note": "x"}),
        "input",
        'claim_status: expected {"value": …} with one of: approved, denied, pending_info',
    ),
]
INPUTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["approved", "lumbar spine", ""]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["value", "region"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def found(*messages: Message) -> list[Finding]:
    """The findings about the play of a conversation given whole."""
    turns, _ = operator_turns(PLAYER, messages)
    return play_findings(CLAIM, messages, turns, PLAYER.fold(PLAYER.start(), turns))


@pytest.mark.parametrize(("call", "path", "reason"), INVALID)
def test_an_invalid_call_is_found_with_its_path_and_the_reason(call: ToolCall, path: str, reason: str) -> None:
    """The tool, where in its input, and what its schema or its options want (EP-12)."""
    hello = Message(role="user", content="Hello, I'm calling about my claim.")
    valid = ToolCall(type="decision", name="claim_status", input={"value": "denied"})
    assert found(hello, operator("Well."), hello, operator("So.", valid, call)) == [
        Finding("invalid_tool_call", f"messages.3.tool_calls.1.{path}", reason)
    ]


@given(st.sampled_from(["order_imaging", "claim_status", "other"]), st.sampled_from(["artifact", "decision"]), INPUTS)
def test_a_reason_is_given_exactly_for_invalid_calls(name: str, kind: str, arguments: Any) -> None:
    """Those that match no rule and end an episode, and no others (EP-12)."""
    call = ToolCall(type=kind, name=name, input=arguments)
    play = PLAYER.fold(PLAYER.start(), [[operator("Hello", call)]])
    assert (CLAIM.call_problem(name, kind, arguments) is None) == play.valid == (not play.invalid)
    assert bool(found(operator("Hello", call))) == (not play.valid)


def test_calls_of_others_and_behind_the_end_are_nobodys() -> None:
    """Only calls of the operator's turns that were played are checked (EP-12, EV-2)."""
    bad = INVALID[0][0]
    user = Message(role="user", content="Hello.", tool_calls=[bad])
    assert found(user, operator("Well.")) == []
    done = operator("Done.", ToolCall(type="decision", name="claim_status", input={"value": "denied"}))
    assert found(user, done, user, operator("More.", bad)) == [Finding("turns_after_end", "messages")]


def test_a_flood_of_invalid_calls_is_capped() -> None:
    """Twenty of them are reported, whatever they contain, and none at length (EP-12)."""
    calls = [ToolCall(type="decision", name="x" * 10_000, input={"y" * 10_000: "z"})] * 100
    findings = invalid_calls(CLAIM, [turn := operator("", *calls)], [[turn]])
    assert len(findings) == MAX_INVALID
    tool = ToolCall(type="artifact", name="order_imaging", input={"region": {"x" * 10_000: ["y" * 10_000]}})
    assert all(len(finding.hint) < 500 for finding in [*findings, *found(operator("", tool))])


@pytest.mark.parametrize("weights", [{}, {"rubrics": 0.0}, {"rubrics": 1.0}])
def test_weights_that_let_nothing_run_are_found(weights: dict[str, float]) -> None:
    """None, 0, or of dimensions that the scenario does not define (RC-4, RC-5)."""
    small = scenario(
        criteria={"success_metrics": [{"id": "a", "text": "T", "when": {"says": ["hello"]}}]}, operators=None
    )
    config = RewardConfig(quality_weights=QualityWeights(**weights))
    unknown = [Finding("unknown_dimension", "reward_config.quality_weights.rubrics")] if weights.get("rubrics") else []
    assert config_findings(small, config) == [*unknown, Finding("nothing_scored", "reward_config.quality_weights")]
    assert config_findings(small, RewardConfig(skip_safety_gate=True)) == config_findings(small, None) == []
