"""Generated rows: simulated operators play the real persona and are scored by the real scorers."""

from itertools import islice
from typing import NamedTuple

from orjson import Fragment

from labs_mock.contract.rows import line_of_parts, part
from labs_mock.engine.assessment import PLACES
from labs_mock.engine.choice_space import Choices, ChoiceSpace
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player
from labs_mock.engine.rollout_tree import RolloutTree, RowScores, TreeNode
from labs_mock.scenario.compiled.datasets import ATTEMPTS, Dataset
from labs_mock.scenario.compiled.scenario import Scenario

MAX_STATES = 1  # cached by a dataset's own player: its rollout tree has them
SEARCHED = 2_000  # combinations of choices among which a first row with `thinking` is looked for
EFFORT = 20  # of a rollout whose complexity is a half


class RowLine(NamedTuple):
    """A row as it is exported, and whether it passed the keep-filter."""

    text: bytes
    kept: bool


class Attempt(NamedTuple):
    """A rollout that may become a row: its messages as parts of one, and where it ends."""

    number: int
    choices: Choices
    messages: list[Fragment]
    end: TreeNode
    scores: RowScores


class GeneratedRows:
    """The rows of a generated dataset. Each can be made alone, and is always the same.

    Row i is the first of its attempts that passes the keep-filter, or else the one that comes closest. Attempt k is the
    combination of choices with the number i + k·count, so no two rows make the same choices.
    """

    def __init__(self, dataset: Dataset, scenario: Scenario, seed: int) -> None:
        assert dataset.scenario == scenario.full_name
        assert dataset.generate is not None
        self._scenario, self._generate = scenario, dataset.generate
        self._player = Player(scenario, MAX_STATES)
        known = self._scenario.file.operators
        self._operators = {name: known[name] for name in dict.fromkeys(self._generate.operators)}
        self._space = ChoiceSpace(self._operators, self._generate.temperatures, f"{seed} {dataset.id}".encode())
        scenario_id = part(f"{scenario.collection}/{scenario.slug}")
        self._names = {
            name: {"scenario_id": scenario_id, "agent_template_id": part(operator.agent_template_id)}
            for name, operator in self._operators.items()
        }
        self._first = 0
        self._tree = RolloutTree(self._player, self._operators, thinking=True)
        first = self._first_with_thinking()
        if first is None:
            self._tree = RolloutTree(self._player, self._operators, thinking=False)
        self._first = first or 0

    def __len__(self) -> int:
        return self._generate.count

    def line(self, index: int) -> RowLine:
        """The row at an index from 0."""
        best = self._best(index)
        row = {
            **self._names[best.choices.operator],
            "messages": best.messages,
            "metadata": {
                "temperature": best.choices.temperature,
                "rollout_index": best.number,
                "turn_count": best.end.play.turn,
                "quality_score": best.scores.quality,
                "complexity_score": best.scores.complexity,
                "ifd_score": None,
            },
        }
        return RowLine(line_of_parts(row), not best.scores.missing)

    def _best(self, index: int) -> Attempt:
        best: Attempt | None = None
        for number in range(index, index + ATTEMPTS * len(self), len(self)):
            attempt = self._attempt(number)
            if best is None or attempt.scores.missing < best.scores.missing:
                best = attempt
            if not best.scores.missing:
                break
        assert best is not None
        return best

    def _attempt(self, number: int) -> Attempt:
        choices = self._space.at((self._first + number) % self._space.size)
        messages, end = self._tree.roll_out(choices)
        if end.scores is None:
            end.scores = self._scores(end)
        return Attempt(number, choices, messages, end, end.scores)

    def _scores(self, end: TreeNode) -> RowScores:
        quality = self._player.assess(end.play).reward
        complexity = complexity_score(self._scenario, end.play, end.calls)
        keep = self._generate.keep
        bounds = ((keep.quality_score, quality), (keep.complexity_score, complexity))
        missing = sum(max(0.0, bound.at_least - value) for bound, value in bounds if bound is not None)
        return RowScores(quality, complexity, missing)

    def _first_with_thinking(self) -> int | None:
        """The number with which counting begins, so that row 0, made like any other, has `thinking` if operators have any.

        If none can be found, no row has it (ROW-3).
        """
        thinks = {name for name, operator in self._operators.items() if any(turn.thinking for turn in operator.says)}
        numbers = range(min(SEARCHED, self._space.size)) if thinks else ()
        likely = (number for number in numbers if self._space.at(number).operator in thinks)
        found = [attempt for attempt in map(self._attempt, islice(likely, ATTEMPTS)) if self._has_thinking(attempt)]
        for attempt in sorted(found, key=lambda attempt: attempt.scores.missing):
            self._first = attempt.number
            if self._has_thinking(self._best(0)):
                return attempt.number
        return None

    def _has_thinking(self, attempt: Attempt) -> bool:
        """Whether a turn that was taken has any."""
        script = self._operators[attempt.choices.operator].says
        return any(entry.thinking for entry in script[: attempt.end.play.turn])


def complexity_score(scenario: Scenario, play: Play, calls: int) -> float:
    """How much happened, in [0, 1): e / (e + 20), where a turn adds 1 to e, a revealed item 2 and a tool call 3."""
    revealed = sum(item.atom in play.masks for item in scenario.persona.items)
    effort = play.turn + 2 * revealed + 3 * calls
    return round(effort / (effort + EFFORT), PLACES)
