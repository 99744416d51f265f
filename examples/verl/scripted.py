"""What verl makes of `labs.py`, on a laptop: its own reward manager, with responses and a tokenizer that are made here."""

from pathlib import Path

import numpy as np
import torch
from omegaconf import OmegaConf
from verl import DataProto
from verl.trainer.ppo.reward import load_reward_manager

OPENING = {"role": "user", "content": "Hello, I'm calling about my workers' compensation claim."}
RESPONSES = ["Please tell me what happened.", "Do you have any other work, a second job perhaps?"]


class Bytes:
    """A tokenizer of bytes."""

    def decode(self, tokens, **_):
        return bytes(tokens.tolist()).decode()


def batch(responses):
    """The batch that verl has after generation: prompts and responses as tokens, and the columns of the dataset."""
    size, count = max(map(len, responses)), len(responses)
    tensors = {
        "prompts": torch.zeros(count, 1, dtype=torch.long),
        "responses": torch.tensor([[*text.ljust(size).encode()] for text in responses]),
        "attention_mask": torch.tensor([[1] + [1] * len(text) + [0] * (size - len(text)) for text in responses]),
    }
    columns = {
        "data_source": np.array(["case-management/lower-back-claim"] * count, dtype=object),
        "reward_model": np.array([{"ground_truth": ""}] * count, dtype=object),
        "extra_info": np.array([{"messages": [OPENING]}] * count, dtype=object),
    }
    return DataProto.from_dict(tensors, columns)


def rewards(responses):
    """The rewards that verl's manager `naive` gives to responses."""
    function = {"path": str(Path(__file__).with_name("labs.py")), "name": "compute_score"}
    config = {"reward": {"custom_reward_function": function, "reward_manager": {"source": "register", "name": "naive"}}}
    manager, data = load_reward_manager(OmegaConf.create(config), Bytes()), batch(responses)
    results = (manager.run_single(data[place : place + 1]) for place in range(len(responses)))
    return [manager.loop.run_until_complete(result)["reward_score"] for result in results]


if __name__ == "__main__":
    for text, reward in zip(RESPONSES, rewards(RESPONSES), strict=True):
        print(reward, text)
