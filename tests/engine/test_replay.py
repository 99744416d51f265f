from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.requests import Message, ToolCall
from labs_mock.engine.conversation_hash import conversation_hash
from labs_mock.engine.player import Player
from labs_mock.engine.replay import replay
from labs_mock.engine.reward import assess
from labs_mock.engine.transcript import TranscriptLine, transcript_line, turns_of
from tests.engine.test_player import PLAYERS, players, transcripts
from tests.support import operator

json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
any_calls = st.lists(st.builds(ToolCall, type=st.text(), name=st.text(), input=json), max_size=3)
any_turns = st.lists(
    st.lists(st.builds(lambda text, calls: operator(text, *calls), st.text(), any_calls), min_size=1, max_size=3),
    max_size=4,
)


@given(players, transcripts)
def test_a_transcript_replays_to_what_was_folded_turn_by_turn(name: str, submitted: list[list[Message]]) -> None:
    """State, score and hash of an episode follow from its stored transcript, in this process and in a new one (EP-13, DET-1)."""
    player = PLAYERS[name]
    play, conversation = player.start(), 0
    transcript = [TranscriptLine(play.observation, False)]
    for turn in submitted:
        if play.terminal is not None:
            break
        play, conversation = player.fold(play, [turn]), conversation_hash([turn], conversation)
        transcript += [*map(transcript_line, turn), TranscriptLine(play.observation, False)]
        for one in (player, Player(player.scenario)):
            assert replay(one, transcript) == (play, conversation)
            assert assess(one.scenario, replay(one, transcript).play) == assess(player.scenario, play)


@given(any_turns)
def test_turns_come_back_from_their_lines(submitted: list[list[Message]]) -> None:
    """Texts and calls of any JSON, whatever the persona replied (EP-12)."""
    persona = TranscriptLine("Well.", False)
    lines = [persona, *chain.from_iterable([*map(transcript_line, turn), persona] for turn in submitted)]
    stored = list(turns_of(lines))
    assert [[(message["role"], message["content"]) for message in turn] for turn in stored] == [
        [(message["role"], message["content"]) for message in turn] for turn in submitted
    ]
    assert [[message.get("tool_calls") or [] for message in turn] for turn in stored] == [
        [message.get("tool_calls") or [] for message in turn] for turn in submitted
    ]
    assert conversation_hash(stored) == conversation_hash(submitted)
