"""Episodes for NeMo Gym: a resources server in which a session is an episode; docs/nemo.md says how to use it."""

import asyncio
import os
import time
from typing import Any

import httpx
from resources_servers.gymnasium import GymnasiumServer, extract_text


class LabsServer(GymnasiumServer):
    http: Any = None  # made with the first request, in the loop that serves

    async def post(self, path, **body):
        """The answer to a request. A 429 waits for its reset and a 5xx is sent three times; whatever else fails raises at once."""
        if self.http is None:
            url = os.environ.get("LABS_URL", "http://127.0.0.1:8765")
            headers = {"Authorization": f"Bearer {os.environ.get('LABS_API_KEY', 'lab_local')}"}
            self.http = httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=60)
        waits = [1, 2]
        while (answer := await self.http.post(path, json=body)).status_code == 429 or (
            answer.is_server_error and waits
        ):
            reset = int(answer.headers.get("X-RateLimit-Reset", 0)) - time.time()
            await asyncio.sleep(max(1, reset) if answer.status_code == 429 else waits.pop(0))
        return answer.raise_for_status().json()

    async def reset(self, metadata, session_id=None):
        slugs = {name: metadata[name] for name in ("collection_slug", "scenario_slug")}  # of the row of the dataset
        start = await self.post("/episodes", **slugs, score_turns=True)
        self.session_state[session_id] = {"id": start["episode_id"], "reward": 0.0}
        return start["initial_observation"]["content"], {}

    async def step(self, action, metadata, session_id=None):
        episode = self.session_state[session_id]
        message = {"role": "assistant", "content": extract_text(action)}
        turn = await self.post(f"/episodes/{episode['id']}/turns", id=episode["id"], messages=[message])
        added, episode["reward"] = turn["reward"] - episode["reward"], turn["reward"]  # the agent adds up the steps
        return turn["observation"]["content"], added, turn["episode_complete"], False, {}


if __name__ == "__main__":
    LabsServer.run_webserver()
