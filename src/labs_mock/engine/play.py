"""The fold: from the operator's turns to what is true, what the persona answered, and how it ended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from labs_mock.contract.models import Message, TerminalReason, ToolCall
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.engine import persona
from labs_mock.engine.scan import Scanner
from labs_mock.engine.state import Play
from labs_mock.scenario.scenario import Scenario
from labs_mock.scenario.tools import contains
from labs_mock.scenario.vocabulary import SILENT

Turn = Sequence[Message]


@dataclass(frozen=True, slots=True)
class Player:
    """Plays a scenario's persona over operator turns. All methods are pure but for the scanners' memory."""

    scenario: Scenario
    said: Scanner
    heard: Scanner

    @classmethod
    def of(cls, scenario: Scenario) -> "Player":
        """A player with an empty memory."""
        return cls(scenario, Scanner(scenario.said), Scanner(scenario.heard))

    def text(self, content: str) -> str:
        """A content as it is compared: normalised."""
        return self.said.read(content).text

    def start(self) -> Play:
        """The state before the first turn: only the first observation has been heard."""
        play = Play(observation=self.scenario.first_observation)
        self._hear(play, 1)
        return play

    def fold(self, play: Play, turns: Iterable[Turn]) -> Play:
        """The state after some more turns; those after the one that ends the scenario are left out.

        `play` itself is not changed, so a caller that does not keep the answer has undone the turns.
        """
        play = replace(play, masks=dict(play.masks), inputs=dict(play.inputs))
        for turn in turns:
            if play.terminal is not None:
                break
            self._take(play, turn)
        return play

    def _take(self, play: Play, turn: Turn) -> None:
        play.turn += 1
        bit = 1 << play.turn
        valid = self._see(play, turn, bit)
        play.observation = persona.answer(self.scenario, play)
        self._hear(play, bit)
        play.terminal = self._ending(play, valid)

    def _see(self, play: Play, turn: Turn, bit: int) -> bool:
        """Note which atoms this turn's messages make true; whether all its tool calls were valid."""
        masks, silent, valid = play.masks, True, True
        for message in turn:
            for atom in self.said.read(message.content).atoms:
                masks[atom] = masks.get(atom, 0) | bit
            silent = silent and message.content == NO_RESPONSE
            for call in message.tool_calls or ():
                valid = self._call(play, call, bit) and valid
        if silent:
            masks[SILENT] = masks.get(SILENT, 0) | bit
        return valid

    def _call(self, play: Play, call: ToolCall, bit: int) -> bool:
        tool, words, masks = self.scenario.tools.get(call.name), self.scenario.vocabulary, play.masks
        if tool is None:
            return False
        if not tool.accepts(call.type, call.input):
            play.inputs[tool.id] = None
            return False
        play.inputs[tool.id] = call.input
        play.called = (*play.called, (play.turn, tool.id))
        for pattern, atom in words.calls.get(tool.id, ()):
            if pattern is None or contains(call.input, pattern):
                masks[atom] = masks.get(atom, 0) | bit
        if tool.options is not None:
            decided = words.decisions.get((tool.id, call.input["value"]))
            if decided is not None:
                masks[decided] = masks.get(decided, 0) | bit
        return True

    def _hear(self, play: Play, bit: int) -> None:
        if self.scenario.heard is not None:
            for atom in self.heard.read(play.observation).atoms:
                play.masks[atom] = play.masks.get(atom, 0) | bit

    def _ending(self, play: Play, valid: bool) -> TerminalReason | None:
        """EP-11: error before completed before max_turns_reached."""
        scenario, masks, full = self.scenario, play.masks, play.full
        if not valid and scenario.file.invalid_tool_call == "error":
            return "error"
        if any(rule.holds(masks, full) >> play.turn for rule in scenario.critical):
            return "error"
        if play.closed or (scenario.completed is not None and scenario.completed.yields(masks, full) >> play.turn):
            return "completed"
        return "max_turns_reached" if play.turn >= scenario.max_turns else None
