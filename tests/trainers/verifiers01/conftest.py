"""The example's environment of verifiers 0.1, with the server of the test and models that have a script."""

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

Outputs = list[dict[str, Any]]


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """The base URL of a model server."""
    with served(chat_engine()) as url:
        yield f"{url}/v1"


@pytest.fixture
def example(labs_mock: LabsMock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """`labs01.py`."""
    monkeypatch.setenv("LABS_URL", labs_mock.url)
    monkeypatch.setenv("LABS_API_KEY", labs_mock.api_key)
    monkeypatch.syspath_prepend(ROOT / "examples/verifiers")
    yield importlib.import_module("labs01")
    sys.modules.pop("labs01", None)


@pytest.fixture
def play(engine: str) -> Callable[[Any], Outputs]:
    """What an environment makes of each of the scripts, all at once."""
    verifiers, openai = importlib.import_module("verifiers"), importlib.import_module("openai")

    def outputs(environment: Any) -> Outputs:
        async def play_all() -> list[Any]:
            async with openai.AsyncOpenAI(base_url=engine, api_key="none") as connection:
                client = verifiers.OpenAIChatCompletionsClient(connection)
                row = {**environment.get_dataset()[0], "example_id": 0}
                rollouts = (environment.run_rollout(row, client, str(number), {}) for number in range(len(SCRIPTS)))
                try:
                    return await asyncio.gather(*rollouts)
                finally:
                    await environment.http.aclose()

        return asyncio.run(play_all())

    return outputs
