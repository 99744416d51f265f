"""The function that is drilled: where it stands, and how it is called."""

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from labs_mock.errors import LabsMockError
from labs_mock.text import did_you_mean

FunctionKind = Literal["rewards", "play"]

SHAPES = "function(conversations), function(conversations, url, key), play() or play(url, key)"
HERE = "put it at the top level of a module: each case imports it in a process of its own"


@dataclass(frozen=True, slots=True)
class DrilledFunction:
    """A function by its module and its name there.

    It returns the rewards of the conversations that are its one argument, or without one plays episodes. `named` are those
    of `url` and `key` that it takes.
    """

    module: str
    name: str
    kind: FunctionKind
    named: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"

    @classmethod
    def find(cls, function: Callable[..., Any] | str) -> "DrilledFunction":
        """That of a function, or of a text `module:function`. Raises `LabsMockError` that says what to give instead."""
        if isinstance(function, str):
            return _described(_imported(function), *function.split(":"))
        module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
        if module is None or name is None:
            raise LabsMockError(f"{repr(function)[:80]} is not a function; {HERE}")
        if module == "__main__" or _attribute(sys.modules.get(module), name) != function:
            raise LabsMockError(f"no other process can import {name} of {module}; {HERE}")
        return _described(function, module, name)


def _imported(text: str) -> Any:
    module_name, colon, name = text.partition(":")
    if not (module_name and colon and name) or ":" in name:
        raise LabsMockError(f"{text}: expected module:function, such as my_rewards:score")
    try:
        module = import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever a module raises
        why = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
        raise LabsMockError(f"{text}: cannot import {module_name}: {why}") from None
    found = _attribute(module, name)
    if found is None:
        functions = [one for one, value in vars(module).items() if callable(value) and not one.startswith("_")]
        raise LabsMockError(f"{text}: {module_name} has no {name}; {did_you_mean(name, functions)}")
    if not callable(found):
        raise LabsMockError(f"{text}: a {type(found).__name__} is not a function; expected {SHAPES}")
    return found


def _attribute(module: Any, name: str) -> Any:
    """What has a name, dotted perhaps, in a module; None if there is nothing."""
    for part in name.split("."):
        module = getattr(module, part, None)
    return module


def _described(function: Callable[..., Any], module: str, name: str) -> DrilledFunction:
    """How a function is called, by its signature."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise LabsMockError(f"{module}:{name} has no signature; expected {SHAPES}") from None
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = tuple(one.name for one in parameters if one.name in ("url", "key") and one.kind in by_name)
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [
        one for one in parameters if one.default is one.empty and one.name not in named and one.kind not in several
    ]
    if len(needed) > 1 or any(one.kind is inspect.Parameter.KEYWORD_ONLY for one in needed):
        text = inspect.signature(function)
        raise LabsMockError(f"{module}:{name}{text}: expected {SHAPES}; LABS_URL and LABS_API_KEY are set, too")
    return DrilledFunction(module, name, "rewards" if needed else "play", named)
