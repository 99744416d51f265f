"""The checks, one file a section of the contract, and how one is declared."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, TypeVar

from hypothesis.strategies import SearchStrategy

from labs_mock.conformance.target import Target

T = TypeVar("T")


class Draw(Protocol):
    """Draws a value from a Hypothesis strategy."""

    def __call__(self, strategy: SearchStrategy[T], /) -> T:
        """A value."""


@dataclass(frozen=True)
class Check:
    """A function that checks `clauses`; it runs once, or as often as the profile says if it `draws`."""

    name: str
    clauses: Sequence[str]
    function: Callable[..., None]
    draws: bool

    def __call__(self, target: Target, draw: Draw | None) -> None:
        """Run it for one example; `draw` is None if it does not draw."""
        if self.draws:
            self.function(target, draw)
        else:
            self.function(target)


def check(*clauses: str) -> Callable[[Callable[..., None]], Check]:
    """Declare a check of some clauses: `def name(target)`, or `def name(target, draw)` if it draws values."""

    def declare(function: Callable[..., None]) -> Check:
        draws = len(inspect.signature(function).parameters) > 1
        section = function.__module__.rpartition(".")[2]
        return Check(f"{section}.{function.__name__}", clauses, function, draws)

    return declare


def checks_of(*modules: ModuleType) -> list[Check]:
    """The checks of some modules in their order, those that run once before the others."""
    every: list[Any] = [value for module in modules for value in vars(module).values()]
    return sorted((one for one in every if isinstance(one, Check)), key=lambda one: one.draws)
