"""OpenRLHF's executors with our example, and an engine with a script in the place of vLLM, which needs a GPU."""

import asyncio
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.pages import ROOT
from tests.trainers import rollouts
from tests.trainers.rollouts import OPENING, close_clients, tokenizer_of_bytes

FOLDER = ROOT / "examples/openrlhf"
END = "<|im_end|>"
SYSTEM = f"<|im_start|>system\nYou handle claims.{END}\n"
PROMPT = f"{SYSTEM}<|im_start|>user\n{OPENING['content']}{END}\n<|im_start|>assistant\n"
MAX_LENGTH = 4000

Response = dict[str, Any]
Run = Callable[..., list[Response]]


class Engine:
    """Says the lines of a script, one a call."""

    def __init__(self, lines: Iterable[str], tokenizer: Any) -> None:
        self.lines = iter(lines)
        self.tokenizer = tokenizer

    async def generate(self, tokens: list[int], params: Any, multi_modal_data: Any = None) -> Any:  # noqa: ARG002
        text = next(self.lines) + END
        token_ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        output = SimpleNamespace(text=text, token_ids=token_ids, finish_reason="stop", logprobs=None)
        return SimpleNamespace(outputs=[output])


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """One that keeps the marks of the chat template, as those of real models do."""
    return tokenizer_of_bytes(END, "<|im_start|>")


@pytest.fixture
def example(labs_mock: LabsMock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """`labs.py`, for the server of the test and three turns an episode."""
    monkeypatch.setenv("LABS_URL", labs_mock.url)
    monkeypatch.setenv("LABS_API_KEY", labs_mock.api_key)
    monkeypatch.setenv("LABS_MAX_TURNS", "3")
    spec = importlib.util.spec_from_file_location("labs", FOLDER / "labs.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "labs", module)
    spec.loader.exec_module(module)
    yield module
    close_clients()


@pytest.fixture
def run(tokenizer: Any) -> Run:
    """What an executor makes of models with these scripts, all at once, as in OpenRLHF's workers."""

    def responses(
        executor: Any, prompt: str, label: Any, scripts: Sequence[Sequence[str]], max_length: int = MAX_LENGTH
    ) -> list[Response]:
        async def execute(script: Sequence[str]) -> Response:
            params, engine = SimpleNamespace(max_tokens=None, logprobs=None), Engine(script, tokenizer)
            return deepcopy(await executor.execute(prompt, label, params, max_length, tokenizer, engine))

        async def execute_all() -> list[Response]:
            return await asyncio.gather(*map(execute, scripts))

        return asyncio.run(execute_all())

    return responses


@pytest.fixture
def experiences(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Response]], list[Any]]:
    """Responses as OpenRLHF's own generator of samples hands them to training. vLLM, which that imports, is missing here."""
    engine = {"SamplingParams": SimpleNamespace, "TokensPrompt": dict, "random_uuid": str}
    for name in ("vllm", "vllm.inputs", "vllm.utils"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(**engine))
    samples_generator = importlib.import_module("openrlhf.trainer.ppo_utils.samples_generator")
    generator = samples_generator.SamplesGenerator.__new__(samples_generator.SamplesGenerator)
    return lambda responses: [generator._process_response_into_experience(one, max_len=MAX_LENGTH) for one in responses]


def conversation(response: Response, tokenizer: Any) -> list[dict[str, Any]]:
    """What the model said in the tokens that are trained on, a message a turn."""
    tokens = response["observation_tokens"]
    said = (tokenizer.decode(tokens[start:end]) for start, end in response["action_ranges"])
    return rollouts.conversation(*(text.removesuffix(END) for text in said))
