from itertools import chain

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labs_mock.contract.requests import Message
from labs_mock.engine.attribution import Attributed, new_turn
from labs_mock.engine.player import Player, Turn
from labs_mock.engine.transcript import TranscriptLine
from labs_mock.errors import BadRequest
from labs_mock.text import normalise
from tests.engine.dialogues import (
    FRONTS,
    PLAYERS,
    ROLES,
    TASK,
    TEXTS,
    TURNS,
    Dialogue,
    Role,
    can_be_told,
    played,
    separated,
    spelled,
)
from tests.engine.test_spellings import WORKED
from tests.support import operator, scenario

anything = st.lists(
    st.builds(Message, role=st.sampled_from(["assistant", "assistant", "user", "system"]), content=TEXTS), max_size=8
)


def transcript(dialogue: Dialogue) -> list[TranscriptLine]:
    """The transcript of an episode that went so."""
    lines = [TranscriptLine(dialogue.observations[0], False)]
    for turn, observation in zip(dialogue.turns, dialogue.observations[1:], strict=True):
        lines += [*(TranscriptLine(message["content"], True) for message in turn), TranscriptLine(observation, False)]
    return lines


def submit(player: Player, dialogue: Dialogue, submitted: list[Message]) -> Attributed:
    """What a submission to such an episode means."""
    return new_turn(player, transcript(dialogue), submitted)


def reference(player: Player, lines: list[TranscriptLine], submitted: list[Message]) -> list[Message]:
    """The new turn by EP-7, word for word, and slowly; empty where there is none."""
    persona = {normalise(line.content) for line in lines if not line.operator}
    known = [normalise(line.content) for line in lines]
    messages = [message for message in submitted if message["role"] != "system"]
    while messages and messages[0]["role"] == "user" and normalise(messages[0]["content"]) not in persona:
        messages = messages[1:]
    texts = [normalise(message["content"]) for message in messages]
    answered = [
        index + 1
        for index, text in enumerate(texts)
        if text == known[-1] and any(message["role"] == "assistant" for message in messages[index + 1 :])
    ]
    if texts == known or (not answered and any(texts == known[index:] for index in range(len(known)))):
        return []
    new = messages[answered[-1] :] if answered else _behind_prefix(lines, known, messages, texts)
    operators = [one for one in new if one["role"] == "assistant" and normalise(one["content"]) not in persona]
    if not operators and answered:
        return [one for one in new if one["role"] == "assistant"][-1:]
    return _without_played(player, new, persona) if len(lines) == 1 else operators


def _behind_prefix(
    lines: list[TranscriptLine], known: list[str], messages: list[Message], texts: list[str]
) -> list[Message]:
    beginnings = [length for length in range(1, len(known)) if texts[:length] == known[:length]]
    from_operator = [
        length
        for length in range(1, len(known))
        if texts[:length] == known[1 : 1 + length] and not all(line.operator for line in lines[1 : 1 + length])
    ]
    start = max(beginnings or from_operator or [0])
    if start == len(messages) and messages and messages[-1]["role"] == "assistant":
        start -= 1
    return messages[start:]


def _without_played(player: Player, new: list[Message], persona: set[str]) -> list[Message]:
    """The operator's turns where a history is submitted to a new episode."""
    turns: list[Turn] = [[]]
    for index, message in enumerate(new):
        text = normalise(message["content"])
        taken = [turn for turn in turns if turn]
        play = player.fold(player.start(), taken)
        answers = turns[-1] and play.turn == len(taken) and text == normalise(play.observation)
        follower = next((one for one in new[index + 1 :] if one["role"] != "assistant"), None)
        if (
            message["role"] == "user"
            or text in persona
            or (answers and not (follower and normalise(follower["content"]) == text))
        ):
            turns.append([])
        else:
            turns[-1] = [*turns[-1], message]
    return list(chain.from_iterable(turns))


@given(PLAYERS, TURNS, anything)
def test_any_submission_is_read_as_the_reference_reads_it(
    player: Player, operator_lines: list[list[Message]], submitted: list[Message]
) -> None:
    """Whatever is sent to an episode, and in whatever roles (EP-7)."""
    lines = transcript(played(player, operator_lines))
    expected = reference(player, lines, submitted)
    if expected:
        assert new_turn(player, lines, submitted).turns == [expected]
    else:
        with pytest.raises(BadRequest, match="operator"):
            new_turn(player, lines, submitted)


