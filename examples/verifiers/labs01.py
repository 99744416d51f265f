"""Episodes for verifiers 0.1: a `MultiTurnEnv` whose turns are those of an episode; README.md says how to use it."""

import asyncio
import os
import sys
import time

import httpx
import verifiers as vf
from datasets import Dataset
from openai import AsyncOpenAI

URL, KEY = os.environ.get("LABS_URL", "http://127.0.0.1:8765"), os.environ.get("LABS_API_KEY", "lab_local")
SCENARIO = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}


async def post(http, path, **body):
    """The answer to a request. A 429 waits for its reset and a 5xx is sent three times; whatever else fails raises at once."""
    waits = [1, 2]
    while (response := await http.post(path, json=body)).status_code == 429 or (response.is_server_error and waits):
        reset = int(response.headers.get("X-RateLimit-Reset", 0)) - time.time()
        await asyncio.sleep(max(1, reset) if response.status_code == 429 else waits.pop(0))
    return response.raise_for_status().json()


async def labs(state):
    """The reward of the whole conversation; NaN where there is none, since verifiers turns an exception into 0.0."""
    return float("nan") if state["error"] else state["turn"]["reward"]


class LabsEnv(vf.MultiTurnEnv):
    def __init__(self, **options):
        super().__init__(rubric=vf.Rubric([labs]), **options)
        headers = {"Authorization": f"Bearer {KEY}"}
        self.http = httpx.AsyncClient(
            base_url=f"{URL}/api/v1", headers=headers, limits=httpx.Limits(max_connections=32)
        )

    async def ask(self, path, **body):
        try:
            return await post(self.http, path, **body)
        except httpx.HTTPError as error:  # what is no error of verifiers would end all rollouts
            raise vf.InfraError(str(error)) from error

    async def setup_state(self, state):
        state["turn"] = {"episode_complete": False}
        start = await self.ask("/episodes", **state["info"], score_turns=True)
        state["episode"] = start["episode_id"]
        state["prompt"] = [*state["prompt"], vf.UserMessage(content=start["initial_observation"]["content"])]

    async def add_trajectory_step(self, state, trajectory_step):
        """Submits each message as soon as there is one; `env_response` is not called after the last."""
        await super().add_trajectory_step(state, trajectory_step)
        message = {"role": "assistant", "content": trajectory_step["completion"][-1].content}
        path = f"/episodes/{state['episode']}/turns"
        state["turn"] = await self.ask(path, id=state["episode"], messages=[message])

    async def env_response(self, messages, state, **_):
        return [vf.UserMessage(content=state["turn"]["observation"]["content"])]

    @vf.stop
    async def episode_complete(self, state):
        return state["turn"]["episode_complete"]


def load_environment(max_turns=3, **options):
    rows = [{"prompt": [{"role": "system", "content": "You handle claims."}], "info": SCENARIO}]
    return LabsEnv(dataset=Dataset.from_list(rows), max_turns=max_turns, **options)


if __name__ == "__main__":  # python labs01.py http://127.0.0.1:8000/v1 MODEL
    client = vf.OpenAIChatCompletionsClient(AsyncOpenAI(base_url=sys.argv[1], api_key="none"))
    results = load_environment().evaluate_sync(client, sys.argv[2], num_examples=1, rollouts_per_example=1)
    print(results["outputs"][0]["reward"], results["outputs"][0]["error"])
