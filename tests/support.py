"""What many tests need: a small scenario, messages, and a real server on a real socket."""

import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeVar

import httpx
import orjson
import yaml

from labs_mock.config.library import Library
from labs_mock.config.server_file import KeyEntry, ServerFile
from labs_mock.config.settings import settings_from
from labs_mock.contract.requests import Message, ToolCall
from labs_mock.http import create_app
from labs_mock.http.control.journal import records_of
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.loader import Collection, parse_scenario
from labs_mock.serving.server import Server
from labs_mock.serving.sockets import address_of, bind
from labs_mock.state import World
from labs_mock.state.bounds import Bounds
from labs_mock.state.episode import Episode
from labs_mock.state.memory.store import MemoryStore
from labs_mock.state.record import Record
from labs_mock.state.store import InitialState, Store
from labs_mock.state.world import accounts_of, initial_state
from labs_mock.testing.own_connections import OwnConnections

Result = TypeVar("Result")

KEY = "lab_local"

CLAIM: dict[str, Any] = yaml.safe_load(
    """
name: Back claim
description: A worker reports a back injury; decide the claim.
shape: conversation
difficulty: easy
max_turns: 12
persona:
  identity: {name: Dana Reyes, age: 41}
  opening: Hello, I'm calling about my claim.
  replies:
    - {when: {says: [hello, good morning]}, reply: Hi. My number is 4471.}
  fallback: ["Sorry, what do you mean?", "Could you ask me that another way?"]
state:
  - {id: onset, fact: F1, reveal: volunteered, reply: It started on Tuesday.}
  - {id: side_job, fact: F2, reveal: direct_question, when: {says: [second job]}, reply: I do deliveries.}
  - {id: fear, fact: F3, reveal: rapport_required, when: {says: [worried]}, reply: I am scared., deflect: Not really.}
  - {id: imaging, fact: F4, kind: hidden, when: {calls: order_imaging}, reply: They say it is a strain.}
rapport: {when: {says: [I understand, thank you]}, needed: 2}
tools:
  - id: order_imaging
    type: artifact
    name: Order imaging
    mode: json_schema
    json_schema: {type: object, required: [region], properties: {region: {type: string}}}
  - {id: claim_status, type: decision, name: Claim status, mode: options, options: [approved, denied, pending_info]}
criteria:
  success_metrics:
    - {id: establish_onset, text: T1, when: {discovered: onset}}
    - {id: order_scan, text: T2, weight: 3, when: {calls: order_imaging}}
  failure_metrics:
    - id: early_approval
      text: T3
      critical: true
      when: {all: [{decides: {claim_status: approved}}, {not: {discovered: imaging}}]}
    - {id: rude, text: T4, when: {says: [nonsense]}}
  best_practices:
    - {id: open_question, text: T5, when: {says: [tell me, what happened], turns: {at_most: 2}}}
  rubrics:
    - name: R1
      criteria:
        - id: gathering
          levels:
            - {label: L1, score: 1.0, when: {count: {of: discovered, at_least: 3}}}
            - {label: L2, score: 0.6, when: {count: {of: discovered, at_least: 2}}}
            - {label: L3, score: 0.2}
  scope:
    prohibited: [{id: diagnosis, when: {says: [you have a herniated disc]}}]
    must_refer: [{id: scared, trigger: {heard: [scared]}, when: {says: [counsellor]}, within_turns: 1}]
  terminology: [{use: strain, instead_of: [pulled muscle]}]
  outputs:
    - {tool: order_imaging, exemplar: {region: lumbar spine}}
    - {tool: claim_status, expected: pending_info}
completed: {when: {calls: claim_status}}
operators:
  expert:
    agent_template_id: claims-expert-v1
    says: [Tell me what happened., [[Thank you., I understand.], {call: order_imaging, input: {region: lumbar spine}}]]
"""
)
"""A conversation in which every dimension and every reveal trigger is in use, as plain data."""

OPENING = CLAIM["persona"]["opening"]


def scenario(data: dict[str, Any] | None = None, **changes: Any) -> Scenario:
    """A scenario from plain data (default: `CLAIM`), with some top-level keys changed; None removes one."""
    changed = {**(CLAIM if data is None else data), **changes}
    kept = {key: value for key, value in changed.items() if value is not None}
    return parse_scenario(orjson.dumps(kept), file="back-claim.yaml", collection="case-management")


def operator(content: str, *calls: ToolCall) -> Message:
    """A message of the operator."""
    return Message(role="assistant", content=content, tool_calls=list(calls) or None)


