"""An engine that speaks OpenAI's chat protocol, and says what is in the scripts of `rollouts`: a rollout a conversation."""

from itertools import count

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.trainers.rollouts import SCRIPTS


def chat_engine() -> Starlette:
    """The model of the request is the number of its script; each assistant message so far has taken a line of that."""
    numbers = count(1)

    async def complete(request: Request) -> JSONResponse:
        body = await request.json()
        turn = sum(message["role"] == "assistant" for message in body["messages"])
        text = SCRIPTS[int(body["model"])][turn]
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        common = {"id": f"c{next(numbers)}", "object": "chat.completion", "created": 0, "model": body["model"]}
        return JSONResponse({**common, "choices": [choice], "usage": usage})

    return Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"])])
