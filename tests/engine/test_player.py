import gc
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labs_mock.contract.requests import Message, ToolCall
from labs_mock.engine.caches import MAX_STATES, TextCache
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player
from labs_mock.engine.reward import assess
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.text import normalise
from tests.support import CLAIM, call, operator, scenario

PHRASES = (
    "Hello",
    "Do you have a second job?",
    "Are you worried?",
    "I understand.",
    "Thank you.",
    "Tell me what happened.",
    "That is nonsense.",
    "You have a herniated disc.",
    "See a counsellor.",
    "It's a pulled muscle.",
    "Well",
)
VALID = (
    call("order_imaging", region="Lumbar  spine"),
    call("order_imaging", region="neck", views=2),
    call("claim_status", value="pending_info"),
    call("claim_status", value="approved"),
)
INVALID = (
    call("order_imaging", region=3),
    call("order_imaging"),
    call("claim_status", value="later"),
    call("claim_status", value=["approved"]),
    call("nothing", region="neck"),
    ToolCall(type="decision", name="order_imaging", input={"region": "neck"}),
    ToolCall(type="artifact", name="claim_status", input={"value": "denied"}),
    ToolCall(type="", name="claim_status", input={"value": "denied"}),
    ToolCall(type="artifact", name="order_imaging", input="neck"),
    ToolCall(type="artifact", name="order_imaging", input=None),
)
SILENCE = "<no_response/>"

no_calls: st.SearchStrategy[list[ToolCall]] = st.just([])
calls = no_calls | no_calls | st.lists(st.sampled_from(VALID + INVALID), min_size=1, max_size=2)
contents = st.lists(st.sampled_from(PHRASES), max_size=3).map(" ".join) | st.just(SILENCE)
messages = st.builds(lambda content, called: operator(content, *called), contents, calls)
turns = st.lists(messages, min_size=1, max_size=2)
transcripts = st.lists(turns, max_size=8)
"""What operators may say to the persona of `CLAIM`, with good and bad calls of its tools."""

LENIENT = scenario(invalid_tool_call="score", completed=None)
PLAYERS = {"strict": Player(scenario(max_turns=6)), "lenient": Player(LENIENT)}
players = st.sampled_from(sorted(PLAYERS))


def played(on: Scenario, *operator_lines: str | Message) -> Play:
    """The state of a scenario after some turns of one message each."""
    player = Player(on)
    return player.fold(player.start(), [[operator(one) if isinstance(one, str) else one] for one in operator_lines])


@given(players, transcripts, transcripts)
def test_a_fold_does_not_change_its_argument(
    name: str, before: list[list[Message]], after: list[list[Message]]
) -> None:
    """Turns are undone by forgetting the answer (EP-15)."""
    player = Player(PLAYERS[name].scenario)
    state = player.fold(player.start(), before)
    copy = deepcopy(state)
    player.fold(state, after)
    assert state == copy


@given(players, transcripts)
def test_folding_turn_by_turn_equals_folding_at_once(name: str, operator_lines: list[list[Message]]) -> None:
    """It does not matter how many turns are taken at a time, or whether each is scored (EV-2)."""
    player, fresh = PLAYERS[name], Player(PLAYERS[name].scenario)
    at_once, state = fresh.fold(fresh.start(), operator_lines), player.start()
    for turn in operator_lines:
        assess(player.scenario, state)
        state = player.fold(state, [turn])
    assert assess(player.scenario, state) == assess(player.scenario, at_once)
    assert state == at_once


@given(players, transcripts, st.lists(messages, max_size=4))
def test_a_turn_can_grow_message_by_message(
    name: str, operator_lines: list[list[Message]], turn: list[Message]
) -> None:
    """`growing` gives the states after a turn of the first message, of the first two, and so on (EP-8)."""
    player = PLAYERS[name]
    state = player.fold(player.start(), operator_lines)
    assume(state.terminal is None)
    grown = list(player.grow_turn(state, turn))
    assert grown == [player.fold(state, [turn[: index + 1]]) for index in range(len(turn))]
    fresh = Player(player.scenario)
    assert state == fresh.fold(fresh.start(), operator_lines)


