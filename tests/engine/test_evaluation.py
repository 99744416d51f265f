from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.findings import Finding
from labs_mock.contract.requests import Message, QualityWeights, RewardConfig
from labs_mock.engine.conversation_hash import conversation_hash
from labs_mock.engine.evaluation import evaluate
from labs_mock.engine.reward import assess
from labs_mock.errors import BadRequest
from tests.engine.test_player import INVALID, PLAYERS, players, turns
from tests.support import operator

USER = Message(role="user", content="Go on.")
PERSONA = Message(role="user", content="Hello, I'm calling about my claim.")


@given(players, st.lists(turns, min_size=1, max_size=8))
def test_an_evaluation_is_the_fold_of_the_operators_turns(name: str, submitted: list[list[Message]]) -> None:
    """Turn by turn up to the end of the scenario, with the hash of those turns and the score of that state (EV-2)."""
    player = PLAYERS[name]
    result = evaluate(player, [PERSONA, *(message for turn in submitted for message in (*turn, USER))])
    plays = list(accumulate(submitted, lambda play, turn: player.fold(play, [turn]), initial=player.start()))
    assert result.play == plays[-1]
    assert result.turns == submitted[: result.play.turn]
    assert result.conversation == conversation_hash(result.turns)
    assert result.assessment == assess(player.scenario, result.play)
    late = Finding("turns_after_end", "messages")
    assert (late in result.findings) == (len(result.turns) < len(submitted))


def test_findings_of_the_messages_come_before_those_of_the_weights() -> None:
    """Who spoke, then what came too late, then invalid calls, then what cannot be scored (EP-12, EV-2, RC-4)."""
    messages = [operator("Well.", INVALID[0]), USER, operator("<no_response />")]
    result = evaluate(PLAYERS["strict"], messages, RewardConfig(quality_weights=QualityWeights()))
    assert [finding.code for finding in result.findings] == [
        "near_miss_token",
        "turns_after_end",
        "invalid_tool_call",
        "nothing_scored",
    ]
    assert result.assessment.results == {}


def test_a_conversation_without_the_operator_is_refused() -> None:
    """There is nothing to score (EP-8)."""
    with pytest.raises(BadRequest):
        evaluate(PLAYERS["strict"], [PERSONA])
