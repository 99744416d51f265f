"""What simulated operators choose from."""

from collections.abc import Iterator
from math import prod
from typing import Any

from labs_mock.scenario.files.operator_schema import Choice, Operator


def alternatives(operator: Operator) -> Iterator[list[str]]:
    """For every part that has texts, those that differ; in the order in which an operator chooses."""
    for turn in operator.says:
        for part in turn.parts:
            texts = part_texts(part)
            if texts:
                yield texts


def choice_space(operator: Operator) -> int:
    """In how many ways a simulated operator can word its turns."""
    return prod(map(len, alternatives(operator)))


def part_texts(part: Any) -> list[str]:
    """The texts that a part of a turn chooses from; none for a call or silence."""
    texts = part.say if isinstance(part, Choice) else part
    return [texts] if isinstance(texts, str) else list(dict.fromkeys(texts)) if isinstance(texts, list) else []
