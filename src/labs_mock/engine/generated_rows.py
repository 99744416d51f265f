"""Generated rows: simulated operators play the real persona and are scored by the real scorers."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from labs_mock.contract import rows
from labs_mock.engine.assessment import PLACES
from labs_mock.engine.choice_space import Choices, ChoiceSpace
from labs_mock.engine.player import Player
from labs_mock.engine.rollout import Rollout, roll_out
from labs_mock.scenario.compiled.datasets import ATTEMPTS, Dataset
from labs_mock.scenario.compiled.scenario import Scenario

MAX_STATES = 1_000  # cached by a dataset's own player; the rollouts of one scenario share most of theirs
SEARCHED = 2_000  # combinations of choices among which a first row with `thinking` is looked for
EFFORT = 20  # of a rollout whose complexity is a half


class RowLine(NamedTuple):
    """A row as it is exported, and whether it passed the keep-filter."""

    text: bytes
    kept: bool


class Attempt(NamedTuple):
    """A rollout that may become a row; `missing` is how far it is below the bounds of the keep-filter."""

    number: int
    choices: Choices
    rollout: Rollout
    quality: float
    complexity: float
    missing: float


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
        self._first, self._thinking = self._beginning()

    def __len__(self) -> int:
        return self._generate.count

    def line(self, index: int) -> RowLine:
        """The row at an index from 0."""
        best = self._best(index)
        return RowLine(rows.line(self._row(best)), not best.missing)

    def _best(self, index: int) -> Attempt:
        best: Attempt | None = None
        for number in range(index, index + ATTEMPTS * len(self), len(self)):
            attempt = self._attempt(number)
            if best is None or attempt.missing < best.missing:
                best = attempt
            if not best.missing:
                break
        assert best is not None
        return best

    def _attempt(self, number: int) -> Attempt:
        choices = self._space.at((self._first + number) % self._space.size)
        rollout = roll_out(self._player, choices.operator, choices.choose())
        quality = self._player.assess(rollout.play).reward
        complexity = complexity_score(self._scenario, rollout)
        keep = self._generate.keep
        bounds = ((keep.quality_score, quality), (keep.complexity_score, complexity))
        missing = sum(max(0.0, bound.at_least - value) for bound, value in bounds if bound is not None)
        return Attempt(number, choices, rollout, quality, complexity, missing)

    def _beginning(self) -> tuple[int, bool]:
        """The number with which counting begins, and whether rows have `thinking`.

        If operators have any, counting begins where row 0, made like any other, has it too; if that cannot be found, no row has
        it (ROW-3).
        """
        self._first = 0
        thinks = {name for name, operator in self._operators.items() if any(turn.thinking for turn in operator.says)}
        numbers = range(min(SEARCHED, self._space.size)) if thinks else ()
        likely = (number for number in numbers if self._space.at(number).operator in thinks)
        found = [attempt for attempt in map(self._attempt, islice(likely, ATTEMPTS)) if any(self._thoughts(attempt))]
        for attempt in sorted(found, key=lambda attempt: attempt.missing):
            self._first = attempt.number
            if any(self._thoughts(self._best(0))):
                return attempt.number, True
        return 0, False

    def _thoughts(self, attempt: Attempt) -> Iterator[str | None]:
        """The `thinking` of each turn that was taken."""
        script = self._operators[attempt.choices.operator].says
        return (entry.thinking for entry, _ in zip(script, attempt.rollout.turns, strict=False))

    def _row(self, attempt: Attempt) -> dict[str, Any]:
        rollout = attempt.rollout
        messages: list[dict[str, str]] = []
        # The observation after the last turn is left out: a row ends with the operator.
        before = [self._scenario.first_observation, *rollout.observations[:-1]]
        for observation, (message,), thought in zip(before, rollout.turns, self._thoughts(attempt), strict=True):
            turn = {"role": "assistant", "content": message.content}
            if thought is not None and self._thinking:
                turn["thinking"] = thought
            messages += ({"role": "user", "content": observation}, turn)
        return {
            "scenario_id": f"{self._scenario.collection}/{self._scenario.slug}",
            "agent_template_id": self._operators[attempt.choices.operator].agent_template_id,
            "messages": messages,
            "metadata": {
                "temperature": attempt.choices.temperature,
                "rollout_index": attempt.number,
                "turn_count": len(rollout.turns),
                "quality_score": attempt.quality,
                "complexity_score": attempt.complexity,
                "ifd_score": None,
            },
        }


def complexity_score(scenario: Scenario, rollout: Rollout) -> float:
    """How much happened, in [0, 1): e / (e + 20), where a turn adds 1 to e, a revealed item 2 and a tool call 3."""
    calls = sum(len(message.tool_calls or ()) for turn in rollout.turns for message in turn)
    revealed = sum(item.atom in rollout.play.masks for item in scenario.persona.items)
    effort = len(rollout.turns) + 2 * revealed + 3 * calls
    return round(effort / (effort + EFFORT), PLACES)
