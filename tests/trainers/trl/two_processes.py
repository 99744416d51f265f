"""A program that torchrun starts twice: `GRPOTrainer` over two processes, with a sound reward function and a broken one.

Its argument is a folder; the rank 0 writes the logs there. Run by `test_two_processes.py`.
"""

import sys
from pathlib import Path
from typing import Any

from accelerate.utils import broadcast_object_list  # type: ignore[import-not-found,unused-ignore]
from labs_rewards import batch_reward  # type: ignore[import-not-found]

from tests.trainers.trl.policy import Policy, train_grpo


def first_process_only(prompts: list[Any], completions: list[Any], **_: Any) -> list[Any]:
    """Lets rank 0 ask, and gives its rewards to all: those of the rank's own completions are never asked for."""
    rewards = batch_reward(prompts, completions)
    broadcast_object_list(rewards)
    return list(rewards)


if __name__ == "__main__":
    for function in (batch_reward, first_process_only):
        folder = Path(sys.argv[1]) / function.__name__
        train_grpo(Policy.of(), folder, config={"per_device_train_batch_size": 8}, reward_funcs=function)
