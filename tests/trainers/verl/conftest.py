"""The reward managers of verl with our example, on batches as its rollouts leave them."""

import importlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.pages import ROOT
from tests.trainers.rollouts import OPENING, close_clients, tokenizer_of_bytes

EXAMPLE = ROOT / "examples/verl/labs.py"
END = "<|im_end|>"

Manager = Callable[..., Any]


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """One whose mark of the end is left out of decoded texts, as verl asks for."""
    return tokenizer_of_bytes(END)


@pytest.fixture
def manager(labs_mock: LabsMock, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """Managers of verl by name, as its workers load them, with `compute_score` of a file: the example's unless another is named."""
    monkeypatch.setenv("LABS_URL", labs_mock.url)
    monkeypatch.setenv("LABS_API_KEY", labs_mock.api_key)
    reward = importlib.import_module("verl.trainer.ppo.reward")
    omegaconf = importlib.import_module("omegaconf")
    limited = importlib.import_module("verl.experimental.reward_loop.reward_manager.limited").RateLimitedRewardManager

    def load(name: str, path: Path = EXAMPLE, **settings: Any) -> Any:
        monkeypatch.setattr(
            limited, "_class_initialized", False
        )  # its limits are those of the first manager of a process
        function = {"path": str(path), "name": "compute_score"}
        chosen = {"custom_reward_function": function, "reward_manager": {"source": "register", "name": name}}
        return reward.load_reward_manager(omegaconf.OmegaConf.create({"reward": {**chosen, **settings}}), tokenizer)

    yield load
    close_clients()


@pytest.fixture
def batch(tokenizer: Any) -> Callable[..., Any]:
    """A batch of verl: prompts padded on the left, responses on the right, what belongs to a row beside them."""
    numpy, torch, verl = (importlib.import_module(name) for name in ("numpy", "torch", "verl"))

    def make(texts: Sequence[str], **columns: Sequence[Any]) -> Any:
        tokens = [tokenizer(text + END, add_special_tokens=False)["input_ids"] for text in texts]
        width = max(map(len, tokens))
        padded = [one + [tokenizer.pad_token_id] * (width - len(one)) for one in tokens]
        tensors = {
            "prompts": torch.tensor([[tokenizer.pad_token_id, 1]] * len(texts)),
            "responses": torch.tensor(padded),
            "attention_mask": torch.tensor([[0, 1] + [1] * len(one) + [0] * (width - len(one)) for one in tokens]),
        }
        rows = {
            "data_source": ["case-management/lower-back-claim"] * len(texts),
            "reward_model": [{"ground_truth": ""}] * len(texts),
            "extra_info": [{"messages": [OPENING]} for _ in texts],
            **columns,
        }
        objects = {name: numpy.empty(len(texts), dtype=object) for name in rows}
        for name, values in rows.items():
            objects[name][:] = values
        return verl.DataProto.from_dict(tensors, objects)

    return make


@pytest.fixture
def compute(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, Any], Any]:
    """What verl's `RewardLoopManager` makes of a batch with a manager. Its worker is in this process: the calls skip Ray."""
    reward_loop: ModuleType = importlib.import_module("verl.experimental.reward_loop.reward_loop")
    monkeypatch.setattr(reward_loop.ray, "get", list)

    class Remote:
        def __init__(self, worker: Any) -> None:
            self.remote = lambda chunk: worker.loop.run_until_complete(worker.compute_score_batch(chunk))

    def rewarded(manager: Any, data: Any) -> Any:
        worker = reward_loop.RewardLoopWorker.__new__(reward_loop.RewardLoopWorker)
        worker.config, worker.reward_manager, worker.loop = manager.config, manager, manager.loop
        loop_manager = reward_loop.RewardLoopManager.__new__(reward_loop.RewardLoopManager)
        loop_manager.reward_model_manager = None
        loop_manager.reward_manager_cls = type(manager)
        loop_manager.reward_loop_workers = [type("Handle", (), {"compute_score_batch": Remote(worker)})()]
        return loop_manager.compute_rm_score(data)

    return rewarded
