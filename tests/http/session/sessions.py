"""What tests of saved sessions share: a server on which something has happened, and its session as lines."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from labs_mock.config.server_file import KeyEntry
from labs_mock.http.session.session_reading import read_session
from tests.support import CLAIM, KEY, Live, live, world

SECRET = "lab_of_somebody"
WHERE = {"collection_slug": "case-management", "scenario_slug": "back-claim"}
SAID = [{"role": "assistant", "content": "Tell me what happened."}]
NUMBERS = "0c1d2e3f-4a5b-4c6d-8e7f-901234567890"
ROWS = "1c1d2e3f-4a5b-4c6d-8e7f-901234567890"
ROW = {
    "scenario_id": "s",
    "agent_template_id": "a",
    "messages": [{"role": "user", "content": "Hi \u2028."}, {"role": "assistant", "content": "Yes."}],
    "metadata": {
        "temperature": 1.0,
        "rollout_index": 0,
        "turn_count": 1,
        "quality_score": 0.5,
        "complexity_score": 0.5,
        "ifd_score": None,
    },
}
SESSION = "/_mock/session.jsonl.gz"
SHOWN = [
    f"/_mock/{name}"
    for name in ("clock", "keys", "datasets", "requests", "findings", "rewards", "episodes", "faults", "health")
]
"""What of the control plane a saved session has to show as the server did."""


@contextmanager
def serving() -> Iterator[Live]:
    """A server with two keys."""
    keys = [KeyEntry(key=KEY, organisation="local"), KeyEntry(key=SECRET, organisation="acme")]
    with live(world(keys=keys)) as served:
        yield served


def use(served: Live) -> None:
    """Let something of every kind happen."""
    served.client.post("/_mock/faults", json={"id": "down", "path": "/api/v1/catalog", "key": SECRET, "status": 503})
    served.client.get("/api/v1/catalog", headers={"authorization": f"Bearer {SECRET}"})
    served.client.get("/api/v1/catalog", headers={"authorization": "Bearer another-secret"})
    add_datasets(served)
    served.client.get(f"/api/v1/training-datasets/{NUMBERS}/status", headers={"authorization": f"Bearer {KEY}"})
    episode = served.episode(score_turns=True)
    served.turn(episode, f"Tell me what happened, {SECRET}.", surprise=1)
    served.client.post("/_mock/clock/advance", json={"seconds": 90})
    changed = {**CLAIM, "description": "Another one."}
    served.client.post("/_mock/scenarios", json={**WHERE, "scenario": changed}).raise_for_status()
    served.turn(episode, {"role": "assistant", "content": "So.", "tool_calls": [IMAGING]})
    served.post("/evaluate", {**WHERE, "messages": SAID, "note": f"{SECRET}\n"})
    served.client.post("/api/v1/evaluate?x=%6cab_of_somebody", content=b"\xff\x00", headers={"user-agent": SECRET})
    other = served.episode()
    served.client.post(f"/_mock/episodes/{other}/terminate", json={})


IMAGING = {"type": "artifact", "name": "order_imaging", "input": {"region": "back"}}


def add_datasets(served: Live) -> None:
    """One of rows in progress, and one of rows that are generated."""
    stages = [{"status": "pending", "polls": 3}, {"status": "ready"}]
    added = {"id": ROWS, "name": "Rows", "lifecycle": stages, "rows": {"inline": [ROW] * 3}}
    served.client.post("/_mock/datasets", json=added).raise_for_status()
    rows = {"generate": {"scenario": "case-management/back-claim", "operators": ["expert"], "count": 2}}
    added = {"id": NUMBERS, "name": "Generated", "lifecycle": stages, "rows": rows}
    served.client.post("/_mock/datasets", json=added).raise_for_status()
    served.client.patch(f"/_mock/datasets/{ROWS}", json={"status": "running"}).raise_for_status()


def saved(served: Live, path: Path) -> bytes:
    """The session of a server, which is written to a file, too."""
    response = served.client.get(SESSION)
    assert response.headers["content-type"] == "application/gzip"
    path.write_bytes(response.content)
    return response.content


def lines_of(session: bytes) -> list[Any]:
    """The lines of a session as JSON."""
    return [orjson.loads(line) for line in gzip.decompress(session).splitlines()]


def packed(lines: list[Any]) -> bytes:
    """Lines, as JSON or as bytes, as a file."""
    texts = [line if isinstance(line, bytes) else orjson.dumps(line) for line in lines]
    return gzip.compress(b"".join(text + b"\n" for text in texts), mtime=0)


@contextmanager
def shown(path: Path) -> Iterator[Live]:
    """A saved session as `inspect` serves it."""
    with live(read_session(path)) as served:
        yield served