@given(players, transcripts, st.integers(0, 200), st.integers(1, 5))
def test_no_answer_depends_on_what_is_remembered(
    name: str, operator_lines: list[list[Message]], limit: int, states: int
) -> None:
    """A player that forgets nearly everything gives the results of one that has played it all before."""
    player = PLAYERS[name]
    patterns, observations = player.scenario.operator_patterns, player.scenario.observation_patterns
    assert observations is not None
    forgetful = Player(player.scenario, max_states=states)
    forgetful.operator_atoms = TextCache(patterns.atoms, limit)
    forgetful.observation_atoms = TextCache(observations.atoms, limit)
    forgetful.normalised_texts = TextCache(normalise, limit)
    for _ in range(2):
        one, other = forgetful.fold(forgetful.start(), operator_lines), player.fold(player.start(), operator_lines)
        assert one == other
        assert assess(player.scenario, one) == assess(player.scenario, other)


@pytest.mark.slow
def test_no_more_states_are_remembered_than_allowed() -> None:
    """Not even where episodes stand still in states that have led to many others: all state is bounded."""
    player, draw = Player(scenario(max_turns=50)), Random(1)
    before = _live_states()
    standing: list[Play] = []
    for number in range(1_800):
        first = player.fold(player.start(), [[operator("Hello")]])
        player.fold(first, [[operator(" ".join(draw.sample(PHRASES, 3)))] for _ in range(8)])
        standing += [first] if number % 100 == 0 else []
    assert _live_states() - before <= MAX_STATES + len(standing)


def _live_states() -> int:
    gc.collect()
    return sum(type(one) is Play for one in gc.get_objects())


@given(players, transcripts)
def test_turns_after_the_end_are_left_out(name: str, operator_lines: list[list[Message]]) -> None:
    """The turn that ends the scenario is the last one that counts (EV-2)."""
    player = PLAYERS[name]
    state = player.fold(player.start(), operator_lines)
    assert state == player.fold(player.start(), operator_lines[: state.turn])
    assert (state.terminal is None) == (
        player.fold(player.start(), [*operator_lines, [operator("Well")]]).turn > len(operator_lines)
    )
    if state.turn < len(operator_lines):
        assert state.terminal is not None


@given(transcripts)
def test_the_last_allowed_turn_ends_an_episode(operator_lines: list[list[Message]]) -> None:
    """No conversation is longer than `max_turns`, and one that gets there is over (EP-10)."""
    player = PLAYERS["strict"]
    state = player.fold(player.start(), operator_lines)
    assert state.turn <= 6
    assert (state.turn == 6) <= (state.terminal is not None)
    assert (state.terminal == "max_turns_reached") <= (state.turn == 6)


def _completed(rule: dict[str, Any]) -> dict[str, Any]:
    return {"completed": {"when": rule}}


IMAGING, APPROVE = VALID[0], VALID[3]
BAD = INVALID[0]
NECK = {"calls": {"tool": "order_imaging", "input": {"region": "Neck"}}}


@pytest.mark.parametrize(
    ("operator_lines", "changes", "terminal", "turn"),
    [
        pytest.param(["Well"] * 11, {}, None, 11, id="going-on"),
        pytest.param(["Well"] * 13, {}, "max_turns_reached", 12, id="max-turns"),
        pytest.param(["Well"] * 51, {"max_turns": None}, "max_turns_reached", 50, id="fifty-turns-by-default"),
        pytest.param(["Well", operator("Done", VALID[2]), "Well"], {}, "completed", 2, id="completed"),
        pytest.param([operator("", VALID[2])], {"max_turns": 1}, "completed", 1, id="completed-before-max-turns"),
        pytest.param([operator("", APPROVE)], {}, "error", 1, id="critical-failure-before-completed"),
        pytest.param([operator("", IMAGING), operator("", APPROVE)], {}, "completed", 2, id="no-failure-no-error"),
        pytest.param([operator("", IMAGING, APPROVE)], {}, "completed", 1, id="scoring-rules-see-this-turn"),
        pytest.param([operator("", APPROVE)], {"max_turns": 1}, "error", 1, id="error-before-max-turns"),
        pytest.param(["second job?"], _completed({"discovered": "side_job"}), "completed", 1, id="by-a-reveal"),
        pytest.param(["Well"], _completed({"discovered": "onset"}), "completed", 1, id="by-a-volunteered-item"),
        pytest.param(["second job?"], _completed({"heard": ["deliveries"]}), "completed", 1, id="by-what-was-heard"),
        pytest.param([operator("", VALID[1])], _completed(NECK), "completed", 1, id="by-a-call-with-this-input"),
        pytest.param([operator("", IMAGING)], _completed(NECK), None, 1, id="not-by-a-call-with-another-input"),
        pytest.param(["That is nonsense."], {}, None, 1, id="other-failures-end-nothing"),
        pytest.param(["Well", operator("", BAD)], {}, "error", 2, id="invalid-call"),
        pytest.param([operator("", BAD, VALID[2])], {}, "error", 1, id="invalid-call-before-completed"),
        pytest.param([operator("", VALID[2], BAD)], {}, "error", 1, id="invalid-call-after-a-good-one"),
        pytest.param([operator("", BAD)], {"max_turns": 1}, "error", 1, id="invalid-call-before-max-turns"),
        pytest.param([operator("", BAD)], {"invalid_tool_call": "score"}, None, 1, id="invalid-calls-scored"),
        pytest.param(
            [operator("", BAD, APPROVE)], {"invalid_tool_call": "score"}, "error", 1, id="critical-failure-when-scored"
        ),
    ],
)
def test_how_and_when_an_episode_ends(
    operator_lines: list[str | Message], changes: dict[str, Any], terminal: str | None, turn: int
) -> None:
    """Error goes before completed, completed before max_turns_reached (EP-10, EP-11, EP-12)."""
    state = played(scenario(**changes), *operator_lines)
    assert (state.terminal, state.turn) == (terminal, turn)