@given(
    PLAYERS, TURNS, TURNS.filter(bool), ROLES, st.sampled_from(FRONTS), st.sampled_from(["opening", "operator", "last"])
)
def test_a_history_gives_the_new_turn(
    player: Player,
    operator_lines: list[list[Message]],
    new: list[list[Message]],
    roles: list[Role],
    front: list[Message],
    begins: str,
) -> None:
    """Prompts, then the history from its opening, from the operator's first message or its last line alone: none diverges (EP-7)."""
    dialogue, turn = played(player, operator_lines), new[0]
    history = spelled(dialogue, roles, [], last=True)
    history = {"opening": history, "operator": history[1:] or history, "last": history[-1:]}[begins]
    persona = [player.normalised(line) for line in dialogue.observations]
    assume(len(turn) == 1 or not {player.normalised(message["content"]) for message in turn} & set(persona))
    assume(dialogue.turns or played(player, [turn]).turns == [turn])
    lines = [player.normalised(line.content) for line in transcript(dialogue)]
    texts = [player.normalised(message["content"]) for message in (*history, *turn)]
    assume(texts not in (lines[:-1], lines[1:-1]))  # where the persona repeats itself, that is the same turn again
    assert list(submit(player, dialogue, [*front, *history, *turn])) == [[turn], []]


@given(PLAYERS, TURNS, TURNS.filter(bool), st.sampled_from(FRONTS))
def test_new_messages_alone_are_the_new_turn(
    player: Player, operator_lines: list[list[Message]], new: list[list[Message]], front: list[Message]
) -> None:
    """Whatever the texts before, unless it is the persona's (EP-7)."""
    dialogue, turn = played(player, operator_lines), new[0]
    assume(
        not {player.normalised(message["content"]) for message in turn}
        & {player.normalised(line) for line in dialogue.observations}
    )
    assume(dialogue.turns or played(player, [turn]).turns == [turn])
    assert list(submit(player, dialogue, [*front, *turn])) == [[turn], []]


@pytest.mark.parametrize("spelling", WORKED)
def test_an_earlier_history_is_one_turn_of_a_new_episode(spelling: str) -> None:
    """It is a finding in each of the worked spellings, and the persona's lines are left out (EP-7, EV-2)."""
    player = Player(scenario())
    dialogue = played(player, [[operator("Hello")], [operator("Hm"), operator("A second job?")], [operator("Well")]])
    turns, findings = submit(player, played(player, []), WORKED[spelling](dialogue))
    assert turns == [[message for turn in dialogue.turns for message in turn]]
    assert [finding.code for finding in findings] == ["split_turn"]


@given(PLAYERS, TURNS.filter(bool), ROLES, st.sampled_from(FRONTS), st.sampled_from(["all", "bare", "separated"]))
def test_any_earlier_history_is_one_turn_of_a_new_episode(
    player: Player, operator_lines: list[list[Message]], roles: list[Role], front: list[Message], how: str
) -> None:
    """As EP-8 would read it, with a finding where it was more than one turn; it diverges from nothing (EP-7)."""
    dialogue = played(player, operator_lines)
    submitted = spelled(dialogue, roles, [], last=True)
    submitted = {"all": submitted, "bare": submitted[1:], "separated": separated(dialogue)}[how]
    assume(
        player.scenario.opening not in [player.normalised(message["content"]) for message in submitted[how == "all" :]]
    )
    assume(can_be_told(player, submitted, dialogue))
    turns, findings = submit(player, played(player, []), [*front, *submitted])
    assert turns == [[message for turn in dialogue.turns for message in turn]]
    assert [finding.code for finding in findings] == ["split_turn"] * (len(dialogue.turns) > 1)


def test_a_prompt_in_front_is_no_history() -> None:
    """With a task prompt and the whole history at every turn there is no finding, however long the episode (EP-7)."""
    player = Player(scenario())
    operator_lines = [[operator(text)] for text in ("Hello", "Hm", "A second job?", "Well", "Are you worried?")]
    for taken in range(len(operator_lines)):
        dialogue = played(player, operator_lines[:taken])
        for role in ("user", "assistant"):
            history = spelled(dialogue, [role], [TASK], last=True)
            assert list(submit(player, dialogue, [*history, *operator_lines[taken]])) == [[operator_lines[taken]], []]
