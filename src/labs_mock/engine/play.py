"""What is known after some turns; everything that persona and scores need, and no text of the past."""

from dataclasses import dataclass, field
from typing import Any

from labs_mock.contract.responses import TerminalReason
from labs_mock.scenario.rules.algebra import Turns

SeenInTurn = tuple[frozenset[int], bool]
"""The atoms of a turn's messages, and whether it is silent."""


@dataclass(slots=True)
class Play:
    """The state of a conversation after `turn` turns: a value, folded from the operator's turns, that is never stored.

    `masks` maps atoms to the turns in which they were seen, and `full` has a bit for each turn. `inputs` maps each tool that
    was called to the input of its last call, None if that was invalid, and `called` each tool to the turns of its valid calls;
    `invalid` are the turns with an invalid one. `rapport` counts the turns that the rapport rule matched, `fallbacks` the
    fallbacks used; `session` and `session_turns` are the place in a journey, and `closed` is true once its last session has
    ended. `context` is what only the persona knows of time (TOK-3): it is never sent.

    Of the last turn: `seen` has its atoms, `silent` is true if all its content was the token, `valid` if all its calls were
    valid. Only the `Player` changes a state, and only until it has returned it.
    """

    observation: str
    masks: dict[int, Turns] = field(default_factory=dict)
    inputs: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    called: dict[str, Turns] = field(default_factory=dict)
    turn: int = 0
    full: Turns = 0
    rapport: int = 0
    fallbacks: int = 0
    session: int = 0
    session_turns: int = 0
    closed: bool = False
    context: tuple[str, ...] = ()
    seen: set[int] = field(default_factory=set)
    silent: bool = False
    valid: bool = True
    invalid: Turns = 0
    terminal: TerminalReason | None = None

    def copy(self) -> "Play":
        """The same state, ready to be changed."""
        return Play(
            self.observation,
            self.masks.copy(),
            self.inputs.copy(),
            self.called.copy(),
            self.turn,
            self.full,
            self.rapport,
            self.fallbacks,
            self.session,
            self.session_turns,
            self.closed,
            self.context,
            self.seen.copy(),
            self.silent,
            self.valid,
            self.invalid,
            self.terminal,
        )
