import re
import subprocess
import sys
from pathlib import Path

import httpx
import orjson
import pytest

from labs_mock.config.library import load_library
from labs_mock.config.settings import settings_from
from labs_mock.state import World
from tests.support import KEY, live

SHIPPED = Path(__file__).parents[2] / "scenarios"

REQUESTS = Path(__file__).with_name("transcript_of_requests.json")


def play(scenarios: Path, seed: int) -> bytes:
    """What `send_transcript` receives from a fresh server on a frozen clock."""
    fresh = World(settings_from({"clock": "frozen", "seed": seed}), load_library(scenarios))
    with live(fresh) as server:
        return send_transcript(server.client)


def send_transcript(client: httpx.Client) -> bytes:
    """Send a fixed list of requests; all responses, head and body."""
    received = []
    episodes: list[str] = []
    for line in orjson.loads(REQUESTS.read_bytes()):
        text = orjson.dumps(line).decode()
        for number, episode in enumerate(episodes):
            text = text.replace(f"<{number}>", episode)
        method, path, body = orjson.loads(text)
        content = None if body is None else orjson.dumps(body)
        headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        response = client.request(method, path, content=content, headers=headers)
        if "episode_id" in response.text:
            episodes.append(response.json()["episode_id"])
        received.append(f"{response.status_code} {response.headers.raw}\n".encode() + response.content)
    return b"\n".join(received)


def in_another_process(hash_seed: str, seed: int) -> bytes:
    """The same in a process of its own, under a PYTHONHASHSEED."""
    code = (
        "import sys; from pathlib import Path; from tests.http.test_determinism import play, SHIPPED;"
        f"sys.stdout.buffer.write(play(SHIPPED, {seed}))"
    )
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": hash_seed}, cwd=root, check=True, capture_output=True
    ).stdout


def test_two_processes_answer_with_the_same_bytes() -> None:
    """Same seed, files and requests: same status, headers and body, under any PYTHONHASHSEED (DET-1)."""
    one, other = in_another_process("0", 7), in_another_process("12345", 7)
    assert one == other == play(SHIPPED, 7)
    assert one.count(b"200 [") > 10
    assert one.count(b"x-mock-findings") >= 2


def test_the_seed_changes_ids_and_nothing_else() -> None:
    """Another seed gives other ids; rewards and observations stay (DET-3)."""
    one, other = play(SHIPPED, 7), play(SHIPPED, 8)
    assert one != other
    assert _without_ids(one) == _without_ids(other)


@pytest.mark.parametrize("repeats", [3])
def test_equal_requests_get_the_same_set_of_answers(repeats: int) -> None:
    """The n-th equal request gets the n-th response, whatever else is sent in between (DET-2, DET-3)."""
    body = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}

    def created(between: int) -> list[str]:
        fresh = World(settings_from({"clock": "frozen"}), load_library(SHIPPED))
        with live(fresh) as server:
            found = []
            for _ in range(repeats):
                found.append(str(server.post("/episodes", body).json()["episode_id"]))
                for number in range(between):
                    server.post("/episodes", {**body, "scenario_slug": f"x{number}"})
        return found

    assert created(0) == created(2)
    assert len(set(created(0))) == repeats


def _without_ids(received: bytes) -> list[bytes]:
    return re.sub(rb"(req|ep)_[0-9a-z]{26}", b"", received).split(b"\n")
