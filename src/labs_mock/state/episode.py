"""An episode as it is stored: plain data, from which the engine's state is folded again (EP-1…15)."""

from typing import NamedTuple

from labs_mock.contract.responses import TerminalReason
from labs_mock.engine.transcript import TranscriptLine


class Episode(NamedTuple):
    """An episode after `turns` turns of the operator.

    `origin` is the token of the commit that began it: it tells it from another of the same id, which may come after a reset of
    parts. `version` is that of its scenario, which it keeps to its end. `transcript` begins with the opening and has the
    observation behind each turn. `ended` is the terminal reason, None while it goes on, and `touched` when its last turn was
    taken, or else when it began, in unix seconds.
    """

    id: str
    origin: str
    organisation: str
    collection: str
    slug: str
    version: str
    score_turns: bool
    transcript: tuple[TranscriptLine, ...]
    turns: int
    ended: TerminalReason | None
    touched: float


class AppendedTurn(NamedTuple):
    """One turn more for an episode that has `expected_turns` of them and goes on.

    `lines` are the operator's messages and the observation behind them, `ended` and `touched` as the episode then has them.
    """

    episode: str
    expected_turns: int
    lines: tuple[TranscriptLine, ...]
    ended: TerminalReason | None
    touched: float


def characters(lines: tuple[TranscriptLine, ...]) -> int:
    """How much room lines take in the store: the characters of their contents, and the bytes of their calls."""
    return sum([len(line.content) + len(line.calls) for line in lines])
