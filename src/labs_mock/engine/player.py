"""The fold: from the operator's turns to what is true, what the persona replied, and how it ended."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from labs_mock.contract.requests import Message, RewardConfig, ToolCall
from labs_mock.contract.responses import TerminalReason
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.engine.assessment import Assessment
from labs_mock.engine.caches import MAX_STATES, StateCache, TextCache
from labs_mock.engine.evidence import Evidence
from labs_mock.engine.observation import make_observation
from labs_mock.engine.play import Play, SeenInTurn
from labs_mock.engine.reward import assess, assess_evidence
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.rules.inputs import contains
from labs_mock.scenario.rules.vocabulary import SILENT
from labs_mock.text import normalise

Turn = Sequence[Message]

_NO_ATOMS: frozenset[int] = frozenset()
_VISIBLE = frozenset(map(chr, range(0x21, 0x7F)))


class Player:
    """Plays a scenario's persona over operator turns, and scores what they led to.

    All methods are pure: apart from the scenario, a player has only caches. `operator_atoms` and `observation_atoms` have
    the atoms of messages, `normalised_texts` what they are compared by, `states` what follows from at most `max_states` states.
    """

    __slots__ = (
        "_opening",
        "no_opening_begins_with",
        "normalised_texts",
        "observation_atoms",
        "operator_atoms",
        "scenario",
        "states",
    )

    def __init__(self, scenario: Scenario, max_states: int = MAX_STATES) -> None:
        self.scenario = scenario
        self.operator_atoms = TextCache(scenario.operator_patterns.atoms)
        observations = scenario.observation_patterns
        self.observation_atoms = TextCache(observations.atoms if observations is not None else _no_atoms)
        self.normalised_texts = TextCache(normalise)
        self.states = StateCache(max_states)
        self._opening = Play(scenario.first_observation)
        for atom in self.observation_atoms[scenario.first_observation]:
            self._opening.masks[atom] = 1
        self.no_opening_begins_with = _characters_before_no_opening(scenario.opening)

    def normalised(self, content: str) -> str:
        """A content as it is compared with others (EP-7, EP-8)."""
        return self.normalised_texts[content]

    def all_normalised(self, contents: Iterable[str]) -> list[str]:
        """Contents as they are compared with others; without a loop of ours, since a turn compares its whole transcript."""
        return list(map(self.normalised_texts.__getitem__, contents))

    def is_opening(self, content: str) -> bool:
        """Whether a content is the persona's opening; most are not, which their first character shows."""
        return content[:1] not in self.no_opening_begins_with and self.normalised(content) == self.scenario.opening

    def start(self) -> Play:
        """The state before the first turn: the operator has had the first observation alone."""
        return self._opening

    def fold(self, play: Play, turns: Iterable[Turn]) -> Play:
        """The state after some more turns; those after the one that ends the scenario are left out.

        States are not changed, so a caller that does not keep the result has undone the turns.
        """
        cached = self.states.get(play)
        for turn in turns:
            if play.terminal is not None:
                break
            if len(turn) == 1 and len(turn[0]) == 2:  # without calls, as most
                content = turn[0]["content"]
                seen: SeenInTurn | None = (self.operator_atoms[content], content == NO_RESPONSE)
            else:
                seen = self._seen_in_turn(turn)
            if seen is None:
                play, cached = self._take_turn(play, turn), None
                continue
            if cached is None:
                cached = self.states.add(play)
            after = cached.after.get(seen)
            if after is None:
                after = cached.after[seen] = self.states.add(self._take_turn(play, turn))
            play, cached = after.play, after
        return play

    def assess(self, play: Play, config: RewardConfig | None = None) -> Assessment:
        """Score the conversation so far, as `reward.assess` does; a cached state is scored once without a config."""
        cached = self.states.get(play)
        if cached is None:
            return assess(self.scenario, play, config)
        if cached.evidence is None:
            cached.evidence = Evidence.collect(self.scenario, play)
        if config is not None:
            return assess_evidence(cached.evidence, config)
        if cached.assessment is None:
            cached.assessment = assess_evidence(cached.evidence, None)
        return cached.assessment

    def grow_turn(self, play: Play, messages: Iterable[Message]) -> Iterator[Play]:
        """The state after a turn of the first message, of the first two, and so on (EP-8)."""
        draft = _begin_turn(play)
        for message in messages:
            self._add_message(draft, message)
            after = draft.copy()
            self._finish_turn(after)
            yield after

    def _seen_in_turn(self, turn: Turn) -> SeenInTurn | None:
        """All that a turn without calls can change; None for a turn with calls."""
        atoms, silent = _NO_ATOMS, True
        for message in turn:
            if message.get("tool_calls"):
                return None
            found = self.operator_atoms[message["content"]]
            atoms = atoms | found if atoms else found
            silent = silent and message["content"] == NO_RESPONSE
        return atoms, silent

    def _take_turn(self, play: Play, turn: Turn) -> Play:
        after = _begin_turn(play)
        for message in turn:
            self._add_message(after, message)
        self._finish_turn(after)
        return after

    def _add_message(self, play: Play, message: Message) -> None:
        """Add what a message makes true in the present turn."""
        play.seen |= self.operator_atoms[message["content"]]
        play.silent = play.silent and message["content"] == NO_RESPONSE
        for call in message.get("tool_calls") or ():
            play.valid = self._apply_call(play, call) and play.valid

    def _finish_turn(self, play: Play) -> None:
        """Add the persona's observation, and how the turn ends the episode if it does."""
        if not play.valid:
            play.invalid |= 1 << play.turn
        if play.silent:
            play.seen.add(SILENT)
        _mark_seen(play, play.seen)
        play.observation = make_observation(self.scenario, play)
        if self.scenario.observation_patterns is not None:
            atoms = self.observation_atoms[play.observation]
            play.seen |= atoms
            _mark_seen(play, atoms)
        play.terminal = self._terminal_reason(play)

    def _apply_call(self, play: Play, call: ToolCall) -> bool:
        """Add what a tool call makes true; whether it is valid (EP-12)."""
        tool, vocabulary = self.scenario.tools.get(call.name), self.scenario.vocabulary
        if tool is None:
            return False
        if not tool.accepts(call.type, call.input):
            play.inputs[tool.id] = None
            return False
        play.inputs[tool.id] = call.input
        play.called[tool.id] = play.called.get(tool.id, 0) | 1 << play.turn
        for pattern, atom in vocabulary.calls.get(tool.id, ()):
            if pattern is None or contains(call.input, pattern):
                play.seen.add(atom)
        if tool.options is not None:
            decision = vocabulary.decisions.get((tool.id, call.input["value"]))
            if decision is not None:
                play.seen.add(decision)
        return True

    def _terminal_reason(self, play: Play) -> TerminalReason | None:
        """EP-11: error before completed before max_turns_reached."""
        scenario, criteria = self.scenario, self.scenario.criteria
        if not play.valid and scenario.file.invalid_tool_call == "error":
            return "error"
        matching = criteria.endings.matching_at_last_turn(play.masks, play.full, play.seen)
        if matching and not matching.isdisjoint(criteria.critical):
            return "error"
        if play.closed or criteria.completed in matching:
            return "completed"
        return "max_turns_reached" if play.turn >= scenario.file.max_turns else None


def _characters_before_no_opening(opening: str) -> frozenset[str]:
    """Visible ASCII characters with which no text begins that normalises to an opening.

    Normalising changes such a first character into its lower case, or with the marks behind it into one beyond ASCII.
    """
    first = opening[:1]
    return _VISIBLE - {first, first.upper()} if first.isascii() else frozenset()


def _begin_turn(play: Play) -> Play:
    """A copy of a state at the start of its next turn."""
    after = play.copy()
    after.turn += 1
    after.full |= 1 << after.turn
    after.seen = set()
    after.silent = after.valid = True
    return after


def _mark_seen(play: Play, atoms: AbstractSet[int]) -> None:
    masks, bit = play.masks, 1 << play.turn
    for atom in atoms:
        masks[atom] = masks.get(atom, 0) | bit


def _no_atoms(_: str) -> frozenset[int]:
    return _NO_ATOMS
