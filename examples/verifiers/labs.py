"""Episodes for verifiers 0.4: a taskset, and an environment that plays each task as an episode; README.md says how to use it."""

import asyncio
import os
import sys
import time

import httpx
import verifiers.v1 as vf

URL, KEY = os.environ.get("LABS_URL", "http://127.0.0.1:8765"), os.environ.get("LABS_API_KEY", "lab_local")
SCENARIOS = ["case-management/lower-back-claim"]
__all__ = ["LabsEnv", "LabsTaskset", "OneRequest"]


async def post(http, path, **body):
    """The answer to a request. A 429 waits for its reset and a 5xx is sent three times; whatever else fails raises at once."""
    waits = [1, 2]
    while (response := await http.post(path, json=body)).status_code == 429 or (response.is_server_error and waits):
        reset = int(response.headers.get("X-RateLimit-Reset", 0)) - time.time()
        await asyncio.sleep(max(1, reset) if response.status_code == 429 else waits.pop(0))
    return response.raise_for_status().json()


class Played(vf.State):
    reward: float | None = None  # of the conversation so far


class LabsTask(vf.Task[vf.TaskData, Played]):
    @vf.reward
    async def labs(self, trace):
        return trace.state.reward


class LabsTaskset(vf.Taskset[LabsTask, vf.TasksetConfig]):
    def load(self):
        return [LabsTask(vf.TaskData(id=one, system_prompt="You handle claims.")) for one in SCENARIOS]


class OneRequest(vf.Harness[vf.HarnessConfig]):  # the model answers by itself: no program, no tools
    SUPPORTS_RESUME = APPENDS_SYSTEM_PROMPT = True
    EXECUTES_CODE = NEEDS_CONTAINER = False

    async def launch(self, ctx, trace, runtime, endpoint, secret, mcp_urls, data):
        messages = [{"role": one.role, "content": one.content} for one in data.prompt]
        body = {"model": ctx.model, "messages": [{"role": "system", "content": data.system_prompt}, *messages]}
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {secret}"}, timeout=600) as http:
            (await http.post(f"{endpoint}/chat/completions", json=body)).raise_for_status()
        return vf.ProgramResult(exit_code=0, stdout="", stderr="")


class LabsEnv(vf.Env[vf.SingleAgentEnvConfig]):
    async def run(self, task, agents):
        slugs = dict(zip(("collection_slug", "scenario_slug"), task.data.id.split("/"), strict=True))
        async with httpx.AsyncClient(base_url=f"{URL}/api/v1", headers={"Authorization": f"Bearer {KEY}"}) as http:
            start = await post(http, "/episodes", **slugs, score_turns=True)
            heard, path = start["initial_observation"]["content"], f"/episodes/{start['episode_id']}/turns"
            async with agents.agent.interaction(task) as operator:
                for _ in range(int(os.environ.get("LABS_MAX_TURNS", "3"))):
                    said = await operator.turn(heard)
                    if said.terminated:
                        break
                    message = {"role": "assistant", "content": said.last_reply}
                    turn = await post(http, path, id=start["episode_id"], messages=[message])
                    operator.trace.state.reward, heard = turn["reward"], turn["observation"]["content"]
                    if turn["episode_complete"]:
                        break


async def play(base_url, model):
    config = {"taskset": {"id": "labs"}, "agent": {"runtime": {"type": "subprocess"}}}
    env = vf.load_environment(vf.resolve_env_config(config))
    async with env.serving():
        return await env.run_episode(*env.taskset, vf.ModelContext(model, vf.EvalClientConfig(base_url=base_url)))


if __name__ == "__main__":  # python labs.py http://127.0.0.1:8000/v1 MODEL
    sys.modules["labs"] = sys.modules["__main__"]
    for trace in asyncio.run(play(*sys.argv[1:])).traces:
        print(trace.reward if trace.ok else trace.errors)  # a trace that failed has reward 0
