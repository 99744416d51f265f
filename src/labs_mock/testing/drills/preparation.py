"""What a case does with its server that no fault does: before the function is called, or beside it."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from labs_mock.contract.limits import EPISODE_LIFETIME
from labs_mock.testing.drills.conversations import COLLECTION, SCENARIO, DrilledConversation
from labs_mock.testing.handle import LabsMock

QUOTA = 20  # requests a minute
TURN = 3  # of the other episode
GLANCE = 0.02  # seconds between two looks at the journal


@dataclass(frozen=True, slots=True)
class Preparation:
    """A server that is being prepared, and the conversations of the drill; `over` is set when the function has ended."""

    mock: LabsMock
    conversations: list[DrilledConversation]
    over: threading.Event = field(default_factory=threading.Event)

    def post(self, path: str, body: Mapping[str, Any]) -> str:
        """The body of the answer to another client's request."""
        return self._send("POST", path, json.dumps(body))

    def get(self, path: str) -> str:
        """The same for a request without a body."""
        return self._send("GET", path, None)

    def _send(self, method: str, path: str, body: str | None) -> str:
        address = urlsplit(self.mock.url)
        headers = {"Authorization": f"Bearer {self.mock.api_key}", "Content-Type": "application/json"}
        connection = HTTPConnection(address.hostname or "", address.port, timeout=10)
        try:
            connection.request(method, f"/api/v1{path}", body, headers)
            return connection.getresponse().read().decode()
        finally:
            connection.close()


def use_up_quota(preparation: Preparation) -> tuple[Mapping[str, Any], ...]:
    """Nothing is left of the key's quota of this minute."""
    preparation.mock.change_key(preparation.mock.api_key, requests_per_minute=QUOTA)
    for _ in range(QUOTA):
        preparation.get("/key")
    return ()


def answers_of_others(preparation: Preparation) -> tuple[Mapping[str, Any], ...]:
    """Every batch gets the answer to one with the conversations in another order and other ids, every turn that of an episode further on."""
    items = [{"id": f"other-{index}", **one.body} for index, one in enumerate(reversed(preparation.conversations))]
    start = {"collection_slug": COLLECTION, "scenario_slug": SCENARIO, "score_turns": True}
    episode = json.loads(preparation.post("/episodes", start))["episode_id"]
    turn = ""
    for _ in range(TURN):
        messages = [{"role": "assistant", "content": "What happened?"}]
        turn = preparation.post(f"/episodes/{episode}/turns", {"id": episode, "messages": messages})
    return (
        {"path": "/api/v1/batch/evaluate", "body": preparation.post("/batch/evaluate", {"items": items})},
        {"path": "/api/v1/episodes/*/turns", "body": turn},
    )


def a_day_passes(preparation: Preparation) -> None:
    """Move the clock once the first turn was taken, whose answer waits for that."""
    while not preparation.over.wait(GLANCE):
        if any(request.turn for request in preparation.mock.find_requests(path="/api/v1/episodes/*/turns")):
            preparation.mock.advance(EPISODE_LIFETIME + 60)
            return
