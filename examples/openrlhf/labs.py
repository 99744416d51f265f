"""Rewards for OpenRLHF: `reward_func` scores responses, `AgentExecutor` plays episodes; README.md says how to name this file."""

import asyncio
import os
import time

import httpx
import torch
from openrlhf.utils.agent import AgentInstanceBase, MultiTurnAgentExecutor

URL, KEY = os.environ.get("LABS_URL", "http://127.0.0.1:8765"), os.environ.get("LABS_API_KEY", "lab_local")
HTTP = httpx.Client(base_url=f"{URL}/api/v1", headers={"Authorization": f"Bearer {KEY}"}, timeout=60)
MAX_TURNS = int(os.environ.get("LABS_MAX_TURNS", "2"))
END = "<|im_end|>"  # of the chat template, like what `heard` writes


def heard(observation):
    return f"<|im_start|>user\n{observation['content']}{END}\n<|im_start|>assistant\n"


def post(path, **body):
    """The answer to a request. A 429 waits for its reset and a 5xx is sent three times; whatever else fails raises at once."""
    waits = [1, 2]
    while (response := HTTP.post(path, json=body)).status_code == 429 or (response.is_server_error and waits):
        reset = int(response.headers.get("X-RateLimit-Reset", 0)) - time.time()
        time.sleep(max(1, reset) if response.status_code == 429 else waits.pop(0))
    return response.raise_for_status().json()


def reward_func(queries, prompts, labels):
    """The reward of a response. A query is the prompt with the response, marks and all; a label is the request without it."""
    ((query,), (prompt,), (label,)) = queries, prompts, labels  # OpenRLHF asks for one at a time
    assert query.startswith(prompt), "the query does not start with the prompt; did --data.max_len cut it?"
    message = {"role": "assistant", "content": query.removeprefix(prompt).removesuffix(END)}
    reward = post("/evaluate", **{**label, "messages": [*label["messages"], message]})["reward"]
    return {"rewards": reward, "scores": reward}  # numbers: a list of one gives tensors of shape (1, 1)


class AgentInstance(AgentInstanceBase):
    def __init__(self):
        self.reward = 0.0

    async def reset(self, states, **_):
        start = await asyncio.to_thread(post, "/episodes", **states["label"], score_turns=True)
        self.path, self.id = f"/episodes/{start['episode_id']}/turns", start["episode_id"]
        return {"observation": states["observation"] + heard(start["initial_observation"])}

    async def step(self, states, **_):
        message = {"role": "assistant", "content": states["action_text"].removesuffix(END)}
        turn = await asyncio.to_thread(post, self.path, id=self.id, messages=[message])
        added, self.reward = turn["reward"] - self.reward, turn["reward"]  # OpenRLHF adds up what the turns give
        rewards = torch.tensor(added, dtype=torch.float64)  # in float32 they would not add up to the last reward
        done = turn["episode_complete"] or turn["turn"] == MAX_TURNS
        feedback = "\n" + heard(turn["observation"])
        return {"rewards": rewards, "scores": turn["reward"], "environment_feedback": feedback, "done": done}


class AgentExecutor(MultiTurnAgentExecutor):
    def __init__(self):
        super().__init__(AgentInstance)
