"""What OpenRLHF makes of `labs.py`, on a laptop: its own executor, and a model that has a script in the place of vLLM."""

import asyncio
from types import SimpleNamespace

import torch
from labs import END, AgentExecutor

CLAIM = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}  # a label, as the dataset has it
LINES = ["Please tell me what happened.", "Do you have a second job?"]


class Script:
    """A model that says these lines, and a tokenizer of bytes."""

    def __init__(self, lines):
        self.lines = iter(lines)

    async def generate(self, *_, **__):
        text = next(self.lines) + END
        return SimpleNamespace(outputs=[SimpleNamespace(text=text, token_ids=[*text.encode()], finish_reason="stop")])

    def __call__(self, text, **_):
        return {"input_ids": torch.tensor([[*text.encode()]])}


def play(lines):
    """What OpenRLHF trains on for an episode: tokens, the ranges of them that the model has said, and the reward."""
    script, params = Script(lines), SimpleNamespace(max_tokens=99, logprobs=None)
    return asyncio.run(AgentExecutor().execute("", CLAIM, params, 4000, script, script))


if __name__ == "__main__":
    played = play(LINES)
    print(bytes(played["observation_tokens"]).decode())
    print("reward", round(float(played["reward"]), 6))
