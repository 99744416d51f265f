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