def call(name: str, **given: Any) -> ToolCall:
    """A call of one of `CLAIM`'s tools: a decision where `value` is given, else an artifact."""
    return ToolCall(type="decision" if "value" in given else "artifact", name=name, input=given)


def library(*scenarios: Scenario, keys: list[KeyEntry] | None = None) -> Library:
    """A library of some scenarios (default: `CLAIM` alone)."""
    groups: dict[str, dict[str, Scenario]] = {}
    for one in scenarios or (scenario(),):
        groups.setdefault(one.collection, {})[one.slug] = one
    collections = {slug: Collection(slug, slug.title(), "About it.", group) for slug, group in groups.items()}
    return Library(collections, server=ServerFile(keys=keys))


def make_store(initial: InitialState, bounds: Bounds = Bounds()) -> Store:  # noqa: B008 - a tuple, which cannot change
    """The store that the tests use."""
    return MemoryStore(initial, bounds)


def world(
    *scenarios: Scenario, keys: list[KeyEntry] | None = None, bounds: Bounds | None = None, **settings: Any
) -> World:
    """A world on a frozen clock, whose store may have other bounds than usual."""
    used, served = settings_from({"clock": "frozen", "port": 0, **settings}), library(*scenarios, keys=keys)
    if bounds is None:
        return World(used, served)
    return World(
        used, served, store=make_store(initial_state(used, served, accounts_of(used, served).values()), bounds)
    )


def noise(size: int) -> bytes:
    """Bytes that no compression makes fewer."""
    return b"".join(blake2b(b"%d" % number).digest() for number in range(size // 64 + 1))[:size]


def result_of(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """What an operation of a store or a world returns, without a loop: it waits for nothing, though it may suspend."""
    while True:
        try:
            coroutine.send(None)
        except StopIteration as end:
            result: Result = end.value
            return result


async def _all_records(world: World) -> list[Record]:
    return [record async for record in records_of(world, await world.store.journal_counts())]


@dataclass(frozen=True, slots=True)
class Live:
    """A running server: its world, its address, and a client with the default key."""

    world: World
    url: str
    client: httpx.Client

    def reset(self, *parts: str) -> None:
        """Everything, or some parts, back to the start."""
        result_of(self.world.reset(*parts))

    def now(self) -> float:
        """The time of the server's clock, in unix seconds."""
        return result_of(self.world.store.clock()).now()

    def advance(self, seconds: float) -> None:
        """Move the server's clock forward."""
        assert result_of(self.world.store.advance_clock(seconds)) is not None

    def remove_faults(self) -> None:
        """Empty the fault plan."""
        result_of(self.world.store.remove_faults())

    def records(self) -> list[Record]:
        """All records of the journal, oldest first."""
        return result_of(_all_records(self.world))

    def stored_episodes(self) -> list[Episode]:
        """All episodes, the one with the newest turn first."""
        return result_of(self.world.store.episodes(1_000_000))

    def stored_episode(self, name: str) -> Episode:
        """An episode by its id."""
        return next(episode for episode in self.stored_episodes() if episode.id == name)

    def library(self) -> Library:
        """The library of now."""
        return result_of(self.world.library())

    def post(self, path: str, body: Any, key: str | None = KEY) -> httpx.Response:
        """POST JSON under `/api/v1`."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return self.client.post(f"/api/v1{path}", json=body, headers=headers)

    def episode(self, **fields: Any) -> str:
        """A new episode of `CLAIM`; its id."""
        body = {"collection_slug": "case-management", "scenario_slug": "back-claim", **fields}
        return str(self.post("/episodes", body).json()["episode_id"])

    def turn(self, episode: str, *messages: dict[str, Any] | str, **fields: Any) -> httpx.Response:
        """A turn; text stands for an operator message."""
        listed = [{"role": "assistant", "content": one} if isinstance(one, str) else one for one in messages]
        return self.post(f"/episodes/{episode}/turns", {"id": episode, "messages": listed, **fields})


@contextmanager
def live(served: World, host: str = "127.0.0.1") -> Iterator[Live]:
    """Serve a world on a free port of this machine, in a thread."""
    started = threading.Event()
    listener: socket.socket = bind(host, 0)
    server = Server(create_app(served), listener, started.set)
    thread = server.serve_in_thread()
    assert started.wait(10), "the server did not start"
    url = address_of(listener)
    try:
        with httpx.Client(base_url=url, timeout=30, transport=OwnConnections()) as client:
            yield Live(served, url, client)
    finally:
        server.stop()
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop"
