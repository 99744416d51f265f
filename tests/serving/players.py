"""Clients that take turns at the same time, what they received, and whether the server has exactly that."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

import httpx

from labs_mock.contract.wording import EPISODE_COMPLETE, EPISODE_NOT_FOUND
from tests.support import KEY

WHERE = {"collection_slug": "finance", "scenario_slug": "retirement-worries"}
HEADERS = {"authorization": f"Bearer {KEY}"}
DEADLINE = 60.0  # seconds for turns that are waited for
_names = count()


class Turn(NamedTuple):
    """A turn of an episode: its number, what the operator said, and its reward."""

    episode: str
    number: int
    text: str
    reward: float


@dataclass
class Player:
    """One client and what it received: acknowledged turns, 503s, and how many responses never came."""

    name: str
    acknowledged: list[Turn] = field(default_factory=list)
    refused: list[httpx.Response] = field(default_factory=list)
    broken: int = 0
    lost: list[str] = field(default_factory=list)  # episodes that were not there any more

    def play(self, urls: tuple[str, ...], stop: threading.Event, progress: threading.Condition) -> None:
        """Take turns with a text of its own each, at each of the servers after the other, until it is stopped."""
        with httpx.Client(trust_env=False, verify=False, timeout=DEADLINE, headers=HEADERS) as client:
            episode, sent = "", 0
            while not stop.is_set():
                sent += 1
                base = urls[sent % len(urls)]
                if not episode:
                    body = {**WHERE, "score_turns": True}
                    created = self._post(client, progress, f"{base}/api/v1/episodes", body)
                    episode = "" if created is None else created["episode_id"]
                    continue
                text = f"{self.name} says this as number {sent}."
                body = {"id": episode, "messages": [{"role": "assistant", "content": text}]}
                taken = self._post(client, progress, f"{base}/api/v1/episodes/{episode}/turns", body)
                if taken is not None and "turn" in taken:
                    with progress:
                        self.acknowledged.append(Turn(episode, taken["turn"], text, taken["reward"]))
                        progress.notify_all()
                if taken is not None and taken.get("episode_complete", True):
                    self.lost += [episode] if taken.get("message") == EPISODE_NOT_FOUND else []
                    episode = ""

    def _post(
        self, client: httpx.Client, progress: threading.Condition, url: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        """The response to a request; None if there was none, or it was a 503."""
        try:
            response = client.post(url, json=body)
        except httpx.TransportError:
            self.broken += 1
            return None
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            with progress:
                self.refused.append(response)
                progress.notify_all()
            return None
        answer: dict[str, Any] = response.json()
        assert response.is_success or answer["message"] in {EPISODE_COMPLETE, EPISODE_NOT_FOUND}, response.text
        return answer


class Players:
    """Some that play until they are stopped."""

    def __init__(self, number: int) -> None:
        self.all = [Player(f"Client {next(_names)}") for _ in range(number)]
        self.progress = threading.Condition()
        self.failed = False

    def fail(self, future: Future[None]) -> None:
        """Let nobody wait for a client that has failed."""
        with self.progress:
            self.failed = self.failed or future.exception() is not None
            self.progress.notify_all()

    @property
    def acknowledged(self) -> list[Turn]:
        """The turns of all of them that were acknowledged."""
        return [turn for one in self.all for turn in list(one.acknowledged)]

    @property
    def refused(self) -> list[httpx.Response]:
        """The 503s that they received."""
        return [response for one in self.all for response in list(one.refused)]

    @property
    def lost(self) -> list[str]:
        """The episodes that they had begun, and which were not there any more."""
        return [episode for one in self.all for episode in list(one.lost)]

    def counts(self) -> list[int]:
        """How many turns of each of them were acknowledged."""
        return [len(one.acknowledged) for one in self.all]

    def acknowledged_since(self, counts: list[int]) -> list[Turn]:
        """The turns that were sent and acknowledged since there were so many."""
        return [turn for one, count in zip(self.all, counts, strict=True) for turn in one.acknowledged[count + 1 :]]

    def are_refused(self) -> None:
        """Wait until each of them has received a 503 more."""
        before = [len(one.refused) for one in self.all]
        self._wait(lambda: all(len(one.refused) > count for one, count in zip(self.all, before, strict=True)))

    def take_turns(self, number: int) -> None:
        """Wait until each of them has taken so many more."""
        before = self.counts()
        self._wait(lambda: all(now >= then + number for now, then in zip(self.counts(), before, strict=True)))

    def _wait(self, holds: Callable[[], bool]) -> None:
        with self.progress:
            assert self.progress.wait_for(lambda: self.failed or holds(), DEADLINE), "the clients do not get on"
            assert not self.failed, "a client has failed"


@contextmanager
def playing(*urls: str, number: int = 16) -> Iterator[Players]:
    """So many clients that play as long as the block runs."""
    players, stop = Players(number), threading.Event()
    with ThreadPoolExecutor(number) as pool:
        futures = [pool.submit(one.play, urls, stop, players.progress) for one in players.all]
        for future in futures:
            future.add_done_callback(players.fail)
        try:
            yield players
        finally:
            stop.set()
            for future in futures:
                future.result()  # raises what a client has failed of


def check_played(base: str, acknowledged: list[Turn]) -> list[Turn]:
    """All turns that a server has. Raises `AssertionError` unless each of them is there whole and once.

    That is: every acknowledged one, with its text, is the turn of its number; no text is there twice; each turn has one record
    and one reward in the log.
    """
    with httpx.Client(base_url=base, trust_env=False, timeout=DEADLINE) as client:
        journal = client.get("/_mock/requests", params={"limit": 1_000_000}).json()
        rewards = client.get("/_mock/rewards", params={"limit": 100_000}).json()
        names = _episodes(client)
        transcripts = {name: client.get(f"/_mock/episodes/{name}").json()["transcript"] for name in names}
    assert (journal["dropped"], rewards["dropped"]) == (0, 0)
    records = [one for one in journal["requests"] if one["turn"] is not None and one["status"] == 200]
    recorded = [
        Turn(one["episode_id"], one["turn"], one["request"]["messages"][0]["content"], one["rewards"][0])
        for one in records
    ]
    spoken = [
        (name, line["turn"], line["content"])
        for name, transcript in transcripts.items()
        for line in transcript
        if line["speaker"] == "operator"
    ]
    assert sorted(spoken) == sorted([one[:3] for one in recorded])
    assert max(Counter([text for *_, text in spoken]).values(), default=1) == 1
    for name in names:
        turns = [number for episode, number, _ in spoken if episode == name]
        assert turns == list(range(1, len(turns) + 1))
    logged = zip(rewards["requests"], rewards["items"], rewards["rewards"], strict=True)
    of_turns = {one["number"] for one in records}
    assert [one for one in logged if one[0] in of_turns] == [(one["number"], 0, one["rewards"][0]) for one in records]
    assert {*acknowledged} <= {*recorded}
    return recorded


def _episodes(client: httpx.Client) -> list[str]:
    names: list[str] = []
    before: str | None = ""
    while before is not None:
        page = client.get("/_mock/episodes", params={"limit": 1_000, **({"before": before} if before else {})}).json()
        names += [one["id"] for one in page["episodes"]]
        before = page["next"]
    return names
