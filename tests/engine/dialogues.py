"""Scenarios and dialogues for the laws of attribution (EP-7, EP-8)."""

from functools import cache
from typing import Literal, NamedTuple

import orjson
from hypothesis import strategies as st

from labs_mock.contract.requests import Message
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player, Turn
from tests.engine.test_player import contents, messages
from tests.support import CLAIM, OPENING, operator, scenario

LINES = ("I see.", "Go on.", "It started on Tuesday.", "Hi. My number is 4471.", "Well")
"""What personas say, some of which the operator of `messages` says, too."""

Speech = tuple[str, ...]
Role = Literal["user", "assistant"]
SYSTEM, TASK, OTHER = (
    Message(role="system", content="You are a kind case manager."),
    Message(role="user", content="Help this person."),
    Message(role="user", content="(the user speaks)"),
)
FRONTS: tuple[list[Message], ...] = ([], [SYSTEM], [TASK], [SYSTEM, TASK], [TASK, SYSTEM])
ROLES: st.SearchStrategy[list[Role]] = st.lists(st.sampled_from(["user", "assistant"]), min_size=1, max_size=6)


class Dialogue(NamedTuple):
    """The operator's turns, and the persona's observation before each and after the last; how it ended."""

    turns: list[Turn]
    observations: list[str]
    play: Play

    @property
    def over(self) -> bool:
        """Whether the scenario ended."""
        return self.play.terminal is not None


class ShortPlayer(Player):
    """A player that a failing example can show."""

    __slots__ = ()

    def __repr__(self) -> str:
        persona = self.scenario.file.persona
        assert persona is not None
        return f"ShortPlayer({persona.opening!r}, {persona.replies[0].reply!r}, {persona.fallback!r})"


@cache
def _player(opening: str, fallback: Speech, hello: str, max_turns: int, policy: str) -> Player:
    persona = orjson.loads(orjson.dumps(CLAIM["persona"])) | {"opening": opening, "fallback": list(fallback)}
    persona["replies"][0]["reply"] = hello
    return ShortPlayer(scenario(persona=persona, max_turns=max_turns, invalid_tool_call=policy))


PLAYERS = st.builds(
    _player,
    st.sampled_from([OPENING, "I see."]),
    st.sampled_from([("I see.",), ("Go on.", "Well"), ("Hi. My number is 4471.", "I see.")]),
    st.sampled_from(["Go on.", "Hi. My number is 4471."]),
    st.sampled_from([3, 12]),
    st.sampled_from(["error", "score"]),
)
"""Personas that repeat themselves, and say what operators say, in scenarios that end soon or late."""

SPOKEN: st.SearchStrategy[Message] = messages | st.sampled_from([OPENING, *LINES]).map(operator)
TURNS: st.SearchStrategy[list[list[Message]]] = st.lists(st.lists(SPOKEN, min_size=1, max_size=3), max_size=5)
TEXTS = contents | st.sampled_from([OPENING, *LINES])


def played(player: Player, operator_lines: list[list[Message]]) -> Dialogue:
    """A dialogue of the law's domain: no message after the first of its turn is what the persona would answer to those before.

    Messages that are so are left out, and turns after the end.
    """
    play, turns = player.start(), list[Turn]()
    observations = [play.observation]
    for messages_ in operator_lines:
        if play.terminal is not None:
            break
        turn: list[Message] = []
        for message in messages_:
            if not turn or player.normalised(message["content"]) != player.normalised(
                player.fold(play, [turn]).observation
            ):
                turn.append(message)
        play = player.fold(play, [turn])
        turns.append(turn)
        observations.append(play.observation)
    return Dialogue(turns, observations, play)


def spelled(dialogue: Dialogue, roles: list[Role], front: list[Message], *, last: bool) -> list[Message]:
    """A dialogue with prompts in front and the persona's lines in some roles, the last of which goes on."""
    messages = list(front)
    for index, observation in enumerate(dialogue.observations):
        if last or index < len(dialogue.turns):
            messages.append(Message(role=roles[min(index, len(roles) - 1)], content=observation))
        messages += dialogue.turns[index] if index < len(dialogue.turns) else []
    return messages


def separated(dialogue: Dialogue) -> list[Message]:
    """A dialogue whose persona's lines are replaced by other `user` text."""
    return [TASK, *(message for turn in dialogue.turns for message in (*turn, OTHER))]


def can_be_told(player: Player, submitted: list[Message], dialogue: Dialogue) -> bool:
    """Not where the clause itself reads a spelling otherwise.

    An `assistant` line is the operator's if the next `user` message has that text, and where one turn of several
    messages is followed by nothing, persona and operator alternate.
    """
    lines = [player.normalised(line) for line in dialogue.observations]
    if len(submitted) > 2 and submitted[0]["role"] == "assistant" and submitted[1:] == dialogue.turns[0]:
        return False
    quoted = None
    for message in reversed(submitted):
        text = player.normalised(message["content"])
        if message["role"] == "user":
            quoted = text
        elif text in lines and text == quoted:
            return False
    return True
