"""From a stored transcript back to what the engine knows of an episode (EP-13)."""

from collections.abc import Iterable
from typing import NamedTuple

from labs_mock.engine.conversation_hash import conversation_hash
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player
from labs_mock.engine.transcript import TranscriptLine, turns_of


class Replay(NamedTuple):
    """The state after a transcript, and the 64-bit hash of its turns."""

    play: Play
    conversation: int


def replay(player: Player, transcript: Iterable[TranscriptLine]) -> Replay:
    """Fold the operator's turns of a transcript of the player's scenario, as they were folded when they were taken (DET-3)."""
    turns = list(turns_of(transcript))
    return Replay(player.fold(player.start(), turns), conversation_hash(turns))
