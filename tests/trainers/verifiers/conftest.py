"""The example's environment of verifiers, with the server of the test and a model that has a script."""

import asyncio
import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.pages import ROOT
from tests.trainers.chat_engine import chat_engine
from tests.trainers.rollouts import SCRIPTS
from tests.trainers.serving import served


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """The base URL of a model server."""
    with served(chat_engine()) as url:
        yield f"{url}/v1"


@pytest.fixture
def example(labs_mock: LabsMock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """`labs.py`, where verifiers finds it by its name."""
    monkeypatch.setenv("LABS_URL", labs_mock.url)
    monkeypatch.setenv("LABS_API_KEY", labs_mock.api_key)
    monkeypatch.syspath_prepend(ROOT / "examples/verifiers")
    yield importlib.import_module("labs")
    sys.modules.pop("labs", None)


@pytest.fixture
def play(engine: str, example: ModuleType) -> Callable[[], list[Any]]:
    """The traces of an episode a script, all at once."""

    def traces() -> list[Any]:
        async def play_all() -> list[Any]:
            return await asyncio.gather(*(example.play(engine, str(number)) for number in range(len(SCRIPTS))))

        return [trace for episode in asyncio.run(play_all()) for trace in episode.traces]

    return traces
