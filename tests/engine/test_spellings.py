from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labs_mock.config.library import load_library, shipped_library
from labs_mock.contract.requests import Message
from labs_mock.engine.attribution import operator_turns
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player, Turn
from labs_mock.engine.reward import assess
from labs_mock.engine.rollout import roll_out
from labs_mock.errors import BadRequest
from labs_mock.text import normalise
from tests.engine.dialogues import (
    FRONTS,
    PLAYERS,
    ROLES,
    SYSTEM,
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
from tests.support import operator

SHIPPED = {f"{one.collection}/{one.slug}": one for one in load_library(shipped_library()).scenarios}
WORKED: dict[str, Callable[[Dialogue], list[Message]]] = {
    "chat-convention": lambda one: spelled(one, ["user"], [], last=True),
    "as-observations-arrive": lambda one: spelled(one, ["assistant"], [], last=True),
    "system-and-user": lambda one: spelled(one, ["user"], [SYSTEM], last=True),
    "system-and-assistant": lambda one: spelled(one, ["assistant"], [SYSTEM], last=True),
    "prompt-and-user": lambda one: spelled(one, ["user"], [TASK], last=True),
    "prompt-and-assistant": lambda one: spelled(one, ["assistant"], [TASK], last=True),
    "two-prompts-and-user": lambda one: spelled(one, ["user"], [SYSTEM, TASK], last=True),
    "two-prompts-and-assistant": lambda one: spelled(one, ["assistant"], [SYSTEM, TASK], last=True),
    "user-then-assistant": lambda one: spelled(one, ["user", "assistant"], [], last=True),
    "assistant-then-user": lambda one: spelled(one, ["assistant", "user"], [], last=True),
    "separators": separated,
    "without-the-opening": lambda one: spelled(one, ["user"], [], last=True)[1:],
}
"""The contract's worked spellings of one dialogue."""


@pytest.mark.parametrize("name", ["expert", "middling", "poor"])
@pytest.mark.parametrize("slug", SHIPPED)
def test_one_dialogue_has_one_reward_in_every_spelling(slug: str, name: str) -> None:
    """The shipped operators' transcripts give their turns, reward and scores again, and no warning (EP-8, EV-2)."""
    player = Player(SHIPPED[slug])
    rollout = roll_out(player, name)
    dialogue = Dialogue(rollout.turns, [player.start().observation, *rollout.observations], rollout.play)
    for spelling, spell in WORKED.items():
        attributed = operator_turns(player, spell(dialogue))
        assert attributed.turns == rollout.turns, spelling
        again = player.fold(player.start(), attributed.turns)
        assert assess(player.scenario, again) == assess(player.scenario, rollout.play)
        assert {finding.code for finding in attributed.findings} <= {"all_assistant_history"}


def reference(player: Player, submitted: list[Message]) -> list[Turn]:
    """EP-8 word for word, and slowly: the persona is played anew for every message."""
    messages = [message for message in submitted if message["role"] != "system"]
    texts = [normalise(message["content"]) for message in messages]
    opening = texts.index(player.scenario.opening) if player.scenario.opening in texts else None
    behind = messages if opening is None else messages[opening + 1 :]
    any_user = any(message["role"] == "user" for message in behind)
    if opening is None and not any_user:
        return [messages] if messages else []
    turns: list[Turn] = [[]]
    recognised = False
    for index, message in enumerate(behind):
        if message["role"] == "user":
            turns.append([])
        elif turns[-1] and normalise(message["content"]) == _said(player, turns) != _next_user(behind[index:]):
            turns.append([])
            recognised = True
        else:
            turns[-1] = [*turns[-1], message]
    if opening is not None and messages[opening]["role"] == "assistant" and not any_user and not recognised:
        return [[message] for message in behind[::2]]
    return [turn for turn in turns if turn]


def _said(player: Player, turns: list[Turn]) -> str | None:
    """What the persona says after some turns; nothing where the scenario ended before the last of them."""
    taken = [turn for turn in turns if turn]
    play = player.fold(player.start(), taken)
    return normalise(play.observation) if play.turn == len(taken) else None


def _next_user(messages: list[Message]) -> str | None:
    return next((normalise(message["content"]) for message in messages if message["role"] == "user"), None)


anything = st.lists(
    st.builds(Message, role=st.sampled_from(["assistant", "assistant", "user", "system"]), content=TEXTS)
)


@given(PLAYERS, anything)
def test_any_conversation_is_read_as_the_reference_reads_it(player: Player, submitted: list[Message]) -> None:
    """Whatever is sent, and in whatever roles (EP-8)."""
    expected = reference(player, submitted)
    if expected:
        assert operator_turns(player, submitted).turns == expected
    else:
        with pytest.raises(BadRequest, match="operator"):
            operator_turns(player, submitted)


@given(PLAYERS, TURNS.filter(bool), ROLES, st.sampled_from(FRONTS), st.booleans())
def test_the_persona_is_known_in_any_role(
    player: Player, operator_lines: list[list[Message]], roles: list[Role], front: list[Message], last: bool
) -> None:
    """A dialogue has one reward whatever the roles of the persona's lines and the prompts in front (EP-8, EV-2)."""
    dialogue = played(player, operator_lines)
    submitted = spelled(dialogue, roles, front, last=last)
    assume(can_be_told(player, submitted[len(front) :], dialogue))
    _gives_its_turns_again(player, submitted, dialogue)
    assert reference(player, submitted) == dialogue.turns


@given(PLAYERS, TURNS.filter(bool), st.booleans())
def test_the_persona_need_not_be_quoted(player: Player, operator_lines: list[list[Message]], bare: bool) -> None:
    """Nor the opening: other `user` text does as well, or beginning at the operator's first message (EP-8)."""
    dialogue = played(player, operator_lines)
    submitted = spelled(dialogue, ["user"], [], last=True)[1:] if bare else separated(dialogue)
    assume(player.scenario.opening not in [normalise(message["content"]) for message in submitted])
    _gives_its_turns_again(player, submitted, dialogue)


@given(PLAYERS, TURNS.filter(bool), ROLES)
def test_lines_are_compared_normalised(player: Player, operator_lines: list[list[Message]], roles: list[Role]) -> None:
    """Other letters and spaces make no other line (EP-8)."""
    dialogue = played(player, operator_lines)
    loud = dialogue._replace(observations=[f"\n{line.upper().replace(' ', '  ')} " for line in dialogue.observations])
    submitted = spelled(loud, roles, [], last=True)
    assume(can_be_told(player, submitted, dialogue))
    _gives_its_turns_again(player, submitted, dialogue)


def _gives_its_turns_again(player: Player, submitted: list[Message], dialogue: Dialogue) -> None:
    attributed = operator_turns(player, submitted)
    assert attributed.turns == dialogue.turns
    again = player.fold(player.start(), attributed.turns)
    assert assess(player.scenario, again) == assess(player.scenario, dialogue.play)


def test_a_long_turn_is_read_in_linear_time() -> None:
    """The persona replies once to each message, and not anew for all before it (EP-8)."""
    player = Player(SHIPPED["case-management/lower-back-claim"])
    steps = 0
    finish = Player._finish_turn

    def counted(self: Player, play: Play) -> None:
        nonlocal steps
        steps += 1
        finish(self, play)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Player, "_finish_turn", counted)
        operator_turns(
            player, [TASK, operator(player.start().observation), *(operator(f"Hm {i}.") for i in range(998))]
        )
    assert steps <= 1_000