@pytest.mark.parametrize("bad", INVALID, ids=lambda bad: f"{bad.type}-{bad.name}-{bad.input}")
def test_an_invalid_call_ends_the_episode_or_counts_as_nothing(bad: ToolCall) -> None:
    """By default it ends the episode with an error; scored, it matches no rule and uncovers nothing (EP-12)."""
    assert played(scenario(), operator("", bad)).terminal == "error"
    state = played(LENIENT, operator("", bad))
    results = assess(LENIENT, state).results
    assert state.terminal is None
    assert results["success_metrics"].value == 0.25  # the volunteered item alone
    assert results["discovery"].value == 0.25
    assert results["failure_metrics"].value == 1


@pytest.mark.parametrize(
    ("bad", "similarity", "match"),
    [
        (INVALID[0], 0, 1),
        (INVALID[5], 0, 1),
        (INVALID[9], 0, 1),
        (INVALID[2], 1, 0),
        (INVALID[6], 1, 0),
        (INVALID[4], 1, 1),
    ],
)
def test_an_invalid_call_is_the_last_call_of_its_tool(bad: ToolCall, similarity: float, match: float) -> None:
    """It counts with 0 for its own output, whatever came before, and with nothing for others (EP-12)."""
    results = assess(LENIENT, played(LENIENT, operator("", VALID[0], VALID[2]), operator("", bad))).results
    assert results["output_similarity"].value == similarity
    assert results["decision_match"].value == match


def test_the_words_beside_an_invalid_call_count() -> None:
    """Only the call matches no rule; its message does (EP-12)."""
    assert played(LENIENT, operator("Do you have a second job?", BAD)).observation == "I do deliveries."


def test_a_turn_may_have_several_messages() -> None:
    """A phrase in any message of a turn matches that turn."""
    player = PLAYERS["lenient"]
    state = player.fold(player.start(), [[operator("second job?"), operator("Thank you.", IMAGING)]])
    assert state.turn == 1
    assert state.observation == "I do deliveries. They say it is a strain."


def test_a_phrase_does_not_run_over_two_messages() -> None:
    """A phrase matches within one message."""
    player = PLAYERS["lenient"]
    state = player.fold(player.start(), [[operator("Is there a second"), operator("job?")]])
    assert state.observation != "I do deliveries."


SPACES = ("", " ", "\t", "\n ", "\x1c", "\u2003")


@given(
    st.sampled_from(["Hello, I'm calling about my claim.", "Hello", "ẞeta, ﬁne", "\u2003 X  y ", "İx"]),
    st.sampled_from([str, str.upper, str.lower, str.title, lambda text: text[:-1], lambda text: f"{text}."]),
    st.tuples(*[st.sampled_from(SPACES)] * 2),
    st.sampled_from([" ", "  ", "\t", "\u00a0"]),
)
def test_an_opening_is_known_in_every_way_to_write_it(
    opening: str, change: Callable[[str], str], around: tuple[str, str], between: str
) -> None:
    """A content is the opening exactly if both normalise alike, whatever its case and spaces (EP-8)."""
    persona = {**CLAIM["persona"], "opening": opening}
    player = Player(scenario(persona=persona))
    content = around[0] + change(opening).replace(" ", between) + around[1]
    assert player.is_opening(content) == (normalise(content) == normalise(opening))
