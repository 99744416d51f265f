"""A test of the rewards of a verifiers environment, with a model that has a script: no GPU, no server to start."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

CLAIM = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
ROLLOUTS = {
    "model-1": ["Please tell me what happened.", "Do you have a second job?", "Have you seen a doctor?"],
    "model-2": ["That sounds hard.", "Are you worried about going back?", "Please tell me what happened."],
}


class Model(BaseHTTPRequestHandler):
    """Says the next line of its script, by OpenAI's protocol."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        turn = sum(message["role"] == "assistant" for message in asked["messages"])
        message = {"role": "assistant", "content": ROLLOUTS[asked["model"]][turn]}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        common = {"id": f"c{turn}", "object": "chat.completion", "created": 0, "model": asked["model"]}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        body = json.dumps({**common, "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def model_url():
    with ThreadingHTTPServer(("127.0.0.1", 0), Model) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


@pytest.mark.labs_mock(canary=True)
def test_each_episode_has_its_own_reward(labs_mock_env, model_url):
    from labs import play  # now: it reads LABS_URL, which the fixture has set

    traces = [trace for model in ROLLOUTS for trace in asyncio.run(play(model_url, model)).traces]
    assert all(trace.ok for trace in traces)  # one that failed has reward 0
    conversations = [said(node.message.content for node in trace.nodes if node.sampled) for trace in traces]
    labs_mock_env.assert_rewards([trace.reward for trace in traces], conversations, **CLAIM)


def said(texts):
    """The conversation by the record of verifiers; what the persona said makes no difference to the reward."""
    pairs = ([{"role": "user", "content": "(the persona)"}, {"role": "assistant", "content": text}] for text in texts)
    return [message for pair in pairs for message in pair]
