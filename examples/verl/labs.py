"""Rewards for verl: `compute_score` for `reward.custom_reward_function.path`. README.md has the whole configuration."""

import os
import time

import httpx

URL, KEY = os.environ.get("LABS_URL", "http://127.0.0.1:8765"), os.environ.get("LABS_API_KEY", "lab_local")
HTTP = httpx.Client(base_url=f"{URL}/api/v1", headers={"Authorization": f"Bearer {KEY}"}, timeout=60)


def post(path, **body):
    """The answer to a request. A 429 waits for its reset and a 5xx is sent three times; whatever else fails raises at once."""
    waits = [1, 2]
    while (response := HTTP.post(path, json=body)).status_code == 429 or (response.is_server_error and waits):
        reset = int(response.headers.get("X-RateLimit-Reset", 0)) - time.time()
        time.sleep(max(1, reset) if response.status_code == 429 else waits.pop(0))
    return response.raise_for_status().json()


def compute_score(data_source, solution_str, ground_truth, extra_info, **_):
    """The reward of a rollout; verl calls this in a thread.

    `data_source` is collection/scenario, and `extra_info["messages"]` the prompt. An agent loop that plays an episode leaves the
    rewards of its turns in `extra_fields["turn_scores"]`, which come here in `extra_info`: the last one judges the whole.
    """
    if turns := extra_info.get("turn_scores"):
        return {"score": turns[-1]}
    collection, scenario = data_source.split("/")
    messages = [*extra_info["messages"], {"role": "assistant", "content": solution_str}]
    answer = post("/evaluate", collection_slug=collection, scenario_slug=scenario, messages=messages)
    return {"score": answer["reward"]}  # not the number: verl's rate-limited manager would turn failures into 0 unseen


def demonstration():
    """Two responses as verl's reward manager gets them, with a tokenizer of bytes."""
    import numpy as np
    import torch
    from omegaconf import OmegaConf
    from verl import DataProto
    from verl.trainer.ppo.reward import load_reward_manager

    class Bytes:
        def decode(self, tokens, **_):
            return bytes(tokens.tolist()).decode()

    responses = ["Please tell me what happened.", "Do you have any other work, a second job perhaps?"]
    size = max(map(len, responses))
    opening = {"role": "user", "content": "Hello, I'm calling about my workers' compensation claim."}
    tensors = {
        "prompts": torch.zeros(2, 1, dtype=torch.long),
        "responses": torch.tensor([[*text.ljust(size).encode()] for text in responses]),
        "attention_mask": torch.tensor([[1] + [1] * len(text) + [0] * (size - len(text)) for text in responses]),
    }
    columns = {
        "data_source": np.array(["case-management/lower-back-claim"] * 2, dtype=object),
        "reward_model": np.array([{"ground_truth": ""}] * 2, dtype=object),
        "extra_info": np.array([{"messages": [opening]}, {"messages": [opening]}], dtype=object),
    }
    data = DataProto.from_dict(tensors, columns)
    function = {"path": __file__, "name": "compute_score"}
    config = {"reward": {"custom_reward_function": function, "reward_manager": {"source": "register", "name": "naive"}}}
    manager = load_reward_manager(OmegaConf.create(config), Bytes())
    for place, text in enumerate(responses):
        result = manager.loop.run_until_complete(manager.run_single(data[place : place + 1]))
        print(text, result["reward_score"])


if __name__ == "__main__":
    demonstration()
