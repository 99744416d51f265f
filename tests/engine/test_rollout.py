from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.config.library import load_library, shipped_library
from labs_mock.contract.requests import Message
from labs_mock.engine.attribution import operator_turns
from labs_mock.engine.player import Player
from labs_mock.engine.reward import assess
from labs_mock.engine.rollout import Rollout, roll_out
from labs_mock.scenario.compiled.scenario import Scenario
from tests.support import CLAIM, call, scenario

SCAN = {"call": "order_imaging", "input": {"region": "neck"}}
SAYS: list[Any] = [
    [{"when": {"heard": ["my claim"]}, "say": "I see."}, {"when": {"discovered": "onset"}, "say": "On Tuesday?"}],
    ["Tell me", ["what happened.", "about it."]],
    [
        {"when": {"discovered": "onset"}, "say": ["Tuesday, then.", "So, Tuesday."]},
        {"when": {"discovered": "fear"}, "say": ["No fear.", "Never fear."]},
        ["And now?", "What else?"],
    ],
    [{"silent": True}],
    {"thinking": "A scan would help.", "parts": ["A scan.", SCAN, {"call": "order_imaging", "input": {}}]},
]
PARTS_WITH_TEXTS = [
    ["I see."],
    ["On Tuesday?"],
    ["Tell me"],
    ["what happened.", "about it."],
    ["Tuesday, then.", "So, Tuesday."],
    ["No fear.", "Never fear."],
    ["And now?", "What else?"],
    ["A scan."],
]


def _scenario(says: list[Any], **changes: Any) -> Scenario:
    return scenario(operators={"expert": {"agent_template_id": "x", "says": says}}, **changes)


def _rolled(says: list[Any], **changes: Any) -> Rollout:
    return roll_out(Player(_scenario(says, **changes)), "expert")


def _said(rollout: Rollout) -> list[str]:
    return [message["content"] for turn in rollout.turns for message in turn]


def test_an_operator_says_its_entries_turn_by_turn() -> None:
    """Parts are joined by spaces; conditions look at the conversation so far; silence is the token alone."""
    assert _said(_rolled(SAYS)) == [
        "I see.",
        "Tell me what happened.",
        "Tuesday, then. And now?",
        "<no_response/>",
        "A scan.",
    ]


def test_calls_stand_beside_the_text_in_order() -> None:
    """A part that is a call becomes a tool call of the tool's own type, and no text (EP-9)."""
    rollout = _rolled([["Here.", SCAN, {"call": "claim_status", "input": {"value": "denied"}}], "never said"])
    (turn,) = rollout.turns
    assert turn == [
        Message(
            role="assistant",
            content="Here.",
            tool_calls=[call("order_imaging", region="neck"), call("claim_status", value="denied")],
        )
    ]
    assert (rollout.play.terminal, rollout.play.turn) == ("completed", 1)


def test_a_turn_without_calls_has_none() -> None:
    """A message that calls nothing has no `tool_calls` at all, and one that only calls has no content."""
    first, second = (turn[0] for turn in _rolled(["Well.", [SCAN]]).turns)
    assert (first["content"], first.get("tool_calls")) == ("Well.", None)
    assert (second["content"], second.get("tool_calls")) == ("", [call("order_imaging", region="neck")])


def test_every_part_with_texts_is_chosen_once_in_order() -> None:
    """Choices do not depend on which parts are used, so that each has its own place among the draws."""
    offered: list[list[str]] = []

    def last(texts: list[str]) -> str:
        offered.append(texts)
        return texts[-1]

    rollout = roll_out(Player(_scenario(SAYS)), "expert", last)
    assert offered == PARTS_WITH_TEXTS
    assert _said(rollout)[1:3] == ["Tell me about it.", "So, Tuesday. What else?"]


@pytest.mark.parametrize(
    ("when", "operator_lines"),
    [
        ({"not": {"discovered": "onset"}}, ["Now. Well", "Well", "Well"]),
        ({"discovered": "onset"}, ["Well", "Now. Well", "Now. Well"]),
        ({"count": {"of": "discovered", "at_least": 1}}, ["Well", "Now. Well", "Now. Well"]),
        ({"heard": ["what do you mean"]}, ["Well", "Well", "Now. Well"]),
        ({"heard": ["about my claim"]}, ["Now. Well", "Now. Well", "Now. Well"]),
        ({"says": ["well"]}, ["Well", "Now. Well", "Now. Well"]),
    ],
)
def test_conditions_hold_or_not_before_each_turn(when: dict[str, Any], operator_lines: list[str]) -> None:
    """They see what was revealed and both sides' texts up to the last turn, the opening included, and not this one."""
    assert _said(_rolled([[{"when": when, "say": "Now."}, "Well"]] * 3)) == operator_lines


@pytest.mark.parametrize(
    ("changes", "terminal", "turns"),
    [({}, None, 5), ({"max_turns": 2}, "max_turns_reached", 2), ({"max_turns": 5}, "max_turns_reached", 5)],
)
def test_an_operator_stops_when_the_episode_is_over(changes: dict[str, Any], terminal: str | None, turns: int) -> None:
    """Or when its script ends."""
    rollout = _rolled(["Well"] * 5, **changes)
    assert (rollout.play.terminal, rollout.play.turn) == (terminal, turns)
    assert len(rollout.turns) == len(rollout.observations) == turns


@given(st.lists(st.integers(0, 5), min_size=20, max_size=20))
def test_a_rollout_can_be_played_again(draws: list[int]) -> None:
    """Its turns lead to its observations and its state, whatever was chosen, and the same choices to the same turns."""
    player = Player(_scenario(SAYS))

    def rolled() -> Rollout:
        rest = iter(draws)
        return roll_out(player, "expert", lambda texts: texts[next(rest) % len(texts)])

    rollout, play, heard = rolled(), player.start(), []
    for turn in rollout.turns:
        play = player.fold(play, [turn])
        heard.append(play.observation)
    assert (heard, play) == (rollout.observations, rollout.play)
    assert rolled() == rollout


def test_an_unknown_operator_is_a_key_error() -> None:
    """The scenario's operators are all there are."""
    with pytest.raises(KeyError, match="novice"):
        roll_out(Player(scenario(CLAIM)), "novice")


def test_the_shipped_rollouts_are_worth_as_much_when_they_are_evaluated() -> None:
    """The transcripts of all operators, in each spelling, attribute to their turns and rewards (EV-2)."""
    for shipped in load_library(shipped_library()).scenarios:
        player = Player(shipped)
        for name in shipped.file.operators:
            rollout = roll_out(player, name)
            assert rollout.turns
            for role in ("user", "assistant"):
                messages = [Message(role=role, content=player.start().observation)]
                for turn, observation in zip(rollout.turns, rollout.observations, strict=True):
                    messages += [*turn, Message(role=role, content=observation)]
                turns = operator_turns(player, messages).turns
                assert turns == rollout.turns, (shipped.slug, name, role)
                assert assess(shipped, player.fold(player.start(), turns)) == assess(shipped, rollout.play)
