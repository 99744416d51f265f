"""The fold: from the operator's turns to what is true, what the persona answered, and how it ended."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from labs_mock.contract.requests import Message, ToolCall
from labs_mock.contract.responses import TerminalReason
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.engine.caches import Memo
from labs_mock.engine.observation import make_observation
from labs_mock.engine.play import Play, Seen
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.rules.inputs import contains
from labs_mock.scenario.rules.vocabulary import SILENT
from labs_mock.text import normalise

Turn = Sequence[Message]


MAX_STATES = 5_000
_NOTHING: frozenset[int] = frozenset()
_VISIBLE = frozenset(map(chr, range(0x21, 0x7F)))


@dataclass(slots=True)
class Player:
    """Plays a scenario's persona over operator turns.

    All methods are pure but for their memory: what a message makes true is remembered by its content, and what a
    turn leads to by what is seen in it; `leading` has the states that remember such turns, at most `limit`. With a character of
    `no_openings` no opening begins. Conversations that
    differ in words alone share their states.
    """

    scenario: Scenario
    opening: Play
    said: Memo[frozenset[int]]
    heard: Memo[frozenset[int]]
    texts: Memo[str]
    no_openings: frozenset[str]
    limit: int = MAX_STATES
    leading: list[Play] = field(default_factory=list)

    @classmethod
    def of(cls, scenario: Scenario) -> "Player":
        """A player with an empty memory."""
        said, heard = (
            Memo(scenario.operator_patterns.atoms),
            Memo(scenario.observation_patterns.atoms if scenario.observation_patterns else _nothing),
        )
        opening = Play(scenario.first_observation)
        for atom in heard[scenario.first_observation]:
            opening.masks[atom] = 1
        return cls(scenario, opening, said, heard, Memo(normalise), _no_openings(scenario.opening))

    def text(self, content: str) -> str:
        """A content as it is compared: normalised."""
        return self.texts[content]

    def is_opening(self, content: str) -> bool:
        """Whether a content is the persona's opening; most are not, which their first character shows."""
        return content[:1] not in self.no_openings and self.text(content) == self.scenario.opening

    def start(self) -> Play:
        """The state before the first turn: only the first observation has been heard."""
        return self.opening

    def fold(self, play: Play, turns: Iterable[Turn]) -> Play:
        """The state after some more turns; those after the one that ends the scenario are left out.

        States are not changed, so a caller that does not keep the answer has undone the turns.
        """
        for turn in turns:
            if play.terminal is not None:
                break
            seen = self._seen(turn)
            after = None if seen is None else play.after.get(seen)
            if after is None:
                after = self._take(play, turn)
                if seen is not None:
                    self._remember(play, seen, after)
            play = after
        return play

    def _seen(self, turn: Turn) -> Seen | None:
        """All that a turn without calls can change; None for a turn with calls."""
        atoms, silent = _NOTHING, True
        for message in turn:
            if message.tool_calls:
                return None
            atoms = atoms | self.said[message.content] if atoms else self.said[message.content]
            silent = silent and message.content == NO_RESPONSE
        return atoms, silent

    def _remember(self, play: Play, seen: Seen, after: Play) -> None:
        """Remember where a turn leads; when too much is remembered all is forgotten, by states in use too."""
        if len(self.leading) >= self.limit:
            for state in self.leading:
                state.after.clear()
            self.leading.clear()
        self.leading.append(play)
        play.after[seen] = after

    def _take(self, play: Play, turn: Turn) -> Play:
        play = play.copy()
        _begin(play)
        for message in turn:
            self._see(play, message)
        self._finish(play)
        return play

    def growing(self, play: Play, messages: Iterable[Message]) -> Iterator[Play]:
        """The state after a turn of the first message, of the first two, and so on (EP-8)."""
        draft = play.copy()
        _begin(draft)
        for message in messages:
            self._see(draft, message)
            after = draft.copy()
            self._finish(after)
            yield after

    def _see(self, play: Play, message: Message) -> None:
        """Note what a message of the present turn makes true."""
        play.seen |= self.said[message.content]
        play.silent = play.silent and message.content == NO_RESPONSE
        if message.tool_calls:
            for call in message.tool_calls:
                play.valid = self._call(play, call) and play.valid

    def _finish(self, play: Play) -> None:
        """Let the persona answer the turn, and see whether it ends the episode."""
        if not play.valid:
            play.invalid |= 1 << play.turn
        if play.silent:
            play.seen.add(SILENT)
        _note(play, play.seen)
        play.observation = make_observation(self.scenario, play)
        if self.scenario.observation_patterns is not None:
            heard = self.heard[play.observation]
            play.seen |= heard
            _note(play, heard)
        play.terminal = self._ending(play)

    def _call(self, play: Play, call: ToolCall) -> bool:
        tool, words = self.scenario.tools.get(call.name), self.scenario.vocabulary
        if tool is None:
            return False
        if not tool.accepts(call.type, call.input):
            play.inputs[tool.id] = None
            return False
        play.inputs[tool.id] = call.input
        play.called[tool.id] = play.called.get(tool.id, 0) | 1 << play.turn
        for pattern, atom in words.calls.get(tool.id, ()):
            if pattern is None or contains(call.input, pattern):
                play.seen.add(atom)
        if tool.options is not None:
            decided = words.decisions.get((tool.id, call.input["value"]))
            if decided is not None:
                play.seen.add(decided)
        return True

    def _ending(self, play: Play) -> TerminalReason | None:
        """EP-11: error before completed before max_turns_reached."""
        scenario, criteria = self.scenario, self.scenario.criteria
        if not play.valid and scenario.file.invalid_tool_call == "error":
            return "error"
        yielding = criteria.endings.matching_at_last_turn(play.masks, play.full, play.seen)
        if yielding and not yielding.isdisjoint(criteria.critical):
            return "error"
        if play.closed or criteria.completed in yielding:
            return "completed"
        return "max_turns_reached" if play.turn >= scenario.file.max_turns else None


def _no_openings(opening: str) -> frozenset[str]:
    """Visible ASCII characters with which no text begins that normalises to an opening.

    Normalising changes such a first character into its lower case, or with the marks behind it into one beyond ASCII.
    """
    first = opening[:1]
    return _VISIBLE - {first, first.upper()} if first.isascii() else frozenset()


def _begin(play: Play) -> None:
    play.turn += 1
    play.full |= 1 << play.turn
    play.seen = set()
    play.silent = play.valid = True


def _note(play: Play, atoms: AbstractSet[int]) -> None:
    masks, bit = play.masks, 1 << play.turn
    for atom in atoms:
        masks[atom] = masks.get(atom, 0) | bit


def _nothing(_: str) -> frozenset[int]:
    return _NOTHING
