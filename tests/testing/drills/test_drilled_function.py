import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from labs_mock.errors import LabsMockError
from labs_mock.testing.drills.drilled_function import DrilledFunction

SHAPES = """
import functools

def rewards(conversations): ...
def rewards_with_url(conversations, url, key): ...
def rewards_by_name(prompts, /, *, key, url="", timeout=3, **others): ...
async def rewards_async(conversations, key): ...
def play(): ...
def play_with_url(url, key): ...
def play_with_key(key=None, *others): ...
class Client:
    @staticmethod
    def rewards(conversations): ...
partial = functools.partial(rewards_with_url, url="")

number = 3
def three(conversations, url, model): ...
def by_keyword(*, conversations): ...
"""
FOUND = {
    "rewards": ("rewards", ()),
    "rewards_with_url": ("rewards", ("url", "key")),
    "rewards_by_name": ("rewards", ("key", "url")),
    "rewards_async": ("rewards", ("key",)),
    "play": ("play", ()),
    "play_with_url": ("play", ("url", "key")),
    "play_with_key": ("play", ("key",)),
    "Client.rewards": ("rewards", ()),
    "partial": ("rewards", ("url", "key")),
}


@pytest.fixture
def shapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module with functions of every shape, and some that cannot be imported."""
    for name, text in {"shapes": SHAPES, "broken_module": "1 / 0\n", "exits": "raise SystemExit(3)\n"}.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("shapes")
@pytest.mark.parametrize(("name", "expected"), FOUND.items())
def test_the_signature_says_what_a_function_is(name: str, expected: tuple[str, tuple[str, ...]]) -> None:
    """Beside `url` and `key` one parameter without a default takes the conversations; without one it plays."""
    found = DrilledFunction.find(f"shapes:{name}")
    assert (found.kind, found.named) == expected
    assert str(found) == f"shapes:{name}"


REFUSED = {
    "shapes": "shapes: expected module:function, such as my_rewards:score",
    "shapes:": "expected module:function",
    ":rewards": "expected module:function",
    "a:b:c": "expected module:function",
    "shapes:rewrds": "shapes has no rewrds; did you mean 'rewards'?",
    "shapes:Client.play": "shapes has no Client.play; ",
    "shapes:number": "a int is not a function; expected function(conversations), function(conversations, url, key), play()",
    "shapes:three": "shapes:three(conversations, url, model): expected function(conversations)",
    "shapes:by_keyword": "shapes:by_keyword(*, conversations): expected function(conversations)",
    "nowhere:rewards": "cannot import nowhere: ModuleNotFoundError: No module named 'nowhere'",
    "broken_module:rewards": "cannot import broken_module: ZeroDivisionError: division by zero",
    "exits:rewards": "cannot import exits: SystemExit: 3",
}


@pytest.mark.usefixtures("shapes")
@pytest.mark.parametrize(("name", "expected"), REFUSED.items())
def test_what_is_no_such_function_is_refused_in_a_line(name: str, expected: str) -> None:
    """The line says what to write instead."""
    with pytest.raises(LabsMockError, match=re.escape(expected)) as raised:
        DrilledFunction.find(name)
    assert "\n" not in str(raised.value)


def here(conversations: list[Any]) -> list[float]:
    """A function at the top level of a module."""
    return [len(conversations)]


def test_a_function_is_found_by_where_it_stands() -> None:
    """Its module and its name there."""
    assert DrilledFunction.find(here) == DrilledFunction(__name__, "here", "rewards", ())


def test_a_function_that_no_other_process_can_import_is_refused() -> None:
    """One within another, a lambda, one that another has replaced, and what has no name."""

    def within(conversations: list[Any]) -> list[float]:
        return [len(conversations)]

    def replaced(conversations: list[Any]) -> list[float]:
        return [len(conversations)]

    replaced.__qualname__ = "here"
    unimportable: list[Callable[..., Any]] = [within, lambda conversations: conversations, replaced, partial(here)]
    for function in unimportable:
        with pytest.raises(LabsMockError, match="put it at the top level of a module"):
            DrilledFunction.find(function)
