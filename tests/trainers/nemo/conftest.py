"""NeMo Gym's own agent between a model with a script and a resources server that plays episodes, each on a socket."""

import asyncio
import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from labs_mock.testing import LabsMock
from tests.trainers.rollouts import CLAIM, SCRIPTS
from tests.trainers.serving import served


def responses_engine() -> Starlette:
    """A model server of OpenAI's Responses protocol. Its model is the number of a script, a line of which each output has taken."""

    async def respond(request: Request) -> JSONResponse:
        body = await request.json()
        turn = sum(item.get("type") == "message" and item["role"] == "assistant" for item in body["input"])
        content = {"type": "output_text", "text": SCRIPTS[int(body["model"])][turn], "annotations": []}
        message = {
            "id": f"m{turn}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [content],
        }
        common = {"id": f"r{turn}", "object": "response", "created_at": 0, "model": body["model"]}
        return JSONResponse(
            {**common, "output": [message], "parallel_tool_calls": False, "tool_choice": "auto", "tools": []}
        )

    return Starlette(routes=[Route("/v1/responses", respond, methods=["POST"])])


Play = Callable[[Any], list[dict[str, Any]]]


@pytest.fixture
def play(labs_mock: LabsMock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """What NeMo Gym's agent makes of each of the scripts with a resources server of ours, all at once."""
    monkeypatch.setenv("LABS_URL", labs_mock.url)
    monkeypatch.setenv("LABS_API_KEY", labs_mock.api_key)
    omegaconf = importlib.import_module("omegaconf").OmegaConf
    utils = importlib.import_module("nemo_gym.server_utils")
    monkeypatch.setattr(importlib.import_module("nemo_gym.global_config"), "_GLOBAL_CONFIG_DICT", omegaconf.create({}))
    monkeypatch.setattr(utils, "_GLOBAL_AIOHTTP_CLIENT", None)
    agents = importlib.import_module("responses_api_agents.gymnasium_agent.app")
    here = {"host": "127.0.0.1", "port": 0, "entrypoint": ""}

    with ExitStack() as servers:

        def rollouts(resources: Any) -> list[dict[str, Any]]:
            engine = servers.enter_context(served(responses_engine()))
            config = importlib.import_module("nemo_gym.base_resources_server").BaseResourcesServerConfig
            client = utils.ServerClient(head_server_config=here, global_config_dict=omegaconf.create({}))
            server = resources(config=config(**here, name="labs"), server_client=client)
            environment = servers.enter_context(served(server.setup_webserver()))
            places = {name: {"a": {"b": _place(url)}} for name, url in (("labs", environment), ("model", engine))}
            agent = agents.GymnasiumAgent(
                config=agents.GymnasiumAgentConfig(
                    **here,
                    name="agent",
                    resources_server={"type": "resources_servers", "name": "labs"},
                    model_server={"type": "responses_api_models", "name": "model"},
                    max_steps=3,
                ),
                server_client=utils.ServerClient(head_server_config=here, global_config_dict=omegaconf.create(places)),
            )
            return asyncio.run(_run(servers.enter_context(served(agent.setup_webserver()))))

        yield rollouts


def _place(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {"host": parts.hostname, "port": parts.port}


async def _run(agent: str) -> list[dict[str, Any]]:
    """A rollout of each script, by the request that NeMo Gym's collection of rollouts sends."""
    async with httpx.AsyncClient(base_url=agent, timeout=30) as http:
        bodies = [
            {"responses_create_params": {"input": [], "model": str(number)}, **CLAIM} for number in range(len(SCRIPTS))
        ]
        answers = await asyncio.gather(*(http.post("/run", json=body) for body in bodies))
    return [{"status": answer.status_code, **(answer.json() if answer.is_success else {})} for answer in answers]
