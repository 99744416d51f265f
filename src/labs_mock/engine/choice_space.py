"""The choices of simulated operators, numbered: which operator, which temperature, and which of the alternative texts."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

from labs_mock.engine.rollout import Choose
from labs_mock.ids import permuted
from labs_mock.scenario.compiled.choices import alternatives
from labs_mock.scenario.files.operator_schema import Operator


@dataclass(frozen=True, slots=True)
class Choices:
    """One combination of choices: `digits` has for every part with texts which of them is taken."""

    operator: str
    temperature: float
    digits: tuple[int, ...]

    def choose(self) -> Choose:
        """Takes the texts of one part after the other."""
        digits = iter(self.digits)
        return lambda texts: texts[next(digits)]


class ChoiceSpace:
    """All combinations of choices, `size` of them, in an order that a key shuffles."""

    def __init__(self, operators: dict[str, Operator], temperatures: Sequence[float], key: bytes) -> None:
        self._names = list(operators)
        self._radices = [[len(texts) for texts in alternatives(operator)] for operator in operators.values()]
        self._temperatures = list(dict.fromkeys(temperatures))
        self._ends = list(accumulate(prod(radices) * len(self._temperatures) for radices in self._radices))
        self._key = key
        self.size = self._ends[-1]

    def at(self, number: int) -> Choices:
        """The combination at a place of the shuffled order; each number in range(size) has one of its own."""
        rest = permuted(self._key, number, self.size)
        index = bisect_right(self._ends, rest)
        rest -= self._ends[index - 1] if index else 0
        rest, temperature = divmod(rest, len(self._temperatures))
        digits = []
        for radix in self._radices[index]:
            rest, digit = divmod(rest, radix)
            digits.append(digit)
        return Choices(self._names[index], self._temperatures[temperature], tuple(digits))
