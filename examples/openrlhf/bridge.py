"""A server that speaks OpenRLHF's protocol, where rewards must come over HTTP: `--reward.remote_url http://127.0.0.1:5000`.

It answers 500 where there is no reward: what OpenRLHF asks five times for, a second apart, before it goes on without one.
"""

import uvicorn
from labs import reward_func
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route


async def rewards(request):
    body = await request.json()
    return JSONResponse(await run_in_threadpool(reward_func, body["query"], body["prompts"], body["labels"]))


app = Starlette(routes=[Route("/", rewards, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(app, port=5000)
